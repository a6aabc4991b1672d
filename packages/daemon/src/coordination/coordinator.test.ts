/** The registry as nodes see it: over TLS, on a database of its own. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect } from 'node:http2';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { NO_BODY_SHA256, openChannel } from '@helixmesh/client/network';
import { AppError, type Digest, type ErrorCode, type NodeId } from '@helixmesh/protocol';
import { nodeCrypto } from '@helixmesh/protocol/node';
import {
  formatRequestProof,
  KEY_BYTES,
  signDocument,
  signRequest,
  signWithKey,
  walletOf,
} from '@helixmesh/protocol/sealing';
import {
  HEARTBEAT_INTERVAL_MS,
  OFFLINE_AFTER_MS,
  operatorIdSchema,
  REGISTRATION_SKEW_MS,
  ZONE_STATEMENT_TYPE,
  type ZoneStatement,
} from '@helixmesh/scheduler';
import { testAccount, testIdentity } from '../network/testing/test-node.ts';
import { temporaryFolder } from '../testing/temporary-folder.ts';
import { FORGOTTEN_AFTER_MS } from './limits.ts';
import { createNodeRegistry } from './node-registry.ts';
import {
  type BenchOptions,
  type CoordinatorBench,
  makeClock,
  memberOf,
  startCoordinator,
} from './testing/network-bench.ts';

const folder = temporaryFolder('coordinator');
let databases = 0;

function start(t: TestContext, change: Partial<BenchOptions> = {}): Promise<CoordinatorBench> {
  const database = join(folder, `${++databases}.sqlite`);
  return startCoordinator(t, { clock: makeClock(), database, ...change });
}

function isRefused(code: ErrorCode) {
  return (error: unknown) => error instanceof AppError && error.code === code;
}

/** Drives what no route does: verification and bans. */
function registryOf({ database, network }: CoordinatorBench) {
  return createNodeRegistry({ database, network, crypto: nodeCrypto, nodesMax: 100 });
}

async function verify(bench: CoordinatorBench, nodeId: NodeId): Promise<void> {
  const registry = registryOf(bench);
  await registry.apply(nodeId, { type: 'begin_verification' });
  await registry.apply(nodeId, { type: 'verify', isPassed: true });
}

test('a node registers, beats, and is listed for nodes and for people', async (t) => {
  const bench = await start(t);
  const node = memberOf(t, bench);
  assert.equal((await node.register()).liveness, 'offline');
  assert.deepEqual(await node.beat(), { admission: 'registered', liveness: 'online' });
  const account = await testAccount(['list'], {
    network: bench.network,
    issuedAtMs: bench.clock.now(),
  });
  const person = openChannel({
    address: bench.address,
    network: bench.network,
    signer: account,
    now: bench.clock.now,
  });
  t.after(() => person.close());
  const [seen, ...others] = await person.call('listNodes', {});
  assert.deepEqual(others, []);
  assert.equal(seen?.nodeId, node.identity.nodeId);
  assert.equal(seen?.cores, 32);
  assert.equal(seen?.tier, 'gpu');
  assert.equal(seen?.uptimeBps, 10_000);
});

test('a stranger without a signature sees no list and registers nothing', async (t) => {
  const bench = await start(t);
  const nobody = openChannel({ ...bench, now: bench.clock.now });
  t.after(() => nobody.close());
  await assert.rejects(nobody.call('listNodes', {}), isRefused('UNAUTHENTICATED'));
  await assert.rejects(
    nobody.call('registerNode', { body: { registration: 'AAAA' } }),
    isRefused('UNAUTHENTICATED'),
  );
});

test('a forged registration is refused, whatever was forged', async (t) => {
  const bench = await start(t);
  const node = memberOf(t, bench);
  const other = memberOf(t, bench);
  const body = node.registration();
  const { secretKey } = node.identity.signingKey;
  const sound = signWithKey(nodeCrypto, secretKey, body);
  const byOther = signWithKey(nodeCrypto, other.identity.signingKey.secretKey, body);
  await assert.rejects(node.send(byOther), isRefused('UNAUTHENTICATED'));
  const changed = { ...sound, document: { ...body, slots: 5 } };
  await assert.rejects(node.send(changed), isRefused('UNAUTHENTICATED'));
  const unknown = { ...sound, document: { ...body, isTrusted: true } };
  await assert.rejects(node.send(unknown as typeof sound), isRefused('INPUT_MALFORMED'));
  assert.deepEqual(await node.list(), []);
});

test('a registration that another node sends is refused, and so is one of another network', async (t) => {
  const bench = await start(t);
  const node = memberOf(t, bench);
  const thief = memberOf(t, bench);
  const { secretKey } = node.identity.signingKey;
  const sound = signWithKey(nodeCrypto, secretKey, node.registration());
  await assert.rejects(thief.send(sound), isRefused('ACCESS_REFUSED'));
  const network = `sha256:${'9'.repeat(64)}` as Digest;
  await assert.rejects(node.register({ network }), isRefused('CONFLICT'));
  assert.deepEqual(await node.list(), []);
});

test('an old registration does not come back, and the same one again changes nothing', async (t) => {
  const bench = await start(t);
  const node = memberOf(t, bench);
  const { secretKey } = node.identity.signingKey;
  const first = signWithKey(nodeCrypto, secretKey, node.registration({ slots: 1 }));
  const second = signWithKey(nodeCrypto, secretKey, node.registration({ slots: 2 }));
  await node.send(second);
  await assert.rejects(node.send(first), isRefused('CONFLICT'));
  const { sequence } = second.document;
  await assert.rejects(node.register({ slots: 3, sequence }), isRefused('CONFLICT'));
  bench.clock.advance(1_000);
  const before = await registryOf(bench).list();
  assert.equal((await node.send(second)).slots, 2);
  assert.deepEqual(await registryOf(bench).list(), before);
});

test('a request that was seen on the wire does not pass a second time', async (t) => {
  const bench = await start(t);
  const node = memberOf(t, bench);
  await node.register();
  await node.channel.call('drainNode', { params: { nodeId: node.identity.nodeId } });
  const { secretKey } = node.identity.signingKey;
  const path = `/api/v1/nodes/${node.identity.nodeId}/resume`;
  const { nodeId: audience } = bench.address;
  const facts = {
    network: bench.network,
    method: 'POST',
    path,
    audience,
    bodySha256: NO_BODY_SHA256,
  };
  const proof = signRequest(nodeCrypto, facts, { secretKey, nowMs: bench.clock.now() });
  const session = connect(`https://127.0.0.1:${bench.address.port}`, {
    rejectUnauthorized: false,
    cert: node.identity.certificatePem,
    key: node.identity.privateKeyPem,
  });
  t.after(() => session.destroy());
  const send = async (): Promise<number> => {
    const authorization = formatRequestProof(proof);
    const stream = session.request({ ':method': 'POST', ':path': path, authorization });
    stream.end();
    const [reply] = await once(stream, 'response');
    stream.resume();
    return Number(reply[':status']);
  };
  assert.equal(await send(), 200);
  await node.channel.call('drainNode', { params: { nodeId: node.identity.nodeId } });
  assert.equal(await send(), 401);
  assert.equal((await registryOf(bench).list())[0]?.drain_asked_at, bench.clock.now());
});

test('a registration from the future, or past its end, is refused', async (t) => {
  const bench = await start(t);
  const node = memberOf(t, bench);
  const nowMs = bench.clock.now();
  const early = { issuedAtMs: nowMs + 2 * REGISTRATION_SKEW_MS };
  await assert.rejects(node.register(early), isRefused('USAGE'));
  const late = { issuedAtMs: nowMs - 2, expiresAtMs: nowMs - 1 };
  await assert.rejects(node.register(late), isRefused('USAGE'));
});

test('a heartbeat of another node, of an unknown one, or an old one is refused', async (t) => {
  const bench = await start(t);
  const node = memberOf(t, bench);
  const other = memberOf(t, bench);
  await node.register();
  const { nodeId } = node.identity;
  await assert.rejects(other.beat({ nodeId }), isRefused('ACCESS_REFUSED'));
  await assert.rejects(other.beat(), isRefused('NOT_FOUND'));
  await node.beat({ sequence: 50 });
  await assert.rejects(node.beat({ sequence: 50 }), isRefused('CONFLICT'));
  await assert.rejects(node.beat({ sequence: 49 }), isRefused('CONFLICT'));
  await node.beat({ sequence: 51 });
});

test('a node is offline after missed heartbeats and back with the next, and its uptime says so', async (t) => {
  const bench = await start(t);
  const node = memberOf(t, bench);
  await node.register();
  await node.beat();
  bench.clock.advance(HEARTBEAT_INTERVAL_MS);
  await node.beat();
  assert.equal((await node.view())?.uptimeBps, 10_000);
  bench.clock.advance(OFFLINE_AFTER_MS);
  assert.equal((await node.view())?.liveness, 'offline');
  assert.equal((await node.beat()).liveness, 'online');
  assert.equal((await node.view())?.uptimeBps, 2_500);
});

test('a full node is busy, and one that drains takes nothing', async (t) => {
  const bench = await start(t);
  const node = memberOf(t, bench);
  await node.register({ slots: 2 });
  assert.equal((await node.beat({ runningAttempts: 2 })).liveness, 'busy');
  assert.equal((await node.beat({ isDraining: true })).liveness, 'draining');
  assert.equal((await node.beat()).liveness, 'online');
});

test('a node drains itself until it resumes, over heartbeats and registrations; others may not', async (t) => {
  const bench = await start(t);
  const node = memberOf(t, bench);
  const other = memberOf(t, bench);
  await node.register();
  await node.beat();
  const params = { nodeId: node.identity.nodeId };
  assert.equal((await node.channel.call('drainNode', { params })).liveness, 'draining');
  assert.equal((await node.beat()).liveness, 'draining');
  await node.register();
  assert.equal((await node.view())?.liveness, 'draining');
  await assert.rejects(other.channel.call('resumeNode', { params }), isRefused('ACCESS_REFUSED'));
  assert.equal((await node.channel.call('resumeNode', { params })).liveness, 'online');
  const unknown = { nodeId: other.identity.nodeId };
  await assert.rejects(
    other.channel.call('drainNode', { params: unknown }),
    isRefused('NOT_FOUND'),
  );
});

test('a coordinator that starts again knows all it knew', async (t) => {
  const clock = makeClock();
  const identity = testIdentity();
  const database = join(folder, 'restart.sqlite');
  const first = await start(t, { clock, identity, database });
  const node = memberOf(t, first);
  const other = memberOf(t, first);
  await node.register({ slots: 7 });
  await other.register();
  await verify(first, node.identity.nodeId);
  await registryOf(first).apply(other.identity.nodeId, { type: 'ban' });
  await node.beat({ runningAttempts: 3 });
  clock.advance(HEARTBEAT_INTERVAL_MS);
  await node.beat({ runningAttempts: 4 });
  await node.channel.call('drainNode', { params: { nodeId: node.identity.nodeId } });
  const before = await registryOf(first).list();
  await first.stop();

  const second = await start(t, { clock, identity, database });
  assert.deepEqual(await registryOf(second).list(), before);
  const again = memberOf(t, second, node.identity);
  const { admission, liveness, slots, runningAttempts } = (await again.view()) ?? assert.fail();
  const expected = ['available', 'draining', 7, 4];
  assert.deepEqual([admission, liveness, slots, runningAttempts], expected);
  await assert.rejects(again.register({ sequence: 1 }), isRefused('CONFLICT'));
  await assert.rejects(again.beat({ sequence: 1 }), isRefused('CONFLICT'));
  const banned = memberOf(t, second, other.identity);
  await assert.rejects(banned.register({ sequence: 99 }), isRefused('ACCESS_REFUSED'));
});

test('registering again resets neither uptime nor a ban, and new hardware is verified anew', async (t) => {
  const bench = await start(t);
  const node = memberOf(t, bench);
  const { nodeId } = node.identity;
  await node.register();
  await verify(bench, nodeId);
  await node.beat();
  bench.clock.advance(3 * OFFLINE_AFTER_MS);
  await node.beat();
  const [before = assert.fail()] = await node.list();
  assert.ok(before.uptimeBps < 10_000);
  assert.equal((await node.register()).admission, 'available');
  const [after = assert.fail()] = await node.list();
  assert.ok(after.uptimeBps <= before.uptimeBps + 1);
  assert.equal(after.lastHeartbeatAtMs, before.lastHeartbeatAtMs);
  const { hardware } = node.registration();
  const stronger = await node.register({ hardware: { ...hardware, cores: 64 } });
  assert.equal(stronger.admission, 'registered');
  await registryOf(bench).apply(nodeId, { type: 'ban' });
  await assert.rejects(node.register(), isRefused('ACCESS_REFUSED'));
  assert.equal((await node.view())?.admission, 'banned');
});

test('there are never more nodes than may be, and who was never verified makes room in time', async (t) => {
  const bench = await start(t, { nodesMax: 2 });
  const [first, second, third] = [memberOf(t, bench), memberOf(t, bench), memberOf(t, bench)];
  await first.register();
  await verify(bench, first.identity.nodeId);
  await second.register();
  await assert.rejects(third.register(), isRefused('BUSY'));
  assert.equal((await second.register({ slots: 9 })).slots, 9);
  bench.clock.advance(FORGOTTEN_AFTER_MS + 1);
  await third.register();
  const ids = (await third.list()).map(({ nodeId }) => nodeId);
  const kept = [first.identity.nodeId, third.identity.nodeId].sort();
  assert.deepEqual(ids, kept);
});

test('strangers keep no node out for which an operator vouches', async (t) => {
  const bench = await start(t, { nodesMax: 2 });
  const { network, clock } = bench;
  const operator = walletOf(nodeCrypto, nodeCrypto.random(KEY_BYTES));
  const vouched = async () => {
    const node = memberOf(t, bench);
    const statement: ZoneStatement = {
      ...{ type: ZONE_STATEMENT_TYPE, network, zones: ['EU'], untilMs: clock.now() + 60_000 },
      nodeId: node.identity.nodeId,
      operator: operatorIdSchema.parse(operator.address),
    };
    const zoneStatement = await signDocument(operator, statement);
    return { node, said: { operator: statement.operator, zoneStatement } };
  };
  const [stranger, earlier] = [memberOf(t, bench), memberOf(t, bench)];
  await earlier.register();
  await verify(bench, earlier.identity.nodeId);
  await stranger.register();
  const [one, two] = [await vouched(), await vouched()];
  await assert.rejects(memberOf(t, bench).register(), isRefused('BUSY'));
  await one.node.register(one.said);
  const listed = (await earlier.list()).map(({ nodeId }) => nodeId);
  assert.deepEqual(listed, [earlier, one.node].map(({ identity }) => identity.nodeId).sort());
  // Neither a verified node nor another vouched one makes way.
  await assert.rejects(two.node.register(two.said), isRefused('BUSY'));
});

test('long registrations of strangers do not crowd verified nodes out of the list', async (t) => {
  const bench = await start(t, { listBytesMax: 4_000 });
  const node = memberOf(t, bench);
  const names = Array.from({ length: 200 }, (_, n) => `tool-${n}`);
  const tools = Object.fromEntries(names.map((name) => [name, '1'.repeat(40)]));
  const { hardware } = node.registration();
  for (let n = 0; n < 3; n++)
    await memberOf(t, bench).register({ hardware: { ...hardware, tools } });
  await node.register();
  await verify(bench, node.identity.nodeId);
  const listed = (await node.list()).map(({ nodeId }) => nodeId);
  assert.deepEqual(listed, [node.identity.nodeId]);
});

test('zones count when the wallet of the operator has signed them for this node, until they end', async (t) => {
  const bench = await start(t);
  const node = memberOf(t, bench);
  const wallet = walletOf(nodeCrypto, nodeCrypto.random(KEY_BYTES));
  const thief = walletOf(nodeCrypto, nodeCrypto.random(KEY_BYTES));
  const operator = operatorIdSchema.parse(wallet.address);
  const statement: ZoneStatement = {
    type: ZONE_STATEMENT_TYPE,
    network: bench.network,
    nodeId: node.identity.nodeId,
    operator,
    zones: ['DE', 'EU'],
    untilMs: bench.clock.now() + 60_000,
  };
  const signed = await signDocument(wallet, statement);
  assert.deepEqual((await node.register({ operator, zoneStatement: signed })).zones, ['DE', 'EU']);
  const stolen = await signDocument(thief, statement);
  assert.deepEqual((await node.register({ operator, zoneStatement: stolen })).zones, []);
  const widened = { ...signed, document: { ...statement, zones: ['MX'] } };
  assert.deepEqual((await node.register({ operator, zoneStatement: widened })).zones, []);
  const other = memberOf(t, bench);
  await assert.rejects(
    other.register({ operator, zoneStatement: signed }),
    isRefused('INPUT_MALFORMED'),
  );
  assert.deepEqual((await node.register({ operator, zoneStatement: signed })).zones, ['DE', 'EU']);
  bench.clock.advance(60_000);
  assert.deepEqual((await node.view())?.zones, []);
});
