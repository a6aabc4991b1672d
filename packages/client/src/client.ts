/** The typed client of the local API: one function for each route of the table. */
import { request as httpRequest } from 'node:http';
import {
  AppError,
  errorRecordSchema,
  ROUTES,
  type RouteName,
  type Routes,
} from '@helixmesh/protocol';
import type { z } from 'zod';
import { REPLY_MAX_BYTES } from './limits.ts';
import { pathOf } from './path.ts';

type Body<N extends RouteName> = Routes[N]['body'] extends z.ZodType
  ? { readonly body: z.input<Routes[N]['body']> }
  : { readonly body?: undefined };

export type CallInput<N extends RouteName> = {
  readonly params: z.input<Routes[N]['params']>;
  readonly query?: z.input<Routes[N]['query']>;
  readonly signal?: AbortSignal;
} & Body<N>;

export type Reply<N extends RouteName> = z.output<Routes[N]['reply']>;

export interface Client {
  /** Calls one route. Throws the server's AppError, or DAEMON_UNREACHABLE when nobody listens. */
  call<N extends RouteName>(name: N, input: CallInput<N>): Promise<Reply<N>>;
}

export function createClient({ socketPath }: { readonly socketPath: string }): Client {
  return {
    async call(name, input) {
      const route = ROUTES[name];
      const body = route.body === null ? undefined : JSON.stringify(input.body);
      const reply = await send({
        socketPath,
        method: route.method,
        path: pathOf(route.path, input.params as Record<string, string>, input.query),
        body,
        signal: input.signal,
      });
      if (reply.status >= 400) throw problem(reply);
      return route.reply.parse(JSON.parse(reply.text)) as never;
    },
  };
}

interface Request {
  readonly socketPath: string;
  readonly method: string;
  readonly path: string;
  readonly body: string | undefined;
  readonly signal: AbortSignal | undefined;
}

interface RawReply {
  readonly status: number;
  readonly text: string;
}

function send({ socketPath, method, path, body, signal }: Request): Promise<RawReply> {
  return new Promise((resolve, reject) => {
    const headers = body === undefined ? {} : { 'content-type': 'application/json' };
    const options = {
      socketPath,
      method,
      path,
      headers,
      ...(signal === undefined ? {} : { signal }),
    };
    const request = httpRequest(options, (response) => {
      const chunks: Buffer[] = [];
      let size = 0;
      response.on('data', (chunk: Buffer) => {
        size += chunk.length;
        if (size > REPLY_MAX_BYTES)
          request.destroy(new AppError('INTERNAL', 'the reply is too large'));
        chunks.push(chunk);
      });
      response.on('error', reject);
      response.on('end', () =>
        resolve({ status: response.statusCode ?? 0, text: Buffer.concat(chunks).toString('utf8') }),
      );
    });
    request.on('error', (cause) => reject(signal?.aborted ? cause : unreachable(cause)));
    request.end(body);
  });
}

function problem({ status, text }: RawReply): AppError {
  try {
    const { type: _type, title: _title, status: _status, ...record } = JSON.parse(text);
    return AppError.fromRecord(errorRecordSchema.parse(record) as never);
  } catch (cause) {
    return new AppError('INTERNAL', `the daemon answered ${status}`, { cause });
  }
}

function unreachable(cause: unknown): AppError {
  if (cause instanceof AppError) return cause;
  return new AppError('DAEMON_UNREACHABLE', 'no daemon answers for this data folder', {
    hint: 'Start one with `helixmesh up`, or name its folder with --data.',
    cause,
  });
}
