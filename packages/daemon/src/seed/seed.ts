/**
 * The role seed: newcomers who know this node's address get the genesis document of its network, and a
 * list of nodes that it has from its coordinator, signed with its key (`getSeed`).
 *
 * S1  It answers from its first moment on: the genesis document needs nobody, and what a coordinator
 *     has said last is told for as long as that does not answer.
 * S2  Custodians are not listed: they are people's own processes.
 *
 * It holds no data and no rights: who asks checks all of it (`packages/protocol/src/network/seed.ts`).
 */
import { setTimeout as delay } from 'node:timers/promises';
import { openChannel } from '@helixmesh/client/network';
import { AppError, type Digest } from '@helixmesh/protocol';
import {
  type Crypto,
  encodeDocument,
  formatNodeAddress,
  type Genesis,
  LISTED_ROLES,
  NODE_LIST_TYPE,
  type NodeAddress,
  type NodeList,
  type NodeView,
  nodeAddressTextSchema,
  SEED_NODES_MAX,
  type SeedReply,
  signWithKey,
  toBase64,
} from '@helixmesh/protocol/sealing';
import type { NodeIdentity } from '../network/identity.ts';
import type { NetworkListener } from '../network/listener.ts';
import type { Application, ApplicationHealth } from '../node/application.ts';
import type { Logger } from '../node/logger.ts';
import { ASK_MS, ASK_MS_MAX, HEARD_MS_MAX } from './limits.ts';

export interface SeedOptions {
  readonly identity: NodeIdentity;
  readonly genesis: Genesis;
  readonly network: Digest;
  /** Whom it asks for nodes; once the listener has started, with the port in use. */
  readonly coordinator: () => NodeAddress;
  readonly listener: Pick<NetworkListener, 'route'>;
  readonly crypto: Crypto;
  /** Milliseconds since 1970. */
  readonly now: () => number;
  readonly logger: Logger;
  /** Between two questions, ms. */
  readonly askMs?: number;
}

/** Adds its route to the listener at once. */
export function createSeed(options: SeedOptions): Application {
  const { listener, now, askMs = ASK_MS } = options;
  const stopping = new AbortController();
  let asking: Promise<void> | null = null;
  let heardAtMs = 0;
  let reply: SeedReply | null = null;

  async function keepAsking(): Promise<void> {
    while (!stopping.signal.aborted) {
      const nodes = await heardFrom(options, stopping.signal);
      if (nodes !== null) {
        heardAtMs = now();
        reply = replyOf(options, nodes, heardAtMs);
      }
      await delay(askMs, undefined, { signal: stopping.signal }).catch(() => undefined);
    }
  }

  listener.route('getSeed', async () => {
    reply ??= replyOf(options, [], heardAtMs);
    return reply;
  });
  return {
    name: 'seed',
    async start() {
      asking ??= keepAsking();
    },
    async stop() {
      stopping.abort();
      await asking;
    },
    health(): ApplicationHealth {
      const isHeard = now() - heardAtMs <= HEARD_MS_MAX;
      return isHeard ? { status: 'ok' } : { status: 'degraded', why: 'no coordinator answers' };
    },
  };
}

/** Null where the coordinator does not answer (S1). */
async function heardFrom(
  { identity, network, coordinator, logger }: SeedOptions,
  stopping: AbortSignal,
): Promise<NodeList['nodes'] | null> {
  const { secretKey } = identity.signingKey;
  const address = coordinator();
  const channel = openChannel({ address, network, signer: { secretKey }, certificate: identity });
  try {
    const signal = AbortSignal.any([stopping, AbortSignal.timeout(ASK_MS_MAX)]);
    return listed(await channel.call('listNodes', { params: {}, signal }));
  } catch (thrown) {
    if (!stopping.aborted) logger.info({ code: AppError.from(thrown).code }, 'no list of nodes');
    return null;
  } finally {
    channel.close();
  }
}

function replyOf(options: SeedOptions, nodes: NodeList['nodes'], heardAtMs: number): SeedReply {
  const { identity, genesis, network, crypto, coordinator } = options;
  const isNamed = (address: string) =>
    genesis.coordinators.some((nodeId) => address.startsWith(`${nodeId}@`));
  const known = nodes.map(({ address }) => address).filter(isNamed);
  const document: NodeList = {
    type: NODE_LIST_TYPE,
    network,
    nodeId: identity.nodeId,
    coordinators: [...new Set([formatNodeAddress(coordinator()), ...known])].filter(isNamed),
    nodes,
    heardAtMs,
  };
  const list = signWithKey(crypto, identity.signingKey.secretKey, document);
  return {
    genesis: toBase64(encodeDocument(genesis)),
    nodes: toBase64(encodeDocument(list)),
  };
}

/** Nodes that were heard of lately, verified ones first (S2). */
function listed(views: readonly NodeView[]): NodeList['nodes'] {
  return views
    .filter(({ liveness }) => liveness !== 'offline')
    .toSorted((a, b) => b.zones.length - a.zones.length)
    .flatMap(({ nodeId, endpoint, services, zones }) => {
      const roles = LISTED_ROLES.filter((role) => services.includes(role));
      const { hostname, port } = new URL(endpoint);
      const address = nodeAddressTextSchema.safeParse(
        `${nodeId}@${hostname}:${port || HTTPS_PORT}`,
      );
      return address.success && roles.length > 0 ? [{ address: address.data, roles, zones }] : [];
    })
    .slice(0, SEED_NODES_MAX);
}

const HTTPS_PORT = 443;
