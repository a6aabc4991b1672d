/** Requests that do not fit a schema, and errors as RFC 9457 problems with our code and hint. */
import { AppError, ERROR_TABLE } from '@helixmesh/protocol';
import type { z } from 'zod';

/** A part of a request by its schema. Throws USAGE naming the fields, never their values. */
export function parseInput(schema: z.ZodType, value: unknown, where: string): unknown {
  const parsed = schema.safeParse(value ?? {});
  if (parsed.success) return parsed.data;
  const issues = parsed.error.issues.map(
    ({ path, message }) => `${path.join('.') || where}: ${message}`,
  );
  throw new AppError('USAGE', `bad request: ${issues.join('; ')}`, {
    hint: 'Correct the fields named.',
  });
}

/** What Fastify refused by itself is the request's fault where its status says so. */
export function toAppError(thrown: unknown): AppError {
  const status = (thrown as { statusCode?: number }).statusCode;
  if (thrown instanceof AppError || status === undefined || status >= 500)
    return AppError.from(thrown);
  return new AppError('USAGE', (thrown as Error).message, { cause: thrown });
}

interface ProblemReply {
  code(status: number): ProblemReply;
  type(type: string): ProblemReply;
  send(body: unknown): unknown;
}

/** The cause and its stack stay here. */
export function sendProblem(reply: ProblemReply, error: AppError): void {
  const status = ERROR_TABLE[error.code].http;
  reply
    .code(status)
    .type('application/problem+json')
    .send({
      type: `urn:helixmesh:error:${error.code}`,
      title: error.message,
      status,
      ...error.toRecord(),
    });
}
