import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { AppError, type ErrorCode } from '@helixmesh/protocol';
import { nodeCrypto } from '@helixmesh/protocol/node';
import {
  type NetworkJob,
  networkJobSchema,
  parseChainEntry,
  type Signed,
  signWithKey,
  utf8,
  verifyChain,
} from '@helixmesh/protocol/sealing';
import {
  type Decision,
  quorumPolicySchema,
  REDUNDANCY_MAX,
  REPLICAS_MAX,
} from '@helixmesh/scheduler';
import { expireLeases, failAttempt, renewLease } from './attempts.ts';
import { commitResult, revealsOf } from './commits.ts';
import { deadLetters, retryDead } from './dead-letters.ts';
import { COMMIT_WAIT_MS, LEASE_MS, OFFER_MS, RETRY_MAX_MS, REVEAL_WAIT_MS } from './limits.ts';
import { claim, offersOf, placeReplicas, tasksToPlace } from './placement.ts';
import { cancelNetworkJob, submitNetworkJob, viewNetworkJob } from './submit.ts';
import {
  callOf,
  claimed,
  commit,
  decisionOf,
  NOW_MS,
  OTHER_RESULT,
  papersOf,
  placed,
  RESULT,
  reveal,
  saidOf,
  signedJob,
  submitted,
  type TaskBench,
  taskBench,
} from './testing/task-bench.ts';

async function benchOf(t: TestContext, operators: readonly number[]): Promise<TaskBench> {
  const bench = await taskBench(operators);
  t.after(() => bench.database.destroy());
  return bench;
}

function failsWith(code: ErrorCode): (error: unknown) => boolean {
  return (error) => error instanceof AppError && error.code === code && error.hint !== undefined;
}

test('two operators that agree complete a job, and all of it stands in one chain', async (t) => {
  const bench = await benchOf(t, [1, 1, 2]);
  const job = await submitted(bench);
  const [a = assert.fail(), b = assert.fail(), ...others] = await claimed(bench);
  assert.equal(others.length, 0);
  assert.notEqual(a.worker.operator, b.worker.operator);
  const statuses = [];
  for (const each of [a, b]) statuses.push((await commit(bench, each)).status);
  for (const each of [a, b]) statuses.push((await reveal(bench, each)).status);
  assert.deepEqual(statuses, ['taken', 'taken', 'taken', 'taken']);
  const view = await viewNetworkJob(bench.database, job);
  assert.equal(view.state, 'COMPLETE');
  const [task = assert.fail()] = view.tasks;
  assert.deepEqual([task.state, task.resultDigest, task.isChecked], ['COMPLETE', RESULT, true]);
  assert.deepEqual(
    task.attempts.map(({ state, verdict }) => [state, verdict]),
    [
      ['REVEALED', 'valid'],
      ['REVEALED', 'valid'],
    ],
  );
  const rows = await bench.database.selectFrom('network_chain').select('entry').execute();
  const entries = rows.map(({ entry }) => parseChainEntry(utf8(entry)));
  assert.equal(verifyChain(nodeCrypto, entries, bench.keeper).status, 'valid');
  assert.equal(entries.length, 4);
  assert.equal((await revealsOf(bench.database, a.taskId)).length, 2);
});

test('a nonce is one job: the same document is the same job, another one is refused', async (t) => {
  const bench = await benchOf(t, [1]);
  const { crypto, network, coordinator } = bench.keeper;
  const options = { crypto, network, coordinator, nowMs: NOW_MS };
  const submit = async (job: Signed<NetworkJob>, change = {}) =>
    submitNetworkJob(bench.database, await papersOf(bench, job), { ...options, ...change });
  const signed = await signedJob(bench);
  const first = await submit(signed);
  assert.equal(first.status, 'created');
  assert.deepEqual(await submit(signed), { ...first, status: 'known' });
  const { nonce } = signed.document;
  const other = await signedJob(bench, { nonce, redundancy: 1 });
  await assert.rejects(submit(other), failsWith('CONFLICT'));
  const forged = { ...signed, document: { ...signed.document, replicasMax: 6 } };
  await assert.rejects(submit(forged), failsWith('ACCESS_REFUSED'));
  const late = { nowMs: signed.document.expiresAtMs };
  await assert.rejects(submit(signed, late), failsWith('ACCESS_REFUSED'));
  const elsewhere = { coordinator: bench.workers[0]?.nodeId };
  await assert.rejects(submit(signed, elsewhere), failsWith('ACCESS_REFUSED'));
  assert.equal((await tasksToPlace(bench.database, NOW_MS)).length, 1);
  const stranger = { jobId: first.jobId, requester: `0x${'9'.repeat(40)}` };
  await assert.rejects(viewNetworkJob(bench.database, stranger), failsWith('OBJECT_NOT_FOUND'));
});

test('an offer is claimed by its node, under its token, in its time, and once', async (t) => {
  const bench = await benchOf(t, [1, 2]);
  await submitted(bench);
  const [a = assert.fail(), b = assert.fail()] = await placed(bench);
  const { database } = bench;
  const [offer = assert.fail()] = await offersOf(database, a.worker.nodeId, NOW_MS);
  assert.deepEqual([offer.attemptId, offer.fencingToken], [a.attemptId, a.fencingToken]);
  const wrong = [
    { ...callOf(a), nodeId: b.worker.nodeId },
    { ...callOf(a), fencingToken: b.fencingToken },
    callOf(a, NOW_MS + OFFER_MS),
  ];
  for (const call of wrong) assert.deepEqual(await claim(database, call), { status: 'lost' });
  const held = { status: 'claimed', leaseEndsAtMs: NOW_MS + LEASE_MS };
  assert.deepEqual(await claim(database, callOf(a)), held);
  assert.deepEqual(await claim(database, callOf(a, NOW_MS + 1)), held, 'said again');
  assert.deepEqual(await offersOf(database, a.worker.nodeId, NOW_MS), []);
  assert.equal(await expireLeases(database, NOW_MS + OFFER_MS), 1, 'the offer to the other node');
  const { status } = await claim(database, callOf(b, NOW_MS + OFFER_MS));
  assert.equal(status, 'lost');
});

test('a decision is carried out once, and not after the task wants something else', async (t) => {
  const bench = await benchOf(t, [1, 2]);
  await submitted(bench);
  const [task = assert.fail()] = await tasksToPlace(bench.database, NOW_MS);
  const decision = decisionOf(bench, task, { nowMs: NOW_MS, onShortfall: 'wait' });
  const place = (made: Decision) =>
    placeReplicas(bench.database, { decision: made, keeper: bench.keeper, nowMs: NOW_MS });
  const first = await place(decision);
  assert.equal(first.status, 'placed');
  const again = await place(decision);
  assert.deepEqual(again, { status: 'known' });
  const another = { ...decision, decidedAtMs: NOW_MS + 1 };
  const late = await place(another);
  assert.deepEqual(late, { status: 'stale' });
  assert.deepEqual(await tasksToPlace(bench.database, NOW_MS), []);
});

test('a renewed lease goes on; a lost one never comes back, and its result changes nothing', async (t) => {
  const bench = await benchOf(t, [1, 2, 3]);
  const job = await submitted(bench);
  const [a = assert.fail(), b = assert.fail()] = await claimed(bench);
  const half = NOW_MS + LEASE_MS / 2;
  const renewed = await renewLease(bench.database, callOf(b, half));
  assert.deepEqual(renewed, { status: 'held', phase: 'work', leaseEndsAtMs: half + LEASE_MS });
  const over = NOW_MS + LEASE_MS;
  assert.equal((await commit(bench, a, { nowMs: over })).status, 'lost', 'before any sweep');
  assert.equal(await expireLeases(bench.database, over), 1);
  assert.deepEqual(await renewLease(bench.database, callOf(a, over)), { status: 'lost' });
  assert.equal((await commit(bench, a, { nowMs: over })).status, 'lost');
  const [c = assert.fail()] = await claimed(bench, over + RETRY_MAX_MS);
  assert.ok(c.fencingToken > b.fencingToken);
  const view = await viewNetworkJob(bench.database, job);
  assert.deepEqual(
    view.tasks[0]?.attempts.map(({ state }) => state),
    ['ENDED', 'RUNNING', 'RUNNING'],
  );
});

test('nobody reveals before all have committed, and nobody reads a reveal before the end', async (t) => {
  const bench = await benchOf(t, [1, 2]);
  const job = await submitted(bench);
  const [a = assert.fail(), b = assert.fail()] = await claimed(bench);
  assert.equal((await reveal(bench, a)).status, 'too_early', 'nothing is committed');
  const first = await commit(bench, a);
  assert.deepEqual(await commit(bench, a), first, 'said again');
  assert.equal((await commit(bench, a, { result: OTHER_RESULT })).status, 'different');
  assert.equal((await reveal(bench, a)).status, 'too_early');
  const phase = async (each: typeof a) => {
    const lease = await renewLease(bench.database, callOf(each));
    return lease.status === 'held' ? lease.phase : lease.status;
  };
  assert.deepEqual([await phase(a), await phase(b)], ['wait', 'work']);
  await commit(bench, b);
  assert.deepEqual([await phase(a), await phase(b)], ['reveal', 'reveal']);
  const revealed = await reveal(bench, a);
  assert.equal(revealed.status, 'taken');
  assert.deepEqual(await revealsOf(bench.database, a.taskId), []);
  const sealed = JSON.stringify(await viewNetworkJob(bench.database, job));
  assert.ok(!sealed.includes(`"resultDigest":"${RESULT}"`));
  await reveal(bench, b);
  assert.deepEqual(await reveal(bench, a), revealed, 'said again after the end');
  assert.deepEqual([await phase(a), await phase(b)], ['over', 'over']);
});

test('a third operator settles a disagreement, and the wrong one is told apart', async (t) => {
  const bench = await benchOf(t, [1, 2, 3]);
  const job = await submitted(bench);
  const [a = assert.fail(), b = assert.fail()] = await claimed(bench);
  await commit(bench, a);
  await commit(bench, b, { result: OTHER_RESULT });
  await reveal(bench, a);
  await reveal(bench, b, { result: OTHER_RESULT });
  const [c = assert.fail(), ...more] = await claimed(bench);
  assert.equal(more.length, 0);
  await commit(bench, c);
  await reveal(bench, c);
  const [task = assert.fail()] = (await viewNetworkJob(bench.database, job)).tasks;
  assert.equal(task.resultDigest, RESULT);
  const verdicts = new Map(task.attempts.map((each) => [each.attemptId, each.verdict]));
  assert.deepEqual(
    [a, b, c].map(({ attemptId }) => verdicts.get(attemptId)),
    ['valid', 'invalid', 'valid'],
  );
});

test("a copied commit opens for nobody but its maker, and another's signature is none", async (t) => {
  const bench = await benchOf(t, [1, 2, 3]);
  const job = await submitted(bench);
  const { database, keeper } = bench;
  const [a = assert.fail(), b = assert.fail()] = await claimed(bench);
  await commit(bench, a);
  const { commit: copied } = saidOf(bench, a).statement;
  const statement = { ...saidOf(bench, b).statement, commit: copied };
  const signed = signWithKey(nodeCrypto, b.worker.secretKey, statement);
  const forged = signWithKey(nodeCrypto, a.worker.secretKey, statement);
  const take = (each: typeof signed) =>
    commitResult(database, { signed: each, keeper, nowMs: NOW_MS });
  assert.deepEqual(await take(forged), { status: 'bad_signature' });
  assert.equal((await take(signed)).status, 'taken');
  await reveal(bench, a);
  // The copier learns the result somehow, and reveals it with its own salt.
  assert.equal((await reveal(bench, b)).status, 'taken');
  const view = await viewNetworkJob(database, job);
  assert.equal(view.tasks[0]?.state, 'RUNNING', 'one vote of two');
  const [c = assert.fail()] = await claimed(bench);
  await commit(bench, c);
  await reveal(bench, c);
  const [task = assert.fail()] = (await viewNetworkJob(database, job)).tasks;
  const verdicts = new Map(task.attempts.map((each) => [each.attemptId, each.verdict]));
  assert.equal(verdicts.get(b.attemptId), 'invalid');
});

test('failures are tried again after longer and longer pauses, then put aside, and may be retried', async (t) => {
  const bench = await benchOf(t, [1]);
  const job = await submitted(bench, { redundancy: 1, replicasMax: 3 });
  const { database } = bench;
  const pauses: number[] = [];
  let nowMs = NOW_MS;
  for (let n = 0; n < 3; n++) {
    const [attempt = assert.fail()] = await claimed(bench, nowMs);
    const call = { ...callOf(attempt, nowMs), code: 'TOOL_CRASHED' };
    assert.equal(await failAttempt(database, call), true);
    assert.equal(await failAttempt(database, call), true, 'said again');
    assert.deepEqual(await tasksToPlace(database, nowMs), []);
    const { place_after } = await database
      .selectFrom('network_tasks')
      .select('place_after')
      .executeTakeFirstOrThrow();
    pauses.push(place_after - nowMs);
    nowMs = place_after;
  }
  assert.ok((pauses[0] ?? 0) < (pauses[1] ?? 0) && (pauses[1] ?? 0) < (pauses[2] ?? 0));
  assert.equal((await viewNetworkJob(database, job)).state, 'SYSTEM_ERROR');
  const [letter = assert.fail(), ...more] = await deadLetters(database);
  assert.equal(more.length, 0);
  assert.equal(await retryDead(database, letter.taskId, nowMs), 'retried');
  assert.equal(await retryDead(database, letter.taskId, nowMs), 'not_dead');
  assert.deepEqual(await deadLetters(database), []);
  const [again = assert.fail()] = await claimed(bench, nowMs);
  assert.equal(again.fencingToken, 4);
  await commit(bench, again, { nowMs });
  await reveal(bench, again, { nowMs });
  const view = await viewNetworkJob(database, job);
  assert.deepEqual([view.state, view.tasks[0]?.isChecked], ['COMPLETE', false]);
});

test('a canceled job ends all that is at work for it, once and for all', async (t) => {
  const bench = await benchOf(t, [1, 2]);
  const job = await submitted(bench);
  const [a = assert.fail(), b = assert.fail()] = await claimed(bench);
  await commit(bench, a);
  const canceled = await cancelNetworkJob(bench.database, { ...job, nowMs: NOW_MS });
  assert.equal(canceled.state, 'CANCELED');
  assert.equal((await commit(bench, b)).status, 'lost');
  assert.equal((await reveal(bench, a)).status, 'lost');
  for (const each of [a, b]) {
    assert.deepEqual(await renewLease(bench.database, callOf(each)), { status: 'lost' }, 'wiped');
  }
  const again = await cancelNetworkJob(bench.database, { ...job, nowMs: NOW_MS + 5 });
  assert.deepEqual(again, canceled);
  const other = { ...job, requester: `0x${'9'.repeat(40)}`, nowMs: NOW_MS };
  await assert.rejects(cancelNetworkJob(bench.database, other), failsWith('OBJECT_NOT_FOUND'));
});

test('who misses the deadline of a commit or a reveal is ended, and another takes its place', async (t) => {
  const bench = await benchOf(t, [1, 2, 3, 4]);
  await submitted(bench);
  const [a = assert.fail(), b = assert.fail()] = await claimed(bench);
  await commit(bench, a);
  let nowMs = NOW_MS + COMMIT_WAIT_MS;
  // As if the other one had renewed its lease all the time.
  await bench.database
    .updateTable('network_replicas')
    .set({ lease_ends_at: nowMs + LEASE_MS })
    .where('attempt_id', '=', b.attemptId)
    .execute();
  await expireLeases(bench.database, nowMs);
  assert.equal((await commit(bench, b, { nowMs })).status, 'lost', 'reveals are open');
  nowMs += REVEAL_WAIT_MS;
  await expireLeases(bench.database, nowMs);
  assert.equal((await reveal(bench, a, { nowMs })).status, 'lost');
  const next = await claimed(bench, nowMs + RETRY_MAX_MS);
  assert.equal(next.length, 2);
  assert.ok(
    next.every(({ worker }) => worker.operator !== a.worker.operator),
    'a has had its vote',
  );
});

test('too few operators: the task waits and says so, or runs once and says that nobody checked', async (t) => {
  const bench = await benchOf(t, [1, 1]);
  const job = await submitted(bench);
  assert.deepEqual(await placed(bench), []);
  assert.deepEqual(await tasksToPlace(bench.database, NOW_MS), [], 'it pauses');
  assert.equal((await viewNetworkJob(bench.database, job)).reason?.code, 'BUSY');
  const [task = assert.fail()] = await tasksToPlace(bench.database, NOW_MS + 60_000);
  const nowMs = NOW_MS + 60_000;
  const decision = decisionOf(bench, task, { nowMs, onShortfall: 'run_once' });
  const { status } = await placeReplicas(bench.database, { decision, keeper: bench.keeper, nowMs });
  assert.equal(status, 'placed');
  assert.equal((await viewNetworkJob(bench.database, job)).reason, null);
});

test('a job that has expired is ended, and not retried', async (t) => {
  const bench = await benchOf(t, [1]);
  const job = await submitted(bench, { redundancy: 1, expiresAtMs: NOW_MS + 1_000 });
  const [a = assert.fail()] = await placed(bench);
  const nowMs = NOW_MS + 1_000;
  assert.deepEqual(await claim(bench.database, callOf(a, nowMs)), { status: 'lost' });
  await expireLeases(bench.database, nowMs);
  assert.equal((await viewNetworkJob(bench.database, job)).state, 'SYSTEM_ERROR');
  assert.equal(await retryDead(bench.database, a.taskId, nowMs), 'expired');
});

test('a job asks for no more replicas than the scheduler takes', async (t) => {
  const bench = await benchOf(t, [1]);
  const { document } = await signedJob(bench);
  const most = { ...document, redundancy: REDUNDANCY_MAX, replicasMax: REPLICAS_MAX };
  const { redundancy, replicasMax } = networkJobSchema.parse(most);
  assert.ok(quorumPolicySchema.safeParse({ redundancy, replicasMax }).success);
  const more = { ...most, replicasMax: REPLICAS_MAX + 1 };
  assert.equal(networkJobSchema.safeParse(more).success, false);
});
