/** A node's membership at its coordinator, made of its settings and of what it measures. */
import { listReferences } from '@helixmesh/pipelines';
import { nodeCrypto } from '@helixmesh/protocol/node';
import { type NodeAddress, parseNodeAddress } from '@helixmesh/protocol/sealing';
import { referenceService, SERVICES_MAX } from '@helixmesh/scheduler';
import { createMembership } from '../coordination/membership.ts';
import { profileOf, readZoneStatement } from '../coordination/profile.ts';
import type { NodeIdentity } from '../network/identity.ts';
import type { Placed } from './application.ts';
import type { Ground } from './ground.ts';
import { measureFree, measureHardware } from './hardware.ts';
import type { Jobs, Load } from './jobs-application.ts';
import type { Network } from './network-file.ts';

export interface MemberOptions extends Pick<Ground, 'config' | 'paths' | 'logger'> {
  readonly identity: NodeIdentity;
  readonly network: Network;
  readonly jobs: Jobs | null;
  /** What attempts of others take of the machine now. */
  readonly load: () => Load;
  /** Of the disk: what is let go of when an attempt needs it. */
  readonly releasableBytes: () => number;
  /** What others dial, once the listener has started. */
  readonly reachedAt: () => NodeAddress;
}

export interface Member {
  readonly placed: Placed;
  readonly isDraining: boolean;
}

/** Null where the settings name no coordinator. Throws CONFIG_INVALID for a bad zone statement. */
export async function createMember(options: MemberOptions): Promise<Member | null> {
  const { config, paths, logger, identity, network, jobs, reachedAt, releasableBytes } = options;
  if (config.coordinator === null) return null;
  const machine = { cores: config.cores, dataDir: paths.dataDir };
  const load = () => {
    const [own, others] = [jobs?.load() ?? NO_LOAD, options.load()];
    return { attempts: own.attempts + others.attempts, cores: own.cores + others.cores };
  };
  // A file that holds something else is told before the node is up; later it is looked at again.
  await readZoneStatement(paths.dataDir);
  const membership = createMembership({
    identity,
    network: network.id,
    coordinator: parseNodeAddress(config.coordinator),
    profile: async () => {
      const zoneStatement = await readZoneStatement(paths.dataDir);
      const profile = profileOf(config, { endpoint: reachedAt(), zoneStatement });
      return { ...profile, services: await servicesOf(options) };
    },
    measure: {
      hardware: () => measureHardware(machine),
      free: () => measureFree(machine, load().cores, releasableBytes()),
      runningAttempts: () => load().attempts,
    },
    crypto: nodeCrypto,
    now: Date.now,
    logger,
  });
  return {
    placed: { application: membership, after: ['listener'], drain: membership.drain },
    get isDraining() {
      return membership.isDraining;
    },
  };
}

const NO_LOAD: Load = { attempts: 0, cores: 0 };

/** Roles and pipelines, and where analyses are taken the references that they may name. */
async function servicesOf({ config, paths, jobs }: MemberOptions): Promise<string[]> {
  const services = [...config.roles, ...(jobs?.handling.workflows ?? [])];
  if (!config.roles.includes('compute')) return services;
  const references = await listReferences(paths.referenceRoot);
  const named = references.map(({ digest }) => referenceService(digest));
  return [...new Set([...services, ...named])].slice(0, SERVICES_MAX);
}
