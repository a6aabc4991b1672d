/** What the root supervisor of a node keeps alive beside the pools. */
import { mkdir } from 'node:fs/promises';
import { AppError } from '@helixmesh/protocol';
import type { Dispatcher } from '../jobs/dispatch.ts';
import { serveHandlers } from '../restate/handlers.ts';
import {
  addressesUnder,
  type EngineAddresses,
  identityPublicKey,
  startRestateServer,
} from '../restate/server.ts';
import type { ChildSpec } from '../supervision/index.ts';
import type { NodeConfig } from './config.ts';
import type { Logger } from './logger.ts';

export interface Engine extends EngineAddresses {
  /** Null for an engine of the user's own, which is not ours to start. */
  readonly child: ChildSpec | null;
  /** The public key with which it signs its calls; null trusts the network. */
  readonly identityKey: () => Promise<string | null>;
}

export function engineOf(config: NodeConfig, restateDir: string): Engine {
  const { restateIngressUrl: ingress, restateAdminUrl: admin, restateIdentityKey: key } = config;
  if (ingress !== null && admin !== null) {
    return { child: null, ingress, admin, identityKey: async () => key };
  }
  return {
    child: { name: 'restate', start: () => startRestateServer(restateDir) },
    ...addressesUnder(restateDir),
    identityKey: () => identityPublicKey(restateDir),
  };
}

/** What the engine calls. */
export function handlersChild({
  services,
  stateDir,
  engine,
}: {
  services: Parameters<typeof serveHandlers>[0]['services'];
  stateDir: string;
  engine: Engine;
}): ChildSpec {
  return {
    name: 'handlers',
    start: async () => {
      await mkdir(stateDir, { recursive: true, mode: 0o700 });
      const { admin } = engine;
      const identityKey = await engine.identityKey();
      const endpoint = await serveHandlers({ services, stateDir, admin, identityKey });
      return { exited: endpoint.closed, stop: endpoint.close };
    },
  };
}

/** How often SQL is compared with the engine (formats.md). */
const RECONCILE_INTERVAL_MS = 60_000;

export function reconcilerChild(dispatcher: Dispatcher, logger: Logger): ChildSpec {
  return {
    name: 'reconciler',
    start: async () => {
      const { promise: exited, resolve } = Promise.withResolvers<void>();
      const tick = () =>
        dispatcher.reconcile().catch((error) => {
          // The engine is down; its supervisor restarts it and the next turn looks again.
          logger.warn({ code: AppError.from(error).code }, 'reconciling postponed');
        });
      await tick();
      const timer = setInterval(tick, RECONCILE_INTERVAL_MS);
      return {
        exited,
        stop: async () => {
          clearInterval(timer);
          resolve();
        },
      };
    },
  };
}
