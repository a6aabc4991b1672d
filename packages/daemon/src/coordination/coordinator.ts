/**
 * The coordinator's registry as an application: nodes register and beat, whoever belongs to the
 * network may look at the list, and a node may take itself out of it for a while.
 *
 * A node speaks for itself alone: registration, heartbeat and drain are refused when the key that
 * signed the request is not the one of the node that they are about.
 *
 * With it go the routes and loops of work on the network (`tasks/`).
 *
 * What it does not do: verify nodes (`verification.ts`), measure round trips.
 */
import { AppError, type Digest, type NodeId, parseNodeId } from '@helixmesh/protocol';
import { type Crypto, fromBase64, type Genesis, type NodeView } from '@helixmesh/protocol/sealing';
import { compareIds, parseHeartbeat, parseRegistration } from '@helixmesh/scheduler';
import { type Caller, nodeOf } from '../network/caller.ts';
import type { NodeIdentity } from '../network/identity.ts';
import type { NetworkListener } from '../network/listener.ts';
import type { Application } from '../node/application.ts';
import type { Logger } from '../node/logger.ts';
import type { Database } from '../sql/database.ts';
import { canaryReasons } from './canaries.ts';
import { LIST_BYTES_MAX, NODES_MAX } from './limits.ts';
import { createNodeRegistry } from './node-registry.ts';
import { type NodeRow, viewOf } from './node-rows.ts';
import { createCoordinatorTasks } from './tasks/coordinator-tasks.ts';

export interface CoordinatorOptions {
  /** Of the data folder, with its schema up to date. */
  readonly database: Database;
  readonly identity: NodeIdentity;
  readonly genesis: Genesis;
  readonly network: Digest;
  /** Takes the routes; whoever made it lets it listen. */
  readonly listener: NetworkListener;
  readonly crypto: Crypto;
  /** Milliseconds since 1970. */
  readonly now: () => number;
  readonly logger: Logger;
  /** Pause between two rounds of placing, ms. */
  readonly roundMs?: number;
  readonly nodesMax?: number;
  /** Whose jobs are taken; by default anybody's. */
  readonly isServed?: (account: string) => boolean;
  readonly listBytesMax?: number;
}

/** Adds its routes to the listener at once. Its start throws CONFIG_INVALID for a node that is none. */
export function createCoordinator(options: CoordinatorOptions): Application {
  const { database, identity, genesis, network, listener, crypto, now, logger } = options;
  const { nodesMax = NODES_MAX, listBytesMax = LIST_BYTES_MAX } = options;
  const attestedOperators = new Set(genesis.attestedOperators);
  const registry = createNodeRegistry({ database, network, crypto, nodesMax, attestedOperators });
  const viewer = async () => {
    const options = { attestedOperators, reasons: await canaryReasons(database), nowMs: now() };
    return (row: NodeRow): NodeView => viewOf(row, options);
  };

  listener.route('registerNode', async ({ body }, caller) => {
    const signed = parseRegistration(fromBase64(body.registration, 'a registration'));
    const { nodeId } = signed.document;
    requireSelf(caller, nodeId);
    const row = await registry.register(signed, now());
    const registered = (await viewer())(row);
    const { admission, tier, zones } = registered;
    logger.info({ nodeId, admission, tier, zones }, 'node registered');
    return registered;
  });

  listener.route('heartbeat', async ({ body }, caller) => {
    const heartbeat = parseHeartbeat(fromBase64(body.heartbeat, 'a heartbeat'));
    requireSelf(caller, heartbeat.nodeId);
    const row = await registry.beat(heartbeat, now());
    const { admission, liveness } = (await viewer())(row);
    return { admission, liveness };
  });

  listener.route('listNodes', async () => {
    const rows = await registry.list();
    const nodes = fitting(rows, await viewer(), listBytesMax);
    if (nodes.length < rows.length) {
      logger.warn({ nodes: rows.length, listed: nodes.length }, 'not all nodes fit the list');
    }
    return nodes;
  });

  const drain = async (atMs: number | null, nodeId: NodeId, caller: Caller) => {
    requireSelf(caller, nodeId);
    logger.info({ nodeId, isDraining: atMs !== null }, 'node asked for its drain');
    const row = await registry.setDraining(nodeId, atMs);
    return (await viewer())(row);
  };
  listener.route('drainNode', ({ params }, caller) =>
    drain(now(), parseNodeId(params.nodeId), caller),
  );
  listener.route('resumeNode', ({ params }, caller) =>
    drain(null, parseNodeId(params.nodeId), caller),
  );

  const tasks = createCoordinatorTasks(options);
  return {
    name: 'coordinator',
    async start() {
      if (!genesis.coordinators.includes(identity.nodeId)) {
        throw new AppError('CONFIG_INVALID', 'this node is no coordinator of the network', {
          hint: 'Take the role coordinator away, or found a network with this node.',
        });
      }
      await tasks.start();
    },
    stop: tasks.stop,
    health: tasks.health,
  };
}

/**
 * The views that fit a reply, in the order of the ids. Verified nodes come before strangers, who could
 * else fill the list with registrations as long as may be.
 */
function fitting(
  rows: readonly NodeRow[],
  view: (row: NodeRow) => NodeView,
  bytesMax: number,
): NodeView[] {
  const nodes: NodeView[] = [];
  let bytes = 0;
  for (const row of rows.toSorted((a, b) => Number(!a.verified) - Number(!b.verified))) {
    const node = view(row);
    bytes += Buffer.byteLength(JSON.stringify(node)) + 1;
    if (bytes > bytesMax) break;
    nodes.push(node);
  }
  return nodes.sort((a, b) => compareIds(a.nodeId, b.nodeId));
}

/** Throws UNAUTHENTICATED for what is no node, ACCESS_REFUSED for another one. */
function requireSelf(caller: Caller, nodeId: NodeId): void {
  if (nodeOf(caller).nodeId === nodeId) return;
  throw new AppError('ACCESS_REFUSED', 'a node speaks for itself alone', {
    hint: 'Send the request from the node that it is about.',
  });
}
