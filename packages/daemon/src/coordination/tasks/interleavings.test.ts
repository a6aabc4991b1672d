/**
 * Random interleavings of everything that nodes, the clock and the requester may do, honest or not,
 * with the invariants looked at after every step, and an end that is reached after all of it.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Digest } from '@helixmesh/protocol';
import { nodeCrypto } from '@helixmesh/protocol/node';
import { parseChainEntry, signWithKey, utf8, verifyChain } from '@helixmesh/protocol/sealing';
import fc from 'fast-check';
import { expireLeases, failAttempt, renewLease } from './attempts.ts';
import { commitResult } from './commits.ts';
import { deadLetters, retryDead } from './dead-letters.ts';
import { LEASE_MS } from './limits.ts';
import { claim, offersOf } from './placement.ts';
import { isOpen, type ReplicaRow, type TaskRow } from './rounds.ts';
import {
  callOf,
  commit,
  NOW_MS,
  OTHER_RESULT,
  placed,
  RESULT,
  reveal,
  saidOf,
  submitted,
  type TaskBench,
  type TestAttempt,
  taskBench,
} from './testing/task-bench.ts';

const ACTIONS = [
  'place',
  'claim',
  'renew',
  'fail',
  'commit',
  'commit_wrong',
  'commit_copied',
  'commit_as_another',
  'reveal',
  'reveal_wrong',
  'sweep',
  'wait',
  'wait_long',
  'retry_dead',
] as const;
type Action = (typeof ACTIONS)[number];

interface Step {
  readonly action: Action;
  /** Chooses an attempt of those that there ever were, and another one to copy from. */
  readonly pick: number;
  readonly other: number;
}

interface World {
  readonly bench: TaskBench;
  readonly attempts: TestAttempt[];
  /** What each attempt has in truth bound itself to, by attempt id. */
  readonly results: Map<string, Digest>;
  nowMs: number;
}

interface Snapshot {
  readonly task: TaskRow;
  readonly replicas: readonly ReplicaRow[];
}

const OPERATORS = [1, 1, 2, 3, 4, 5];
const POLICY = { redundancy: 2, replicasMax: 5 };

async function act(world: World, { action, pick, other }: Step): Promise<void> {
  const { bench, attempts, nowMs } = world;
  const { database } = bench;
  if (action === 'place') attempts.push(...(await placed(bench, nowMs)));
  if (action === 'sweep') await expireLeases(database, nowMs);
  if (action === 'wait') world.nowMs += LEASE_MS / 3;
  if (action === 'wait_long') world.nowMs += 2 * LEASE_MS + pick * 60_000;
  if (action === 'retry_dead') {
    for (const { taskId } of await deadLetters(database)) await retryDead(database, taskId, nowMs);
  }
  const attempt = attempts[pick % attempts.length];
  if (attempt === undefined) return;
  const call = callOf(attempt, nowMs);
  const result = world.results.get(attempt.attemptId) ?? RESULT;
  if (action === 'claim') await claim(database, call);
  if (action === 'renew') await renewLease(database, call);
  if (action === 'fail') await failAttempt(database, { ...call, code: 'TOOL_CRASHED' });
  if (action === 'commit') await commits(world, attempt, RESULT);
  if (action === 'commit_wrong') await commits(world, attempt, OTHER_RESULT);
  if (action === 'reveal') await reveal(bench, attempt, { result, nowMs });
  if (action === 'reveal_wrong') {
    await reveal(bench, attempt, { result: result === RESULT ? OTHER_RESULT : RESULT, nowMs });
  }
  const source = attempts[other % attempts.length];
  if (source === undefined || source.worker === attempt.worker) return;
  if (action === 'commit_copied') await copies(world, { attempt, source });
  if (action === 'commit_as_another') {
    const stolen = { ...attempt, attemptId: source.attemptId, fencingToken: source.fencingToken };
    assert.equal((await commit(bench, stolen, { nowMs })).status, 'lost');
  }
}

async function commits(world: World, attempt: TestAttempt, result: Digest): Promise<void> {
  const { replicas } = await snapshotOf(world);
  const before = replicas.find(({ attempt_id }) => attempt_id === attempt.attemptId);
  const { status } = await commit(world.bench, attempt, { result, nowMs: world.nowMs });
  if (status !== 'taken') return;
  world.results.set(attempt.attemptId, result);
  if (before?.commit_digest !== null) return;
  assert.equal(before.state, 'RUNNING', 'who has claimed commits');
  assert.ok(before.lease_ends_at > world.nowMs, 'and within the lease');
}

async function copies(
  { bench: { database, keeper }, nowMs, ...world }: World,
  { attempt, source }: { readonly attempt: TestAttempt; readonly source: TestAttempt },
): Promise<void> {
  const bench = { keeper };
  const { commit: copied } = saidOf(bench, source, world.results.get(source.attemptId)).statement;
  const statement = { ...saidOf(bench, attempt).statement, commit: copied };
  const signed = signWithKey(nodeCrypto, attempt.worker.secretKey, statement);
  await commitResult(database, { signed, keeper, nowMs });
}

async function snapshotOf({ bench: { database } }: World): Promise<Snapshot> {
  const task = await database.selectFrom('network_tasks').selectAll().executeTakeFirstOrThrow();
  const replicas = await database
    .selectFrom('network_replicas')
    .selectAll()
    .orderBy('fencing_token')
    .execute();
  return { task, replicas };
}

/** What must hold at any time. */
function checkState({ task, replicas }: Snapshot): void {
  const tokens = replicas.map(({ fencing_token }) => fencing_token);
  assert.deepEqual(
    tokens,
    tokens.map((_, index) => index + 1),
    'each attempt has the next fencing token',
  );
  const own = replicas.filter(({ generation }) => generation === task.generation);
  const operators = own.filter(isOpen).map(({ operator }) => operator);
  assert.equal(new Set(operators).size, operators.length, 'one attempt of an operator is open');
  const voters = own.filter(({ digest }) => digest !== null).map(({ operator }) => operator);
  assert.equal(new Set(voters).size, voters.length, 'an operator has one vote');
  const started = own.filter(({ state }) => state !== 'WITHDRAWN');
  assert.ok(started.length <= POLICY.replicasMax, 'no more attempts than the job allows');
  for (const round of new Set(own.map((each) => each.round))) {
    const inRound = own.filter((each) => each.round === round);
    const reveals = inRound.flatMap(({ reveal_sequence }) => reveal_sequence ?? []);
    const commitsOfRound = inRound.flatMap(({ commit_sequence }) => commit_sequence ?? []);
    const firstReveal = Math.min(...reveals, Number.POSITIVE_INFINITY);
    assert.ok(Math.max(-1, ...commitsOfRound) < firstReveal, 'no commit follows a reveal');
  }
  if (task.state !== 'COMPLETE') {
    assert.equal(task.result_digest, null);
    return;
  }
  assert.ok(own.every(({ state }) => !['OFFERED', 'RUNNING', 'COMMITTED'].includes(state)));
  const votes = own.filter(({ digest }) => digest === task.result_digest);
  assert.ok(votes.length > POLICY.redundancy / 2 && 2 * votes.length > voters.length);
  assert.ok(votes.every(({ verdict }) => verdict === 'valid'));
}

/** What was said stays said. */
function checkStep(before: Snapshot, after: Snapshot): void {
  if (before.task.state === 'COMPLETE') assert.deepEqual(after, before, 'a result stays as it is');
  for (const row of before.replicas) {
    const next = after.replicas.find(({ attempt_id }) => attempt_id === row.attempt_id);
    assert.ok(next !== undefined);
    if (['ENDED', 'WITHDRAWN'].includes(row.state)) {
      assert.deepEqual(
        { ...next, verdict: null },
        { ...row, verdict: null },
        'late changes nothing',
      );
    }
    if (row.commit_digest !== null) assert.equal(next.commit_digest, row.commit_digest);
    if (row.state === 'REVEALED') assert.equal(next.digest, row.digest);
  }
}

/** A vote is for what its node had in truth bound itself to: copies and changes of mind have none. */
function checkVotes({ replicas }: Snapshot, { results }: World): void {
  for (const { attempt_id, digest } of replicas) {
    if (digest !== null) assert.equal(digest, results.get(attempt_id));
  }
}

/** From here on everybody is honest and at work; the task must end. */
async function finish(world: World): Promise<void> {
  const { database } = world.bench;
  for (let n = 0; n < 40; n++) {
    world.nowMs += 16 * 60_000;
    await expireLeases(database, world.nowMs);
    world.attempts.push(...(await placed(world.bench, world.nowMs)));
    for (const attempt of world.attempts) {
      const offers = await offersOf(database, attempt.worker.nodeId, world.nowMs);
      if (offers.some(({ attemptId }) => attemptId === attempt.attemptId)) {
        await claim(database, callOf(attempt, world.nowMs));
        await commits(world, attempt, RESULT);
      }
    }
    for (const attempt of world.attempts) {
      const result = world.results.get(attempt.attemptId) ?? RESULT;
      await reveal(world.bench, attempt, { result, nowMs: world.nowMs });
    }
    const { task } = await snapshotOf(world);
    if (task.state === 'COMPLETE' || task.state === 'SYSTEM_ERROR') return;
  }
  assert.fail('the task did not end');
}

/** The chain holds, and what stands in it is what counts. */
async function checkChain(
  { bench: { database, keeper } }: World,
  { replicas }: Snapshot,
): Promise<number> {
  const rows = await database
    .selectFrom('network_chain')
    .select('entry')
    .orderBy('sequence')
    .execute();
  const entries = rows.map(({ entry }) => parseChainEntry(utf8(entry)));
  assert.equal(verifyChain(nodeCrypto, entries, keeper).status, 'valid');
  const counted = replicas.flatMap((row) => [
    ...(row.commit_sequence === null ? [] : [[row.commit_sequence, 'commit', row.attempt_id]]),
    ...(row.reveal_sequence === null ? [] : [[row.reveal_sequence, 'reveal', row.attempt_id]]),
  ]);
  assert.deepEqual(
    entries.map(({ document }) => [document.sequence, document.kind, document.attemptId]),
    counted.toSorted((a, b) => Number(a[0]) - Number(b[0])),
  );
  return entries.length;
}

const weights: readonly Action[] = [...ACTIONS, 'place', 'claim', 'claim', 'commit', 'reveal'];
const steps: fc.Arbitrary<Step[]> = fc.array(
  fc.record({
    action: fc.constantFrom(...weights),
    pick: fc.nat({ max: 7 }),
    other: fc.nat({ max: 7 }),
  }),
  { minLength: 10, maxLength: 60, size: 'max' },
);

test('whatever nodes do in whatever order, nobody votes twice, nothing late counts, and it ends', async () => {
  const seen = { complete: 0, dead: 0, chained: 0 };
  await fc.assert(
    fc.asyncProperty(steps, async (taken) => {
      const bench = await taskBench(OPERATORS);
      try {
        await submitted(bench, POLICY);
        const world: World = { bench, attempts: [], results: new Map(), nowMs: NOW_MS };
        let before = await snapshotOf(world);
        for (const step of taken) {
          await act(world, step);
          const after = await snapshotOf(world);
          checkState(after);
          checkStep(before, after);
          checkVotes(after, world);
          before = after;
        }
        await finish(world);
        const end = await snapshotOf(world);
        checkState(end);
        checkVotes(end, world);
        seen.chained += await checkChain(world, end);
        seen[end.task.state === 'COMPLETE' ? 'complete' : 'dead'] += 1;
      } finally {
        await bench.database.destroy();
      }
    }),
    { numRuns: 60 },
  );
  // The guard: both ends were reached, and the chain was not empty.
  assert.ok(seen.complete > 10 && seen.chained > 60, JSON.stringify(seen));
});
