/** One call of the REST contract on a pinned connection. */
import type { ClientHttp2Stream } from 'node:http2';
import { AppError } from '@helixmesh/protocol';
import { nodeCrypto } from '@helixmesh/protocol/node';
import {
  ERROR_HEADER,
  NETWORK_ROUTES,
  type NetworkRouteName,
  type NetworkRoutes,
  type NodeAddress,
  utf8,
} from '@helixmesh/protocol/sealing';
import type { z } from 'zod';
import { pathOf } from '../path.ts';
import { CALL_MS_MAX, REPLY_BYTES_MAX } from './limits.ts';
import { canceled, type PinnedSession, unreachable } from './pinned-session.ts';
import { type SigningOptions, signatureHeaders } from './sign.ts';
import { NO_BODY_SHA256, sentError } from './wire.ts';

type Body<N extends NetworkRouteName> = NetworkRoutes[N]['body'] extends z.ZodType
  ? { readonly body: z.input<NetworkRoutes[N]['body']> }
  : { readonly body?: undefined };

type Params<N extends NetworkRouteName> =
  Record<string, never> extends z.input<NetworkRoutes[N]['params']>
    ? { readonly params?: z.input<NetworkRoutes[N]['params']> }
    : { readonly params: z.input<NetworkRoutes[N]['params']> };

export type NetworkCallInput<N extends NetworkRouteName> = {
  readonly query?: z.input<NetworkRoutes[N]['query']>;
  readonly signal?: AbortSignal | undefined;
} & Body<N> &
  Params<N>;

export type NetworkReply<N extends NetworkRouteName> = z.output<NetworkRoutes[N]['reply']>;

export interface RestCall {
  readonly session: PinnedSession;
  readonly signing: SigningOptions;
  readonly input: {
    readonly params?: unknown;
    readonly query?: unknown;
    readonly body?: unknown;
    readonly signal?: AbortSignal | undefined;
  };
}

/** Calls the route. Throws the node's AppError, PEER_NOT_TRUSTED, PEER_UNREACHABLE or CANCELED. */
export async function callRoute(name: NetworkRouteName, call: RestCall): Promise<unknown> {
  const { session, signing, input } = call;
  const route = NETWORK_ROUTES[name];
  const params = (input.params ?? {}) as Record<string, string>;
  const path = pathOf(route.path, params, input.query as Record<string, unknown> | undefined);
  const body = route.body === null ? undefined : utf8(JSON.stringify(input.body));
  const bodySha256 = body === undefined ? NO_BODY_SHA256 : nodeCrypto.sha256(body);
  const headers = {
    ...signatureHeaders(signing, { method: route.method, path, bodySha256 }),
    ...(body === undefined ? {} : { 'content-type': 'application/json' }),
  };
  if (input.signal?.aborted) throw canceled(input.signal.reason);
  const stream = await session.request(route.method, path, headers, {
    endStream: body === undefined,
  });
  const reply = await exchange(stream, { body, call });
  if (reply.status >= 400) throw problemOf(reply, signing.address);
  const parsed = route.reply.safeParse(parseJson(reply.text));
  if (parsed.success) return parsed.data;
  throw new AppError('INTERNAL', `the node's answer to ${name} is not what the contract says`, {
    hint: 'Compare the versions of both nodes with `helixmesh node show`.',
  });
}

interface Reply {
  readonly status: number;
  readonly error: string | undefined;
  readonly text: string;
}

interface Exchange {
  readonly body: Uint8Array | undefined;
  readonly call: RestCall;
}

function exchange(stream: ClientHttp2Stream, { body, call }: Exchange): Promise<Reply> {
  const { signal } = call.input;
  const { address } = call.signing;
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    let size = 0;
    let status = 0;
    let error: string | undefined;
    const end = (outcome: () => void) => {
      clearTimeout(timer);
      signal?.removeEventListener('abort', onAbort);
      outcome();
    };
    const fail = (thrown: unknown) => {
      end(() => reject(thrown instanceof AppError ? thrown : unreachable(address, thrown)));
      stream.destroy();
    };
    const onAbort = () => fail(canceled(signal?.reason));
    const timer = setTimeout(() => fail(undefined), CALL_MS_MAX);
    signal?.addEventListener('abort', onAbort);
    stream.once('response', (headers) => {
      status = headers[':status'] ?? 0;
      error = headers[ERROR_HEADER]?.toString();
    });
    stream.on('data', (chunk: Buffer) => {
      size += chunk.length;
      if (size > REPLY_BYTES_MAX) fail(new AppError('INTERNAL', 'the reply is too large'));
      else chunks.push(chunk);
    });
    stream.on('error', fail);
    stream.once('end', () => {
      if (status === 0) return fail(undefined);
      return end(() => resolve({ status, error, text: Buffer.concat(chunks).toString('utf8') }));
    });
    // After `end` this finds the promise settled.
    stream.once('close', () => fail(undefined));
    if (body !== undefined) stream.end(body);
  });
}

function problemOf({ status, error }: Reply, address: NodeAddress): AppError {
  const sent = sentError(error);
  if (sent !== undefined) return sent;
  // A node that stops answers so before our handlers see the request.
  if (status === HTTP_UNAVAILABLE) return unreachable(address, undefined);
  return new AppError('INTERNAL', `the node answered ${status}`);
}

const HTTP_UNAVAILABLE = 503;

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    // The schema refuses it.
    return undefined;
  }
}
