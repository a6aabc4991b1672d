/** The HTTP/2 server under a listener: TLS, limits on connections and requests, health, its end. */
import type { Http2SecureServer } from 'node:http2';
import type { AddressInfo, Socket } from 'node:net';
import rateLimit, { normalizeIP } from '@fastify/rate-limit';
import { AppError } from '@helixmesh/protocol';
import Fastify, { type FastifyInstance } from 'fastify';
import { makeAuthenticate } from './authenticate.ts';
import { type ServedService, serveGrpc } from './grpc.ts';
import { healthOf, serveHealth } from './health.ts';
import {
  CLOSE_GRACE_MS,
  CONNECTION_IDLE_MS_MAX,
  CONNECTIONS_MAX,
  CONNECTIONS_PER_ADDRESS_MAX,
  COUNTED_CALLERS_MAX,
  HANDSHAKE_MS_MAX,
  HEADER_LIST_BYTES_MAX,
  HEADER_PAIRS_MAX,
  MESSAGE_BYTES_MAX,
  REQUESTS_WINDOW_MS,
  STREAM_WINDOW_BYTES,
  STREAMS_PER_CONNECTION_MAX,
} from './limits.ts';
import type { ListenerOptions } from './options.ts';
import { makeRequests, tooMany } from './requests.ts';
import { type RouteHandlers, serveRest } from './rest.ts';

export interface ServerOptions extends Required<ListenerOptions> {
  readonly handlers: RouteHandlers;
  readonly services: readonly ServedService[];
}

export interface RunningServer {
  readonly port: number;
  close(): Promise<void>;
}

export async function startServer(options: ServerOptions): Promise<RunningServer> {
  const server = makeServer(options);
  const sockets = watchConnections(server.server as unknown as Http2SecureServer);
  const shutdown = new AbortController();
  await addRoutes(server, options, shutdown.signal);
  try {
    await server.listen({ host: options.host, port: options.port });
  } catch (cause) {
    await server.close();
    throw new AppError('CONFIG_INVALID', `cannot listen on ${options.host}:${options.port}`, {
      hint: 'Set another one as node.listen, or stop what uses this one.',
      cause,
    });
  }
  return {
    port: (server.server.address() as AddressInfo).port,
    async close() {
      // Calls that end with an error can say so; what is left after that is cut.
      const warn = setTimeout(() => shutdown.abort(stopping()), CLOSE_GRACE_MS / 2);
      const cut = setTimeout(() => {
        for (const socket of sockets) socket.destroy();
      }, CLOSE_GRACE_MS);
      await server.close();
      clearTimeout(warn);
      clearTimeout(cut);
    },
  };
}

function makeServer({ identity }: ServerOptions): FastifyInstance {
  const server = Fastify({
    http2: true,
    https: {
      allowHTTP1: false,
      minVersion: 'TLSv1.3',
      cert: identity.certificatePem,
      key: identity.privateKeyPem,
      // Asked for, and compared with the signature of the request where a node signs.
      requestCert: true,
      rejectUnauthorized: false,
      handshakeTimeout: HANDSHAKE_MS_MAX,
      maxHeaderListPairs: HEADER_PAIRS_MAX,
      settings: {
        enablePush: false,
        maxConcurrentStreams: STREAMS_PER_CONNECTION_MAX,
        maxHeaderListSize: HEADER_LIST_BYTES_MAX,
        initialWindowSize: STREAM_WINDOW_BYTES,
      },
    },
    http2SessionTimeout: CONNECTION_IDLE_MS_MAX,
    bodyLimit: MESSAGE_BYTES_MAX,
    exposeHeadRoutes: false,
  });
  return server as unknown as FastifyInstance;
}

async function addRoutes(
  server: FastifyInstance,
  options: ServerOptions,
  shutdown: AbortSignal,
): Promise<void> {
  const { crypto, network, now, logger, identity } = options;
  await server.register(rateLimit, {
    max: options.requestsPerAddress,
    timeWindow: REQUESTS_WINDOW_MS,
    cache: COUNTED_CALLERS_MAX,
    // A peer that has left has no address any more.
    keyGenerator: ({ ip }) => (ip === undefined ? '' : normalizeIP(ip)),
    errorResponseBuilder: (_request, { ttl }) => tooMany(Math.ceil(ttl / 1000)),
    addHeadersOnExceeding: NO_HEADERS,
    addHeaders: { ...NO_HEADERS, 'retry-after': true },
  });
  const authenticate = makeAuthenticate({ crypto, network, now, nodeId: identity.nodeId });
  const { requestsPerKey } = options;
  const requests = makeRequests(server, { authenticate, requestsPerKey });
  server.addHook('onRequest', async (request) => requests.began(request));
  server.addHook('onResponse', async ({ routeOptions }, reply) => {
    options.onAnswered({
      route: routeOptions.url ?? 'unknown',
      status: reply.statusCode,
      seconds: reply.elapsedTime / 1_000,
    });
  });
  serveRest(server, { crypto, logger, requests, handlers: options.handlers });
  serveHealth(server, options.isHealthy);
  const described = options.services.map(({ service }) => service);
  const services = [...options.services, healthOf(described, options.isHealthy)];
  await serveGrpc(server, { logger, requests, services, shutdown });
}

/** The plugin's headers tell strangers nothing that they need. */
const NO_HEADERS = {
  'x-ratelimit-limit': false,
  'x-ratelimit-remaining': false,
  'x-ratelimit-reset': false,
};

/** Limits the connections, and returns those that are open. */
function watchConnections(server: Http2SecureServer): ReadonlySet<Socket> {
  const sockets = new Set<Socket>();
  const countByAddress = new Map<string, number>();
  server.maxConnections = CONNECTIONS_MAX;
  // Who does not speak HTTP/2 gets no answer: it could hold the connection by not reading that.
  server.on('unknownProtocol', (socket: Socket) => socket.destroy());
  server.on('connection', (socket: Socket) => {
    const address = normalizeIP(socket.remoteAddress ?? '');
    const count = (countByAddress.get(address) ?? 0) + 1;
    if (count > CONNECTIONS_PER_ADDRESS_MAX) {
      socket.destroy();
      return;
    }
    countByAddress.set(address, count);
    sockets.add(socket);
    socket.once('close', () => {
      sockets.delete(socket);
      const left = (countByAddress.get(address) ?? 1) - 1;
      if (left === 0) countByAddress.delete(address);
      else countByAddress.set(address, left);
    });
  });
  return sockets;
}

function stopping(): AppError {
  return new AppError('PEER_UNREACHABLE', 'the node is stopping', {
    hint: 'Try again when it is back, or ask another node.',
  });
}
