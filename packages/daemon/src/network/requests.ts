/**
 * What both contracts do with a request: the time that it may take to arrive, whose it is, and how
 * many of them one may send.
 */
import { constants, type Http2Session, type ServerHttp2Stream } from 'node:http2';
import type { TLSSocket } from 'node:tls';
import { keyOfCertificate } from '@helixmesh/client/network';
import { AppError } from '@helixmesh/protocol';
import { SESSION_HEADER, type SessionToken } from '@helixmesh/protocol/sealing';
import type { FastifyInstance, FastifyRequest } from 'fastify';
import type { Access, Authenticate, RequestHead } from './authenticate.ts';
import type { Caller } from './caller.ts';
import {
  CONNECTION_WINDOW_BYTES,
  RECEIVE_MS_MAX,
  REQUESTS_WINDOW_MS,
  STREAM_IDLE_MS_MAX,
} from './limits.ts';

export interface Requests {
  /** Begins to watch the time, and ends the stream when it is over or the answer is out. */
  began(request: FastifyRequest): void;
  /**
   * The body is here, or comes as a stream. Who takes a stream watches its sender, and may itself be
   * busy for longer than a peer may be idle.
   */
  arrived(request: FastifyRequest, comesAsStream?: boolean): void;
  /** Who sent it. Throws UNAUTHENTICATED, ACCESS_REFUSED or BUSY. */
  admit(request: FastifyRequest, signed: SignedPart, access: Access): Promise<Caller>;
}

export interface SignedPart {
  /** Of the bytes that the proof is over. */
  readonly bodySha256: Uint8Array;
  /** Where the body holds what is in the headers otherwise. */
  readonly token?: SessionToken | undefined;
}

export interface RequestsOptions {
  readonly authenticate: Authenticate;
  readonly requestsPerKey: number;
}

export function makeRequests(
  server: FastifyInstance,
  { authenticate, requestsPerKey }: RequestsOptions,
): Requests {
  const timers = new WeakMap<FastifyRequest, NodeJS.Timeout>();
  const callers = new WeakMap<FastifyRequest, string>();
  const widened = new WeakSet<Http2Session>();
  const count = server.createRateLimit({
    max: requestsPerKey,
    timeWindow: REQUESTS_WINDOW_MS,
    keyGenerator: (request) => callers.get(request) ?? '',
  });
  return {
    began(request) {
      const stream = streamOf(request);
      const cancel = () => stream.close(constants.NGHTTP2_CANCEL);
      stream.setTimeout(STREAM_IDLE_MS_MAX, cancel);
      const timer = setTimeout(cancel, RECEIVE_MS_MAX);
      timers.set(request, timer);
      stream.once('close', () => clearTimeout(timer));
      // After the answer and its trailers: a body that nobody has read would keep the stream open, and
      // RFC 9113 §8.1 has this reset for it.
      stream.once('wantTrailers', () => {
        setImmediate(() => {
          if (stream.readableEnded) return;
          stream.close(constants.NGHTTP2_NO_ERROR);
          // Without this Node waits for somebody to read the rest.
          stream.destroy();
        });
      });
    },
    arrived(request, comesAsStream = false) {
      clearTimeout(timers.get(request));
      if (comesAsStream) streamOf(request).setTimeout(0);
    },
    async admit(request, { bodySha256, token }, access) {
      const head = { ...headOf(request), ...token };
      const caller = authenticate(head, bodySha256, access);
      if (caller.kind === 'nobody') return caller;
      // Sessions are free to make, so the account is counted, and only after it has signed.
      callers.set(request, caller.kind === 'account' ? caller.account : caller.nodeId);
      const outcome = await count(request);
      if (!outcome.isAllowed && outcome.isExceeded) throw tooMany(outcome.ttlInSeconds);
      widen(widened, streamOf(request).session);
      return caller;
    },
  };
}

/** Lets a connection send ahead, once. */
function widen(widened: WeakSet<Http2Session>, session: Http2Session | undefined): void {
  if (session === undefined || session.destroyed || widened.has(session)) return;
  widened.add(session);
  session.setLocalWindowSize(CONNECTION_WINDOW_BYTES);
}

export function tooMany(afterSeconds: number): AppError {
  return new AppError('BUSY', 'too many requests in a minute', {
    hint: `Try again in ${afterSeconds} seconds.`,
  });
}

function headOf(request: FastifyRequest): RequestHead {
  return {
    method: request.method,
    path: request.raw.url ?? '',
    authorization: request.headers.authorization,
    session: request.headers[SESSION_HEADER]?.toString(),
    certificateKey: certificateKeyOf(request),
  };
}

/** The key that the client has shown in the handshake, which proves that it holds it. */
function certificateKeyOf(request: FastifyRequest): Uint8Array | undefined {
  const socket = streamOf(request).session?.socket as TLSSocket | undefined;
  const certificate = socket?.getPeerX509Certificate();
  return certificate && keyOfCertificate(certificate);
}

function streamOf(request: FastifyRequest): ServerHttp2Stream {
  return (request.raw as unknown as { readonly stream: ServerHttp2Stream }).stream;
}
