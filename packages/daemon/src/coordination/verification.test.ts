/** How a coordinator admits nodes, over TLS and on a database of its own; what a canary is, is elsewhere. */
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { setImmediate } from 'node:timers/promises';
import { AppError, type Digest } from '@helixmesh/protocol';
import { nodeCrypto } from '@helixmesh/protocol/node';
import {
  type CanaryStanding,
  digestOf,
  KEY_BYTES,
  parseDocument,
  signedSchema,
  type WalletSigner,
  walletOf,
} from '@helixmesh/protocol/sealing';
import { operatorIdSchema, zoneStatementSchema } from '@helixmesh/scheduler';
import { testIdentity } from '../network/testing/test-node.ts';
import type { Application } from '../node/application.ts';
import { temporaryFolder } from '../testing/temporary-folder.ts';
import type { CanaryGenome } from './canaries.ts';
import { CANARY_MS, CANARY_PAUSE_FIRST_MS } from './limits.ts';
import {
  type Clock,
  type CoordinatorBench,
  type Member,
  makeClock,
  memberOf,
  SILENT,
  startCoordinator,
} from './testing/network-bench.ts';
import { createVerification } from './verification.ts';
import { vouchFor } from './vouch.ts';

const folder = temporaryFolder('verification');
let databases = 0;

/** What the analysis of such a genome would answer: another digest for another seed. */
async function rightAnswer({ seed }: CanaryGenome): Promise<Digest> {
  return digestOf(nodeCrypto, 'helixmesh/test/v1', String(seed));
}

interface Options {
  readonly clock?: Clock;
  readonly database?: string;
  readonly identity?: ReturnType<typeof testIdentity>;
  readonly lacking?: () => Promise<string | null>;
  /** By default somebody judges. */
  readonly isJudging?: boolean;
  readonly analyse?: (genome: CanaryGenome) => Promise<Digest>;
}

interface Bench extends CoordinatorBench {
  readonly verification: Application;
}

async function start(t: TestContext, options: Options = {}): Promise<Bench> {
  const { clock = makeClock(), identity = testIdentity(), isJudging = true } = options;
  const { database = join(folder, `${++databases}.sqlite`), lacking = async () => null } = options;
  let verification: Application | undefined;
  const bench = await startCoordinator(t, {
    ...{ clock, database, identity },
    alsoServe: (served) => {
      verification = createVerification({
        ...served,
        ...{ crypto: nodeCrypto, lacking, now: clock.now, logger: SILENT },
        analyse: options.analyse ?? rightAnswer,
      });
    },
  });
  assert.ok(verification);
  if (isJudging) await verification.start();
  t.after(() => verification?.stop());
  return { ...bench, verification };
}

/** A node that computes, whose operator vouches for it. */
async function vouched(t: TestContext, bench: Bench, identity = testIdentity()) {
  const wallet = walletOf(nodeCrypto, nodeCrypto.random(KEY_BYTES));
  const node = memberOf(t, bench, identity);
  await node.register(await vouchedBy(bench, node, wallet));
  return { ...node, wallet };
}

async function vouchedBy({ network, clock }: Bench, node: Member, wallet: WalletSigner) {
  const bytes = await vouchFor(wallet, {
    ...{ network, node: node.identity.nodeId, zones: ['MX'] },
    untilMs: clock.now() + 86_400_000,
  });
  const limits = { what: 'a statement', maxBytes: 10_000 };
  const zoneStatement = parseDocument(signedSchema(zoneStatementSchema), bytes, limits);
  const operator = operatorIdSchema.parse(wallet.address);
  return { operator, zoneStatement, services: ['compute'] };
}

const take = ({ channel }: Member) => channel.call('takeCanary', { params: {} });

async function canaryFor(node: Member) {
  const { canary } = await take(node);
  return canary ?? assert.fail('there is no canary');
}

const answer = ({ channel }: Member, canaryId: string, resultDigest: Digest | null) =>
  channel.call('answerCanary', {
    params: {},
    body: { canaryId, resultDigest, code: resultDigest === null ? 'TOOL_FAILED' : null },
  });

/** Asks until the answer has been judged. */
async function judged(node: Member): Promise<CanaryStanding> {
  for (;;) {
    const standing = await take(node);
    if (standing.admission !== 'pending_verification') return standing;
    await setImmediate();
  }
}

test('a node that answers right is available, and is asked nothing more', async (t) => {
  const bench = await start(t);
  const node = await vouched(t, bench);
  assert.equal((await node.view())?.admission, 'registered');
  const canary = await canaryFor(node);
  assert.equal((await node.view())?.admission, 'pending_verification');
  assert.deepEqual(await canaryFor(node), canary, 'the same one until it is answered');
  const digest = await rightAnswer(canary);
  await answer(node, canary.canaryId, digest);
  const standing = await judged(node);
  assert.deepEqual(
    [standing.admission, standing.canary, standing.reason],
    ['available', null, null],
  );
  assert.ok(standing.askAgainAtMs > bench.clock.now());
  // Said again, for the node may not have heard: nothing changes.
  assert.equal((await answer(node, canary.canaryId, digest)).admission, 'available');
  assert.equal((await node.view())?.reason, null);
});

test('a wrong answer is refused, and the next canary is another one, later each time', async (t) => {
  const bench = await start(t);
  const { clock } = bench;
  const node = await vouched(t, bench);
  const first = await canaryFor(node);
  await answer(node, first.canaryId, await rightAnswer({ ...first, seed: first.seed + 1 }));
  const refused = await judged(node);
  assert.equal(refused.admission, 'registered');
  assert.equal(refused.reason?.code, 'RESULT_DIFFERS');
  assert.equal(refused.canary, null);
  assert.equal(refused.askAgainAtMs, clock.now() + CANARY_PAUSE_FIRST_MS);
  assert.equal((await node.view())?.reason?.code, 'RESULT_DIFFERS');
  clock.advance(CANARY_PAUSE_FIRST_MS - 1);
  assert.equal((await take(node)).canary, null);
  clock.advance(1);

  const second = await canaryFor(node);
  assert.notEqual(second.canaryId, first.canaryId);
  assert.notEqual(second.seed, first.seed);
  await answer(node, second.canaryId, null);
  const failed = await take(node);
  assert.equal(failed.reason?.code, 'TOOL_FAILED');
  assert.equal(failed.askAgainAtMs, clock.now() + 2 * CANARY_PAUSE_FIRST_MS);
  clock.advance(2 * CANARY_PAUSE_FIRST_MS);

  const third = await canaryFor(node);
  await answer(node, third.canaryId, await rightAnswer(third));
  assert.equal((await judged(node)).admission, 'available');
  assert.equal((await node.view())?.reason, null);
});

test('an answer that another node gives, or gave, is worth nothing', async (t) => {
  const bench = await start(t);
  const honest = await vouched(t, bench);
  const copier = await vouched(t, bench);
  const theirs = await canaryFor(honest);
  const own = await canaryFor(copier);
  assert.notEqual(own.seed, theirs.seed);
  const copied = await rightAnswer(theirs);
  await assert.rejects(answer(copier, theirs.canaryId, copied), { code: 'ACCESS_REFUSED' });
  await assert.rejects(answer(copier, `canary_${'0'.repeat(32)}`, copied), {
    code: 'ACCESS_REFUSED',
  });
  await answer(copier, own.canaryId, copied);
  await answer(honest, theirs.canaryId, copied);
  assert.equal((await judged(copier)).reason?.code, 'RESULT_DIFFERS');
  assert.equal((await judged(honest)).admission, 'available');
});

test('a node gets one answer to a canary, in time', async (t) => {
  const bench = await start(t, { isJudging: false });
  const node = await vouched(t, bench);
  const canary = await canaryFor(node);
  const digest = await rightAnswer(canary);
  await answer(node, canary.canaryId, await rightAnswer({ ...canary, seed: 0 }));
  await assert.rejects(answer(node, canary.canaryId, digest), { code: 'CONFLICT' });

  const slow = await vouched(t, bench);
  const missed = await canaryFor(slow);
  bench.clock.advance(CANARY_MS);
  const late = await answer(slow, missed.canaryId, await rightAnswer(missed));
  assert.deepEqual([late.admission, late.reason?.code], ['registered', 'LEASE_EXPIRED']);
  assert.equal((await take(slow)).canary, null);
});

test('without a statement of its operator a node stays registered, and hears why', async (t) => {
  const bench = await start(t);
  const wallet = walletOf(nodeCrypto, nodeCrypto.random(KEY_BYTES));
  const node = memberOf(t, bench);
  await assert.rejects(take(node), { code: 'NOT_FOUND' });
  const statement = await vouchedBy(bench, node, wallet);
  const forged = await vouchedBy(bench, node, walletOf(nodeCrypto, nodeCrypto.random(KEY_BYTES)));
  const { operator, services } = statement;
  const { document } = statement.zoneStatement;
  const { signature } = forged.zoneStatement;
  for (const zoneStatement of [null, { document, signature }]) {
    const view = await node.register({ operator, services, zoneStatement });
    assert.match(view.reason?.message ?? '', /node vouch/);
    const told = await take(node);
    assert.deepEqual([told.admission, told.canary], ['registered', null]);
    assert.equal(told.reason?.code, 'ACCESS_REFUSED');
  }
  assert.equal((await node.register(statement)).reason, null);
  const canary = await canaryFor(node);
  await answer(node, canary.canaryId, await rightAnswer(canary));
  assert.equal((await judged(node)).admission, 'available');
  bench.clock.advance(86_400_000);
  assert.match((await node.view())?.reason?.message ?? '', /node vouch/, 'the statement is over');
  assert.equal((await node.register({ operator, services })).admission, 'registered');
});

test('a coordinator without tools says so in its health, and verifies nobody until it has them', async (t) => {
  let missing: string | null = 'these tools cannot be used: bwa';
  const bench = await start(t, { lacking: async () => missing });
  const health = bench.verification.health();
  assert.ok(health.status === 'failing' && /bwa/.test(health.why));
  const node = await vouched(t, bench);
  const told = await take(node);
  assert.deepEqual([told.admission, told.canary], ['registered', null]);
  assert.equal(told.reason?.code, 'TOOL_MISSING');
  missing = null;
  // Whoever answers wakes it; here nobody can, so another one looks at the same tools.
  await bench.verification.stop();
  await bench.verification.start();
  assert.equal(bench.verification.health().status, 'ok');
  assert.ok((await take(node)).canary);
});

test('an answer that was not judged before a coordinator ended is judged after its start', async (t) => {
  const clock = makeClock();
  const identity = testIdentity();
  const database = join(folder, 'restart.sqlite');
  const first = await start(t, { clock, identity, database, isJudging: false });
  const own = testIdentity();
  const node = await vouched(t, first, own);
  const canary = await canaryFor(node);
  const answered = await answer(node, canary.canaryId, await rightAnswer(canary));
  assert.equal(answered.admission, 'pending_verification');
  await first.stop();
  const second = await start(t, { clock, identity, database });
  const again = memberOf(t, second, own);
  assert.equal((await judged(again)).admission, 'available');
});

test("a canary that the coordinator cannot judge stands in nobody else's way, and is given up in time", async (t) => {
  let broken: number | null = null;
  let isBroken = Promise.withResolvers<void>();
  const analyse = async (genome: CanaryGenome) => {
    if (genome.seed !== broken) return rightAnswer(genome);
    isBroken.resolve();
    throw new AppError('TOOL_CRASHED', 'it broke');
  };
  const bench = await start(t, { analyse });
  const [unlucky, other] = [await vouched(t, bench), await vouched(t, bench)];
  const canary = await canaryFor(unlucky);
  broken = canary.seed;
  await answer(unlucky, canary.canaryId, await rightAnswer(canary));
  await isBroken.promise;
  const theirs = await canaryFor(other);
  await answer(other, theirs.canaryId, await rightAnswer(theirs));
  assert.equal((await judged(other)).admission, 'available');
  assert.equal((await take(unlucky)).admission, 'pending_verification');
  while (bench.verification.health().status === 'ok') await setImmediate();

  bench.clock.advance(CANARY_MS);
  isBroken = Promise.withResolvers();
  await bench.verification.stop();
  await bench.verification.start();
  await isBroken.promise;
  for (;;) {
    const again = await take(unlucky);
    if (again.canary === null) continue;
    assert.notEqual(again.canary.seed, broken);
    break;
  }
});

test('hardware that changes is verified anew, also while it is being verified', async (t) => {
  const bench = await start(t);
  const node = await vouched(t, bench);
  const statement = await vouchedBy(bench, node, node.wallet);
  const { hardware } = node.registration();
  const canary = await canaryFor(node);
  await node.register({ ...statement, hardware: { ...hardware, cores: 64 } });
  await answer(node, canary.canaryId, await rightAnswer(canary));
  for (;;) {
    const standing = await take(node);
    if (standing.canary === null) continue;
    assert.equal(standing.admission, 'pending_verification');
    assert.notEqual(standing.canary.canaryId, canary.canaryId);
    await answer(node, standing.canary.canaryId, await rightAnswer(standing.canary));
    break;
  }
  assert.equal((await judged(node)).admission, 'available');
  const stronger = { ...statement, hardware: { ...hardware, cores: 128 } };
  assert.equal((await node.register(stronger)).admission, 'registered');
  assert.ok((await take(node)).canary);
});
