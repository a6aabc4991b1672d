/**
 * gRPC by ConnectRPC on the same server: each call is verified before its method begins, and each
 * failure leaves as a code and an AppError in the trailer.
 *
 * Of a call with one message the hash of that message is signed. A stream of messages is signed
 * without them: what binds them is in the first one, which a signed call has given out.
 */
import { constants, type Http2ServerRequest, type Http2ServerResponse } from 'node:http2';
import type { DescMethod, DescService } from '@bufbuild/protobuf';
import {
  Code,
  ConnectError,
  createConnectRouter,
  createContextKey,
  createContextValues,
  type HandlerContext,
  type Interceptor,
  type ServiceImpl,
  type StreamRequest,
  type UnaryRequest,
} from '@connectrpc/connect';
import type { UniversalHandler } from '@connectrpc/connect/protocol';
import { codeFromString } from '@connectrpc/connect/protocol-connect';
import {
  universalRequestFromNodeRequest,
  universalResponseToNodeResponse,
} from '@connectrpc/connect-node';
import { messageSha256, NO_BODY_SHA256 } from '@helixmesh/client/network';
import { AppError, ERROR_TABLE } from '@helixmesh/protocol';
import { ERROR_HEADER, encodeWireError } from '@helixmesh/protocol/sealing';
import type { FastifyInstance, FastifyRequest } from 'fastify';
import type { Logger } from '../node/logger.ts';
import type { Access } from './authenticate.ts';
import type { Caller } from './caller.ts';
import { MESSAGE_BYTES_MAX } from './limits.ts';
import { logFailure, outward } from './outward.ts';
import type { Requests } from './requests.ts';

/** By the local name of a method (`openPut`); one that is not named takes accounts and nodes. */
export type ServiceAccess<S extends DescService> = {
  readonly [M in keyof S['method']]?: Access;
};

export interface ServedService {
  readonly service: DescService;
  readonly implementation: Partial<ServiceImpl<DescService>>;
  readonly access: Readonly<Record<string, Access>>;
}

export interface GrpcOptions {
  readonly logger: Logger;
  readonly requests: Requests;
  readonly services: readonly ServedService[];
  /** Aborts when the listener has waited long enough for what it was answering. */
  readonly shutdown: AbortSignal;
}

const ANY_SIGNER: Access = { signedBy: 'account_or_node', scope: null };

const callerKey = createContextKey<Caller>({ kind: 'nobody' }, { description: 'caller' });
const requestKey = createContextKey<FastifyRequest | undefined>(undefined, {
  description: 'request',
});

/** Who sent the call that a method is answering. */
export function callerOf(context: HandlerContext): Caller {
  return context.values.get(callerKey);
}

export async function serveGrpc(server: FastifyInstance, options: GrpcOptions): Promise<void> {
  const router = createConnectRouter({
    connect: false,
    grpcWeb: false,
    readMaxBytes: MESSAGE_BYTES_MAX,
    writeMaxBytes: MESSAGE_BYTES_MAX,
    // What is sealed does not shrink, and a small message can unpack to a large one.
    acceptCompression: [],
    interceptors: [guarding(options)],
    shutdownSignal: options.shutdown,
  });
  for (const { service, implementation } of options.services) {
    router.service(service, implementation);
  }
  await server.register(async (scope) => {
    // REST's parser is not for gRPC, whose messages ConnectRPC reads itself.
    scope.removeAllContentTypeParsers();
    scope.addContentTypeParser(GRPC_CONTENT, (_request, _payload, done) => done(null, undefined));
    for (const handler of router.handlers) addHandler(scope, handler, options.logger);
  });
}

const GRPC_CONTENT = /^application\/grpc(\+proto)?$/;

/** As the plugin of ConnectRPC does it, but a peer that leaves is no error on the console. */
function addHandler(scope: FastifyInstance, handler: UniversalHandler, logger: Logger): void {
  scope.post(handler.requestPath, async (request, reply) => {
    reply.hijack();
    const raw = request.raw as unknown as Http2ServerRequest;
    const response = reply.raw as unknown as Http2ServerResponse;
    const values = createContextValues().set(requestKey, request);
    try {
      const call = universalRequestFromNodeRequest(raw, response, undefined, values);
      await universalResponseToNodeResponse(await handler(call), response);
    } catch (thrown) {
      const { code } = ConnectError.from(thrown);
      logger.debug({ route: handler.requestPath, code: Code[code] }, 'the peer left a call');
      raw.stream.close(constants.NGHTTP2_INTERNAL_ERROR);
    }
  });
}

function guarding(options: GrpcOptions): Interceptor {
  const access = new Map<DescMethod, Access>();
  for (const served of options.services) {
    for (const method of served.service.methods) {
      access.set(method, served.access[method.localName] ?? ANY_SIGNER);
    }
  }
  return (next) => async (request) => {
    const where = `${request.service.typeName}/${request.method.name}`;
    const fail = (thrown: unknown) => wireError(thrown, options.logger, where);
    try {
      const admitted = await admit(request, {
        requests: options.requests,
        access: access.get(request.method) ?? ANY_SIGNER,
      });
      const response = await next(admitted);
      if (!response.stream) return response;
      return { ...response, message: failing(response.message, fail) };
    } catch (thrown) {
      throw fail(thrown);
    }
  };
}

interface AdmitOptions {
  readonly requests: Requests;
  readonly access: Access;
}

/** The call with its caller known. */
async function admit<R extends UnaryRequest | StreamRequest>(
  call: R,
  { requests, access }: AdmitOptions,
): Promise<R> {
  const request = call.contextValues.get(requestKey);
  if (request === undefined) throw new AppError('INTERNAL', 'a call without its request');
  const enter = async (bodySha256: Uint8Array, comesAsStream = false) => {
    requests.arrived(request);
    call.contextValues.set(callerKey, await requests.admit(request, { bodySha256 }, access));
    if (comesAsStream) requests.arrived(request, true);
  };
  if (!call.stream) {
    await enter(hashOf(call.method, call.message));
    return call;
  }
  if (call.method.methodKind !== 'server_streaming') {
    await enter(NO_BODY_SHA256, true);
    return { ...call, message: untilEnd(call.message, call.signal) };
  }
  const messages = await takeOne(call.message);
  await enter(hashOf(call.method, messages[0]));
  return { ...call, message: iterate(messages) };
}

function hashOf(method: DescMethod, message: unknown): Uint8Array {
  const hash = message === undefined ? undefined : messageSha256(method.input, message as never);
  if (hash !== undefined) return hash;
  throw new AppError('USAGE', 'the message has fields that this node does not know', {
    hint: 'Compare the versions of both nodes with `helixmesh node show`.',
  });
}

/** The one message of a call; a second one is refused, and further ones are not read. */
async function takeOne<T>(messages: AsyncIterable<T>): Promise<readonly T[]> {
  const taken: T[] = [];
  for await (const message of messages) {
    taken.push(message);
    if (taken.length > 1) {
      throw new AppError('USAGE', 'this call takes one message', { hint: 'Send one message.' });
    }
  }
  return taken;
}

/** The messages of a stream that its sender has ended; one that was cut off throws after the last. */
async function* untilEnd<T>(messages: AsyncIterable<T>, signal: AbortSignal): AsyncGenerator<T> {
  yield* messages;
  // Node shows the end of a stream that was reset like that of a whole one.
  if (signal.aborted) throw new ConnectError('the sender has left', Code.Canceled);
}

async function* iterate<T>(items: readonly T[]): AsyncGenerator<T> {
  yield* items;
}

async function* failing<T>(
  messages: AsyncIterable<T>,
  fail: (thrown: unknown) => ConnectError,
): AsyncGenerator<T> {
  try {
    yield* messages;
  } catch (thrown) {
    throw fail(thrown);
  }
}

/** What ConnectRPC itself has refused (size, encoding, a peer that left) keeps its code. */
function wireError(thrown: unknown, logger: Logger, where: string): ConnectError {
  if (thrown instanceof ConnectError) return thrown;
  logFailure(logger, where, thrown);
  const error = outward(thrown);
  const code = codeFromString(ERROR_TABLE[error.code].grpc) ?? Code.Internal;
  return new ConnectError(error.message, code, { [ERROR_HEADER]: encodeWireError(error) });
}
