/** A node's membership at its coordinator, made of its settings and of what it measures. */
import { nodeCrypto } from '@helixmesh/protocol/node';
import { type NodeAddress, parseNodeAddress } from '@helixmesh/protocol/sealing';
import { createMembership } from '../coordination/membership.ts';
import { profileOf, readZoneStatement } from '../coordination/profile.ts';
import type { NodeIdentity } from '../network/identity.ts';
import type { Placed } from './application.ts';
import type { Ground } from './ground.ts';
import { measureFree, measureHardware } from './hardware.ts';
import type { Jobs } from './jobs-application.ts';
import type { Network } from './network-file.ts';

export interface MemberOptions extends Pick<Ground, 'config' | 'paths' | 'logger'> {
  readonly identity: NodeIdentity;
  readonly network: Network;
  readonly jobs: Jobs | null;
  /** What others dial, once the listener has started. */
  readonly reachedAt: () => NodeAddress;
}

/** Null where the settings name no coordinator. Throws CONFIG_INVALID for a bad zone statement. */
export async function createMember(options: MemberOptions): Promise<Placed | null> {
  const { config, paths, logger, identity, network, jobs, reachedAt } = options;
  if (config.coordinator === null) return null;
  const machine = { cores: config.cores, dataDir: paths.dataDir };
  const load = () => jobs?.load() ?? { attempts: 0, cores: 0 };
  const zoneStatement = await readZoneStatement(paths.dataDir);
  const membership = createMembership({
    identity,
    network: network.id,
    coordinator: parseNodeAddress(config.coordinator),
    profile: () => ({
      ...profileOf(config, { endpoint: reachedAt(), zoneStatement }),
      services: [...config.roles, ...(jobs?.handling.workflows ?? [])],
    }),
    measure: {
      hardware: () => measureHardware(machine),
      free: () => measureFree(machine, load().cores),
      runningAttempts: () => load().attempts,
    },
    crypto: nodeCrypto,
    now: Date.now,
    logger,
  });
  return { application: membership, after: ['listener'], drain: membership.drain };
}
