/**
 * The applications of a node that belongs to a network: its roles, the port on which they are served,
 * and its membership at a coordinator. Roles add their routes and services to the listener when they
 * are made; it listens once they have started, so that nobody meets a node that is half there.
 */
import { join } from 'node:path';
import { AppError } from '@helixmesh/protocol';
import { nodeCrypto } from '@helixmesh/protocol/node';
import { formatNodeAddress, type NodeRole, parseNodeAddress } from '@helixmesh/protocol/sealing';
import { lackingForCanary, runCanary } from '../compute/canary.ts';
import { type Compute, createCompute } from '../compute/compute.ts';
import { createCoordinator } from '../coordination/coordinator.ts';
import { readZoneStatement } from '../coordination/profile.ts';
import { createVerification } from '../coordination/verification.ts';
import { createCustodian } from '../custody/custodian.ts';
import { openCustody } from '../custody/custody.ts';
import { loadIdentity, type NodeIdentity } from '../network/identity.ts';
import { createListener, type NetworkListener } from '../network/listener.ts';
import { createSeed } from '../seed/seed.ts';
import { createStorage } from '../storage/storage.ts';
import { type Application, OK, type Placed } from './application.ts';
import type { NodeConfig } from './config.ts';
import { assertMayListen, parseEndpoint } from './endpoint.ts';
import type { Ground } from './ground.ts';
import type { Jobs } from './jobs-application.ts';
import { ENCLOSURE_STOP_MS, LISTENER_STOP_MS } from './limits.ts';
import { createMember, type Member } from './member.ts';
import { type Network, readNetworkFile } from './network-file.ts';
import { servedAccounts } from './served-accounts.ts';
import { VERSION } from './version.ts';

export interface NetworkOptions {
  /** Null on a node that runs no jobs. */
  readonly jobs: Jobs | null;
  /** What the port answers to those who ask for the node's health. */
  readonly isHealthy: () => boolean;
  /** Gets what is to be closed when all applications have stopped. */
  readonly opened: AsyncDisposableStack;
}

export interface NetworkApplications {
  readonly placed: readonly Placed[];
  /** `node_…@host:port`; once the listener has started, with the port in use. */
  address(): string;
}

/** What roles are made of. */
export interface NetworkGround extends Ground, NetworkOptions {
  readonly identity: NodeIdentity;
  readonly network: Network;
  readonly listener: NetworkListener;
}

/** The application of each role but `compute`, which needs to know of the membership. */
const ROLE_MAKERS: Readonly<
  Record<Exclude<NodeRole, 'compute'>, (ground: NetworkGround) => Promise<Application>>
> = {
  storage: async ({ config, paths, identity, network, listener, logger, metrics }) => {
    const quota = { bytes: config.ownerBytes, objects: config.ownerObjects };
    const isServed = servedAccounts(config);
    return createStorage({
      ...{
        identity,
        listener,
        logger,
        roles: config.roles,
        quotaOf: (owner) => (isServed(owner) ? quota : undefined),
      },
      ...{ network: network.id, crypto: nodeCrypto, now: Date.now },
      folder: paths.vaultRoot,
      onSent: metrics.sent,
      zone: config.zone ?? undefined,
      zoneStatement: () => readZoneStatement(paths.dataDir),
    });
  },
  custodian: async ({ paths, identity, network, listener, logger, opened }) => {
    const common = { network: network.id, crypto: nodeCrypto, now: Date.now };
    const custody = await openCustody({ folder: paths.dataDir, ...common });
    opened.defer(custody.close);
    const { coordinators, attestedOperators: operators } = network.genesis;
    const trusted = { coordinators, operators };
    return createCustodian({ custody, identity, listener, ...trusted, logger, ...common });
  },
  coordinator: async ({ config, database, identity, network, listener, logger }) =>
    createCoordinator({
      ...{ database, identity, listener, logger, isServed: servedAccounts(config) },
      ...{ genesis: network.genesis, network: network.id, crypto: nodeCrypto, now: Date.now },
    }),
  seed: async ({ config, identity, network, listener, logger }) =>
    createSeed({
      ...{ identity, listener, logger, crypto: nodeCrypto, now: Date.now },
      ...{ genesis: network.genesis, network: network.id },
      // A coordinator that is a seed as well asks itself.
      coordinator: () =>
        config.coordinator === null
          ? reachedAt(config, listener)
          : parseNodeAddress(config.coordinator),
    }),
};

/** Throws CONFIG_INVALID for settings, an identity or a genesis document that do not fit. */
export async function createNetwork(
  ground: Ground,
  options: NetworkOptions,
): Promise<NetworkApplications> {
  const { config, paths, logger } = ground;
  const network = await readNetworkFile(paths.networkFile);
  const identity = await loadIdentity(paths.dataDir);
  assertFits(config, identity, network);
  const listen = parseEndpoint(config.listen ?? '', 'node.listen');
  assertMayListen(listen, config.listenPublic);
  const listener = createListener({
    identity,
    network: network.id,
    ...listen,
    crypto: nodeCrypto,
    now: Date.now,
    logger,
    isHealthy: options.isHealthy,
    onAnswered: ground.metrics.answered,
    requestsPerAddress: config.rateLimit,
    requestsPerKey: config.rateLimit,
  });
  listener.route('getNode', async () => ({
    nodeId: identity.nodeId,
    network: network.id,
    roles: config.roles,
    zone: config.zone,
    version: VERSION,
  }));
  const all: NetworkGround = { ...ground, ...options, identity, network, listener };
  const roles: Placed[] = [];
  for (const role of config.roles) {
    if (role === 'compute') continue;
    roles.push({ application: await ROLE_MAKERS[role](all), after: jobsOf(options) });
  }
  if (config.roles.includes('coordinator')) {
    roles.push({
      application: verificationOf(all),
      after: ['coordinator'],
      stopMs: ENCLOSURE_STOP_MS,
    });
  }
  let member: Member | null = null;
  const compute = computeOf(all, () => member?.isDraining ?? false);
  if (compute !== null) {
    const { application, drain } = compute;
    ground.metrics.watchCache(compute.cacheStats);
    roles.push({ application, after: jobsOf(options), drain, stopMs: ENCLOSURE_STOP_MS });
  }
  const after = [...jobsOf(options), ...roles.map(({ application }) => application.name)];
  member = await createMember({
    ...all,
    load: () => compute?.load() ?? { attempts: 0, cores: 0 },
    releasableBytes: () => compute?.cacheStats()?.keptBytes ?? 0,
    reachedAt: () => reachedAt(config, listener),
  });
  return {
    placed: [
      ...roles,
      { application: portOf(listener), after, stopMs: LISTENER_STOP_MS },
      ...(member === null ? [] : [member.placed]),
    ],
    address: () => formatNodeAddress(reachedAt(config, listener)),
  };
}

/** Null where the node takes nothing of others: without the role, or without a coordinator. */
function computeOf(ground: NetworkGround, isDraining: () => boolean): Compute | null {
  const { config, paths, identity, network, listener, logger } = ground;
  if (!config.roles.includes('compute') || config.coordinator === null) return null;
  return createCompute({
    ...{ identity, listener, logger, isDraining },
    ...{ network: network.id, crypto: nodeCrypto, now: Date.now },
    folder: paths.computeRoot,
    coordinator: parseNodeAddress(config.coordinator),
    referenceRoot: paths.referenceRoot,
    cores: config.cores,
    limitsFactor: config.limitsFactor,
    cacheFolder: paths.bodyCache,
    cacheBytes: config.cacheBytes,
    operator: config.operator,
  });
}

function verificationOf(ground: NetworkGround): Application {
  const { config, paths, database, network, listener, logger } = ground;
  const common = { network: network.id, crypto: nodeCrypto };
  const { cores, limitsFactor } = config;
  const folder = join(paths.computeRoot, 'expected');
  return createVerification({
    ...{ ...common, database, listener, logger, now: Date.now, lacking: lackingForCanary },
    analyse: (genome, signal) =>
      runCanary({ ...common, genome, folder, config: { cores, limitsFactor }, signal }),
  });
}

function portOf(listener: NetworkListener): Application {
  return { name: 'listener', start: listener.listen, stop: listener.close, health: () => OK };
}

function jobsOf({ jobs }: NetworkOptions): readonly string[] {
  return jobs === null ? [] : [jobs.placed.application.name];
}

/** What others dial. */
function reachedAt({ endpoint }: NodeConfig, { address }: NetworkListener) {
  return endpoint === null ? address : { ...address, ...parseEndpoint(endpoint, 'node.endpoint') };
}

function assertFits({ roles, nodeId }: NodeConfig, identity: NodeIdentity, network: Network): void {
  if (nodeId !== null && nodeId !== identity.nodeId) {
    throw new AppError('CONFIG_INVALID', `node.id is not that of the key: ${identity.nodeId}`, {
      hint: 'Put the right identity folder back, or correct node.id.',
    });
  }
  if (roles.includes('coordinator') && !network.genesis.coordinators.includes(identity.nodeId)) {
    throw new AppError('CONFIG_INVALID', 'the network does not name this node as coordinator', {
      hint: 'Found a network with `helixmesh init --role coordinator --network-name NAME`.',
    });
  }
}
