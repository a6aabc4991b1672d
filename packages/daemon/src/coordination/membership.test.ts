/** A node's side, against a coordinator over TLS. */
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import type { Digest } from '@helixmesh/protocol';
import { nodeCrypto } from '@helixmesh/protocol/node';
import { KEY_BYTES, type NodeAddress, signDocument, walletOf } from '@helixmesh/protocol/sealing';
import {
  type Hardware,
  OFFLINE_AFTER_MS,
  operatorIdSchema,
  ZONE_STATEMENT_TYPE,
  type ZoneStatement,
} from '@helixmesh/scheduler';
import { registrationOf } from '@helixmesh/scheduler/testing/fleet';
import { testIdentity } from '../network/testing/test-node.ts';
import { measureFree, measureHardware } from '../node/hardware.ts';
import { temporaryFolder } from '../testing/temporary-folder.ts';
import { REMEASURE_MS } from './limits.ts';
import { createMembership, type Membership, type NodeProfile } from './membership.ts';
import {
  type Clock,
  makeClock,
  memberOf,
  SILENT,
  startCoordinator,
} from './testing/network-bench.ts';

const folder = temporaryFolder('membership');
let databases = 0;
const databasePath = () => join(folder, `${++databases}.sqlite`);

const HARDWARE = registrationOf(1).hardware;
/** What a machine without a GPU has free. */
const FREE = { freeCores: 8, freeMemoryBytes: 2 ** 34, freeDiskBytes: 2 ** 40, gpus: [] };

interface Machine {
  hardware: Hardware;
  runningAttempts: number;
}

interface MemberOptions {
  readonly address: NodeAddress;
  readonly network: Digest;
  readonly clock: Clock;
  readonly machine?: Machine;
  readonly profile?: Partial<NodeProfile>;
  readonly identity?: ReturnType<typeof testIdentity>;
  readonly intervalMs?: number;
}

function startMember(
  t: TestContext,
  {
    address,
    network,
    clock,
    machine = { hardware: HARDWARE, runningAttempts: 0 },
    ...rest
  }: MemberOptions,
): Membership {
  const { operator, endpoint, location, services, prices, slots } = registrationOf(1);
  const own = { operator, endpoint, location, services, prices, slots, zoneStatement: null };
  const membership = createMembership({
    identity: rest.identity ?? testIdentity(),
    network,
    coordinator: address,
    profile: () => ({ ...own, ...rest.profile }),
    measure: {
      hardware: async () => machine.hardware,
      free: async () => FREE,
      runningAttempts: () => machine.runningAttempts,
    },
    crypto: nodeCrypto,
    now: clock.now,
    logger: SILENT,
    intervalMs: rest.intervalMs ?? 20,
  });
  t.after(() => membership.stop());
  return membership;
}

/** Looks again and again until it is so; the test's own time limit ends it otherwise. */
async function until(isSo: () => boolean | Promise<boolean>): Promise<void> {
  while (!(await isSo())) await delay(10);
}

test('a node registers by itself and goes on telling how it is', { timeout: 60_000 }, async (t) => {
  const clock = makeClock();
  const bench = await startCoordinator(t, { clock, database: databasePath() });
  const machine = { hardware: HARDWARE, runningAttempts: 0 };
  const member = startMember(t, { ...bench, machine });
  assert.equal(member.health().status, 'failing');
  await member.start();
  await until(() => member.health().status === 'ok');
  const looking = memberOf(t, bench);
  machine.runningAttempts = 2;
  await until(async () => (await looking.list())[0]?.runningAttempts === 2);
  machine.runningAttempts = 4;
  await until(async () => (await looking.list())[0]?.liveness === 'busy');
});

test('attempts that began or ended are told before the next heartbeat is due', {
  timeout: 60_000,
}, async (t) => {
  const bench = await startCoordinator(t, { clock: makeClock(), database: databasePath() });
  const machine = { hardware: HARDWARE, runningAttempts: 0 };
  const member = startMember(t, { ...bench, machine, intervalMs: 3_600_000 });
  const looking = memberOf(t, bench);
  await member.start();
  await until(() => member.health().status === 'ok');
  for (const attempts of [2, 0]) {
    machine.runningAttempts = attempts;
    await until(async () => (await looking.list())[0]?.runningAttempts === attempts);
  }
});

test('draining is told at once and taken back, and a node that stops says so', {
  timeout: 60_000,
}, async (t) => {
  const bench = await startCoordinator(t, { clock: makeClock(), database: databasePath() });
  const looking = memberOf(t, bench);
  const member = startMember(t, bench);
  const liveness = async () => (await looking.list())[0]?.liveness;
  await member.start();
  await until(async () => (await liveness()) === 'online');
  member.drain();
  await until(async () => (await liveness()) === 'draining');
  member.resume();
  await until(async () => (await liveness()) === 'online');
  await member.stop();
  assert.equal(await liveness(), 'draining');
  bench.clock.advance(OFFLINE_AFTER_MS);
  assert.equal(await liveness(), 'offline');
});

test('a drain asked for at the coordinator reaches the node, and so does its end', {
  timeout: 60_000,
}, async (t) => {
  const bench = await startCoordinator(t, { clock: makeClock(), database: databasePath() });
  const identity = testIdentity();
  const member = startMember(t, { ...bench, identity });
  await member.start();
  await until(() => member.health().status === 'ok');
  const { channel } = memberOf(t, bench, identity);
  const params = { nodeId: identity.nodeId };
  await channel.call('drainNode', { params });
  await until(() => member.isDraining);
  await channel.call('resumeNode', { params });
  await until(() => !member.isDraining);
});

test('a coordinator that is offline is tried again until it is back', {
  timeout: 60_000,
}, async (t) => {
  const clock = makeClock();
  const identity = testIdentity();
  const database = databasePath();
  const first = await startCoordinator(t, { clock, database, identity });
  const member = startMember(t, first);
  await member.start();
  await until(() => member.health().status === 'ok');
  await first.stop();
  await until(() => member.health().status === 'degraded');
  const { port } = first.address;
  const second = await startCoordinator(t, { clock, database, identity, port });
  await until(() => member.health().status === 'ok');
  assert.equal((await memberOf(t, second).list()).length, 1);
});

test('a node that was forgotten registers again', { timeout: 60_000 }, async (t) => {
  const bench = await startCoordinator(t, { clock: makeClock(), database: databasePath() });
  const member = startMember(t, bench);
  await member.start();
  await until(() => member.health().status === 'ok');
  const looking = memberOf(t, bench);
  await bench.database.deleteFrom('nodes').execute();
  await until(async () => (await looking.list())[0]?.liveness === 'online');
});

test('changed hardware is registered anew, and nothing else is', { timeout: 60_000 }, async (t) => {
  const bench = await startCoordinator(t, { clock: makeClock(), database: databasePath() });
  const machine = { hardware: HARDWARE, runningAttempts: 0 };
  const member = startMember(t, { ...bench, machine });
  await member.start();
  await until(() => member.health().status === 'ok');
  const row = () =>
    bench.database
      .selectFrom('nodes')
      .select(['registration_id', 'heartbeat'])
      .executeTakeFirstOrThrow();
  const before = await row();
  await until(async () => (await row()).heartbeat !== before.heartbeat);
  assert.equal((await row()).registration_id, before.registration_id);
  machine.hardware = { ...HARDWARE, cores: 64 };
  bench.clock.advance(REMEASURE_MS);
  await until(async () => (await memberOf(t, bench).list())[0]?.cores === 64);
  assert.notEqual((await row()).registration_id, before.registration_id);
});

test('this machine registers as it is, with the zones that its operator has signed', {
  timeout: 60_000,
}, async (t) => {
  const bench = await startCoordinator(t, { clock: makeClock(), database: databasePath() });
  const identity = testIdentity();
  const wallet = walletOf(nodeCrypto, nodeCrypto.random(KEY_BYTES));
  const operator = operatorIdSchema.parse(wallet.address);
  const zoneStatement = await signDocument<ZoneStatement>(wallet, {
    type: ZONE_STATEMENT_TYPE,
    network: bench.network,
    nodeId: identity.nodeId,
    operator,
    zones: ['EU'],
    untilMs: bench.clock.now() + 60_000,
  });
  const options = { cores: 2, dataDir: folder };
  const { services, prices, slots, endpoint } = registrationOf(1);
  const profile = { operator, zoneStatement, services, prices, slots, endpoint, location: null };
  const member = createMembership({
    identity,
    network: bench.network,
    coordinator: bench.address,
    profile: () => profile,
    measure: {
      hardware: () => measureHardware(options),
      free: () => measureFree(options, 0),
      runningAttempts: () => 0,
    },
    crypto: nodeCrypto,
    now: bench.clock.now,
    logger: SILENT,
  });
  t.after(() => member.stop());
  await member.start();
  await until(() => member.health().status === 'ok');
  const [seen] = await memberOf(t, bench).list();
  assert.deepEqual([seen?.cores, seen?.zones, seen?.liveness], [2, ['EU'], 'online']);
});

test('settings that the network would refuse are told in words', { timeout: 60_000 }, async (t) => {
  const bench = await startCoordinator(t, { clock: makeClock(), database: databasePath() });
  const member = startMember(t, { ...bench, profile: { endpoint: 'http://node.example' } });
  await member.start();
  await until(() => /endpoint/.test(JSON.stringify(member.health())));
});
