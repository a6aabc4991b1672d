/** A signing gRPC transport on a pinned connection, whose failures are AppErrors. */
import { Code, ConnectError, type Interceptor, type Transport } from '@connectrpc/connect';
import { createGrpcTransport } from '@connectrpc/connect-node';
import { AppError } from '@helixmesh/protocol';
import { ERROR_HEADER, type NodeAddress } from '@helixmesh/protocol/sealing';
import { CALL_MS_MAX, REPLY_BYTES_MAX } from './limits.ts';
import { authorityOf, canceled, type PinnedSession, unreachable } from './pinned-session.ts';
import { type SigningOptions, signatureHeaders } from './sign.ts';
import { messageSha256, NO_BODY_SHA256, sentError } from './wire.ts';

export function createSigningTransport(session: PinnedSession, options: SigningOptions): Transport {
  const { address } = options;
  const inner = createGrpcTransport({
    baseUrl: authorityOf(address),
    sessionManager: session,
    interceptors: [signing(options)],
    // What is sealed does not shrink, and a small message can unpack to a large one.
    acceptCompression: [],
    readMaxBytes: REPLY_BYTES_MAX,
    writeMaxBytes: REPLY_BYTES_MAX,
  });
  const fail = (thrown: unknown): never => {
    throw errorOf(thrown, address);
  };
  return {
    async unary(method, signal, timeoutMs, ...rest) {
      return inner.unary(method, signal, timeoutMs ?? CALL_MS_MAX, ...rest).catch(fail);
    },
    async stream(...call) {
      const response = await inner.stream(...call).catch(fail);
      return { ...response, message: withAppErrors(response.message, address) } as never;
    },
  };
}

function signing(options: SigningOptions): Interceptor {
  return (next) => async (request) => {
    const { pathname } = new URL(request.url);
    const sign = (bodySha256: Uint8Array) => {
      const facts = { method: request.requestMethod, path: pathname, bodySha256 };
      for (const [name, value] of Object.entries(signatureHeaders(options, facts))) {
        request.header.set(name, value);
      }
    };
    if (!request.stream) {
      sign(bodyOf(request.method.input, request.message));
      return next(request);
    }
    if (request.method.methodKind !== 'server_streaming') {
      sign(NO_BODY_SHA256);
      return next(request);
    }
    for await (const message of request.message) {
      // A call with a stream of answers takes one message.
      sign(bodyOf(request.method.input, message));
      return next({ ...request, message: iterate([message]) });
    }
    return next(request);
  };
}

const bodyOf: (...message: Parameters<typeof messageSha256>) => Uint8Array = (type, message) => {
  const hash = messageSha256(type, message);
  if (hash !== undefined) return hash;
  throw new AppError('USAGE', 'a message has fields that its type does not have', {
    hint: 'Build the message with `create` of the type that is sent.',
  });
};

async function* iterate<T>(items: readonly T[]): AsyncGenerator<T> {
  yield* items;
}

async function* withAppErrors<T>(
  messages: AsyncIterable<T>,
  address: NodeAddress,
): AsyncGenerator<T> {
  try {
    yield* messages;
  } catch (thrown) {
    throw errorOf(thrown, address);
  }
}

/** The node's own error; else what the gRPC code says of it. */
function errorOf(thrown: unknown, address: NodeAddress): AppError {
  for (let at: unknown = thrown; at instanceof Error; at = at.cause) {
    if (at instanceof AppError) return at;
  }
  const error = ConnectError.from(thrown);
  const sent = sentError(error.metadata.get(ERROR_HEADER));
  if (sent !== undefined) return sent;
  switch (error.code) {
    case Code.Canceled:
      return canceled(thrown);
    case Code.Unavailable:
    case Code.Aborted:
    case Code.DeadlineExceeded:
      return unreachable(address, thrown);
    case Code.ResourceExhausted:
      return new AppError('BUSY', 'the message is too large, or the node has no room for it', {
        hint: 'Try again later, or with less at once.',
        cause: thrown,
      });
    default:
      // What the caller's own messages threw has a cause; what the node sent has none.
      if (error.cause !== undefined) return AppError.from(error.cause);
      return new AppError('INTERNAL', `the node answered ${Code[error.code]}`, { cause: thrown });
  }
}
