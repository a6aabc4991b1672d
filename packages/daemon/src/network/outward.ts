/**
 * What of a failure leaves this node: the code, message and hint of errors that were written for the
 * one who asks. Of anything else only the code goes out: messages of the system name paths.
 */
import { AppError, ERROR_TABLE } from '@helixmesh/protocol';
import type { Logger } from '../node/logger.ts';

/** The error as the one who asked may see it. */
export function outward(thrown: unknown): AppError {
  const error = AppError.from(thrown);
  const isWrittenForThem =
    error.code !== 'INTERNAL' && error.message !== (error.cause as Error | undefined)?.message;
  if (isWrittenForThem) return error;
  return new AppError(error.code, 'the node has failed', {
    hint: 'Tell its operator, who finds the cause in its log; or ask another node.',
  });
}

/** Logs the failures that are this node's own; refusals are the peer's business. */
export function logFailure(logger: Logger, where: string, thrown: unknown): void {
  const { code } = AppError.from(thrown);
  if (ERROR_TABLE[code].http < 500) {
    logger.debug({ route: where, code }, 'request refused');
    return;
  }
  const stack = thrown instanceof Error ? thrown.stack : undefined;
  logger.error({ route: where, code, stack }, 'request failed');
}
