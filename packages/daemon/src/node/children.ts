/** What the root supervisor of a node keeps alive beside the pools. */
import { mkdir } from 'node:fs/promises';
import { serveHandlers } from '../restate/handlers.ts';
import {
  addressesUnder,
  type EngineAddresses,
  identityPublicKey,
  startRestateServer,
} from '../restate/server.ts';
import type { ChildSpec } from '../supervision/index.ts';
import type { NodeConfig } from './config.ts';

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
