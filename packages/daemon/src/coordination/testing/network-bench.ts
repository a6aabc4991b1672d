/** A coordinator on a data folder, and nodes that call it over real TLS, by a clock of the test's. */
import type { TestContext } from 'node:test';
import { type Channel, openChannel } from '@helixmesh/client/network';
import type { Digest } from '@helixmesh/protocol';
import { nodeCrypto } from '@helixmesh/protocol/node';
import {
  encodeDocument,
  GENESIS_TYPE,
  type Genesis,
  type NodeAddress,
  type NodeView,
  networkId,
  type Signed,
  signWithKey,
  toBase64,
} from '@helixmesh/protocol/sealing';
import type { Heartbeat, Registration } from '@helixmesh/scheduler';
import { registrationOf } from '@helixmesh/scheduler/testing/fleet';
import type { NodeIdentity } from '../../network/identity.ts';
import type { NetworkListener } from '../../network/listener.ts';
import { startTestNode, testIdentity } from '../../network/testing/test-node.ts';
import { type Database, openDatabase } from '../../sql/database.ts';
import { createCoordinator } from '../coordinator.ts';
import { LIST_BYTES_MAX, NODES_MAX } from '../limits.ts';

export { deadTask } from './dead-task.ts';

const HOUR_MS = 3_600_000;

export interface Clock {
  readonly now: () => number;
  advance(ms: number): void;
}

/** Stands still until the test moves it ahead. */
export function makeClock(): Clock {
  let nowMs = Date.now();
  return {
    now: () => nowMs,
    advance: (ms) => {
      nowMs += ms;
    },
  };
}

export interface BenchOptions {
  readonly clock: Clock;
  /** File of the database. */
  readonly database: string;
  readonly identity?: NodeIdentity;
  /** Any free one by default. */
  readonly port?: number;
  readonly nodesMax?: number;
  readonly listBytesMax?: number;
  readonly attestedOperators?: readonly string[];
  /** Adds more routes to the same port. */
  readonly alsoServe?: (served: Served) => void;
}

export interface Served {
  readonly listener: NetworkListener;
  readonly database: Database;
  readonly network: Digest;
}

export interface CoordinatorBench {
  readonly address: NodeAddress;
  readonly database: Database;
  readonly genesis: Genesis;
  /** Of the genesis document. */
  readonly network: Digest;
  readonly clock: Clock;
  /** Ends it as a stop of the node does. */
  stop(): Promise<void>;
}

export async function startCoordinator(
  t: TestContext,
  { clock, database: path, identity = testIdentity(), ...rest }: BenchOptions,
): Promise<CoordinatorBench> {
  const database = await openDatabase(path);
  const genesis: Genesis = {
    type: GENESIS_TYPE,
    name: 'test',
    createdAtMs: 0,
    nonce: '0'.repeat(32),
    coordinators: [identity.nodeId],
    attestedOperators: [...(rest.attestedOperators ?? [])],
  };
  const { nodesMax = NODES_MAX, listBytesMax = LIST_BYTES_MAX } = rest;
  const limits = { nodesMax, listBytesMax };
  const network = networkId(nodeCrypto, genesis);
  const options = { now: clock.now, identity, network, port: rest.port ?? 0 };
  const { address, listener } = await startTestNode(
    t,
    (own) => {
      createCoordinator({
        database,
        identity,
        genesis,
        network,
        listener: own,
        crypto: nodeCrypto,
        now: clock.now,
        logger: SILENT,
        ...limits,
      });
      rest.alsoServe?.({ listener: own, database, network });
    },
    options,
  );
  let stopped: Promise<void> | null = null;
  const stop = () => {
    stopped ??= listener.close().then(() => database.destroy());
    return stopped;
  };
  t.after(stop);
  return { address, database, genesis, network, clock, stop };
}

export const SILENT = { debug() {}, info() {}, warn() {}, error() {} };

export interface Member {
  readonly identity: NodeIdentity;
  readonly channel: Channel;
  /** A sound registration of this node, changed. */
  registration(change?: Partial<Registration>): Registration;
  /** Signs it with the node's key and sends it. */
  register(change?: Partial<Registration>): Promise<NodeView>;
  send(signed: Signed<Registration>): Promise<NodeView>;
  beat(change?: Partial<Heartbeat>): Promise<{ admission: string; liveness: string }>;
  list(): Promise<NodeView[]>;
  /** What the coordinator's list says of this node. */
  view(): Promise<NodeView | undefined>;
}

export function memberOf(
  t: TestContext,
  { address, network, clock }: Pick<CoordinatorBench, 'address' | 'network' | 'clock'>,
  identity: NodeIdentity = testIdentity(),
): Member {
  const { secretKey } = identity.signingKey;
  const signer = { secretKey };
  const channel = openChannel({
    address,
    network,
    signer,
    certificate: identity,
    now: clock.now,
  });
  t.after(() => channel.close());
  let sequence = 0;

  const registration = (change: Partial<Registration> = {}): Registration => ({
    ...registrationOf(1),
    network,
    nodeId: identity.nodeId,
    zoneStatement: null,
    sequence: ++sequence,
    issuedAtMs: clock.now(),
    expiresAtMs: clock.now() + HOUR_MS * 1_000,
    ...change,
  });
  const send = (signed: Signed<Registration>) =>
    channel.call('registerNode', { body: { registration: toBase64(encodeDocument(signed)) } });
  const list = () => channel.call('listNodes', {});
  return {
    identity,
    channel,
    registration,
    send,
    register: (change) => send(signWithKey(nodeCrypto, secretKey, registration(change))),
    beat: (change = {}) => {
      const heartbeat: Heartbeat = {
        v: 1,
        nodeId: identity.nodeId,
        sequence: ++sequence,
        runningAttempts: 0,
        isDraining: false,
        freeCores: 8,
        freeMemoryBytes: 2 ** 34,
        freeDiskBytes: 2 ** 40,
        gpus: [],
        ...change,
      };
      return channel.call('heartbeat', {
        body: { heartbeat: toBase64(encodeDocument(heartbeat)) },
      });
    },
    list,
    view: async () => (await list()).find(({ nodeId }) => nodeId === identity.nodeId),
  };
}
