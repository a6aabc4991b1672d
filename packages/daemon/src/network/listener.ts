/**
 * The node's port: REST and gRPC over HTTP/2 with TLS 1.3, for peers that know this node's key.
 *
 * Invariants
 * L1  TLS 1.3 and HTTP/2 or nothing. Client certificates are asked for, never demanded; no authority
 *     signs any.
 * L2  A handler sees a request after its signature, its time, its nonce and its caller's scope were
 *     verified (`authenticate.ts`), and only once.
 * L3  Everything that a peer can send or hold has a limit (`limits.ts`).
 *
 * Left out: what the caller may do with which object, which the roles know.
 */
import type { DescService } from '@bufbuild/protobuf';
import type { HandlerContext, ServiceImpl } from '@connectrpc/connect';
import { AppError } from '@helixmesh/protocol';
import type { NetworkRouteName, NodeAddress } from '@helixmesh/protocol/sealing';
import type { Caller } from './caller.ts';
import { callerOf, type ServedService, type ServiceAccess } from './grpc.ts';
import { REQUESTS_PER_ADDRESS_MAX, REQUESTS_PER_KEY_MAX } from './limits.ts';
import type { ListenerOptions } from './options.ts';
import type { RouteHandler, RouteHandlers } from './rest.ts';
import { type RunningServer, startServer } from './server.ts';

export interface NetworkListener {
  /** Serves one route. Before `listen`. */
  route<N extends NetworkRouteName>(name: N, handler: RouteHandler<N>): void;
  /** Serves a gRPC service; `access` says whom each method lets in. Before `listen`. */
  service<S extends DescService>(
    service: S,
    implementation: Partial<ServiceImpl<S>>,
    access?: ServiceAccess<S>,
  ): void;
  /** Who sent the call that a method of a service is answering. */
  callerOf(context: HandlerContext): Caller;
  /** Resolves when the port takes connections. Throws CONFIG_INVALID where it cannot be had. */
  listen(): Promise<void>;
  /** Takes no more requests, lets those that run end within some seconds, and closes the port. */
  close(): Promise<void>;
  /** The node, the host as configured, and the port: after `listen` the one in use. */
  readonly address: NodeAddress;
}

export function createListener(options: ListenerOptions): NetworkListener {
  const { identity, host } = options;
  const handlers: { -readonly [N in NetworkRouteName]?: RouteHandler<N> } = {};
  const services: ServedService[] = [];
  let starting: Promise<RunningServer> | undefined;
  let port = options.port;

  function assertNotListening(): void {
    if (starting !== undefined) {
      throw new AppError('INTERNAL', 'a listener got a route or service after listen');
    }
  }

  return {
    route(name, handler) {
      assertNotListening();
      (handlers as Record<NetworkRouteName, unknown>)[name] = handler;
    },
    service(service, implementation, access = {}) {
      assertNotListening();
      const served = { service, implementation, access } as unknown as ServedService;
      services.push(served);
    },
    callerOf,
    async listen() {
      assertNotListening();
      starting = startServer({
        ...options,
        handlers: handlers as RouteHandlers,
        services,
        isHealthy: options.isHealthy ?? (() => true),
        onAnswered: options.onAnswered ?? (() => undefined),
        requestsPerAddress: options.requestsPerAddress ?? REQUESTS_PER_ADDRESS_MAX,
        requestsPerKey: options.requestsPerKey ?? REQUESTS_PER_KEY_MAX,
      });
      port = (await starting).port;
    },
    async close() {
      // A server that did not start has nothing to close.
      const running = await starting?.catch(() => undefined);
      await running?.close();
    },
    get address() {
      return { nodeId: identity.nodeId, host, port };
    },
  };
}
