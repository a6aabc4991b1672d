/** Compute nodes as a coordinator knows them: registered over TLS, and verified by a word of the test. */
import type { TestContext } from 'node:test';
import { type Channel, openChannel } from '@helixmesh/client/network';
import type { Digest } from '@helixmesh/protocol';
import { nodeCrypto } from '@helixmesh/protocol/node';
import {
  encodeDocument,
  type NodeAddress,
  signDocument,
  signWithKey,
  toBase64,
  type WalletSigner,
} from '@helixmesh/protocol/sealing';
import {
  type Heartbeat,
  type OperatorId,
  type Registration,
  ZONE_STATEMENT_TYPE,
  type ZoneStatement,
} from '@helixmesh/scheduler';
import { registrationOf } from '@helixmesh/scheduler/testing/fleet';
import type { NodeIdentity } from '../../network/identity.ts';
import { testIdentity } from '../../network/testing/test-node.ts';
import type { Database } from '../../sql/database.ts';
import { createNodeRegistry } from '../node-registry.ts';

export interface ComputeNodeOptions {
  readonly coordinator: NodeAddress;
  readonly database: Database;
  readonly network: Digest;
  readonly operator: WalletSigner;
  readonly now: () => number;
  readonly identity?: NodeIdentity;
  readonly zones?: readonly string[];
  readonly change?: Partial<Registration>;
  /** False for a node that has not passed its canary. */
  readonly isVerified?: boolean;
}

export interface ComputeNode {
  readonly identity: NodeIdentity;
  readonly channel: Channel;
  /** Says that it is there, with all of its machine free. */
  beat(): Promise<void>;
}

const YEAR_MS = 365 * 24 * 3_600_000;

export async function startComputeNode(
  t: TestContext,
  options: ComputeNodeOptions,
): Promise<ComputeNode> {
  const { coordinator, database, network, now, identity = testIdentity() } = options;
  const { secretKey } = identity.signingKey;
  const signer = { secretKey };
  const channel = openChannel({
    address: coordinator,
    network,
    signer,
    certificate: identity,
    now,
  });
  t.after(() => channel.close());
  const registration = await registrationBy(options, identity);
  const signed = signWithKey(nodeCrypto, secretKey, registration);
  await channel.call('registerNode', { body: { registration: toBase64(encodeDocument(signed)) } });
  if (options.isVerified ?? true) {
    const registry = createNodeRegistry({ database, network, crypto: nodeCrypto, nodesMax: 10 });
    await registry.apply(identity.nodeId, { type: 'begin_verification' });
    await registry.apply(identity.nodeId, { type: 'verify', isPassed: true });
  }
  let sequence = now();
  const { hardware } = registration;
  const beat = async () => {
    sequence += 1;
    const heartbeat: Heartbeat = {
      ...{ v: 1, nodeId: identity.nodeId, sequence, runningAttempts: 0, isDraining: false },
      freeCores: hardware.cores,
      freeMemoryBytes: hardware.memoryBytes,
      freeDiskBytes: hardware.diskBytes,
      gpus: [],
    };
    const body = { heartbeat: toBase64(encodeDocument(heartbeat)) };
    await channel.call('heartbeat', { body });
  };
  await beat();
  return { identity, channel, beat };
}

async function registrationBy(
  { network, operator, now, zones = ['MX'], change = {} }: ComputeNodeOptions,
  { nodeId }: NodeIdentity,
): Promise<Registration> {
  const address = operator.address as OperatorId;
  const statement: ZoneStatement = {
    type: ZONE_STATEMENT_TYPE,
    network,
    nodeId,
    operator: address,
    zones: [...zones],
    untilMs: now() + YEAR_MS,
  };
  return {
    ...registrationOf(1),
    network,
    nodeId,
    operator: address,
    endpoint: 'https://127.0.0.1:7410',
    zoneStatement: await signDocument(operator, statement),
    services: ['compute'],
    sequence: now(),
    issuedAtMs: now(),
    expiresAtMs: now() + YEAR_MS,
    ...change,
  };
}
