/** Jobs that are spread over several tasks: what waits for what, and what one end means for the rest. */
import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { type Digest, stageOfTask } from '@helixmesh/protocol';
import { failAttempt, renewLease } from './attempts.ts';
import { deadLetters, retryDead } from './dead-letters.ts';
import { inputsOf } from './inputs.ts';
import { createJobEnds } from './job-ends.ts';
import { LEASE_MS, RERUN_WAIT_MS, RETRY_MAX_MS } from './limits.ts';
import { needsOf, priceShareOf } from './needs.ts';
import { placeReplicas, tasksToPlace } from './placement.ts';
import { cancelNetworkJob, submitNetworkJob, viewNetworkJob } from './submit.ts';
import {
  callOf,
  claimed,
  commit,
  decisionOf,
  NOW_MS,
  OTHER_RESULT,
  papersOf,
  RESULT,
  reveal,
  signedJob,
  submitted,
  type TaskBench,
  type TestAttempt,
  taskBench,
} from './testing/task-bench.ts';

const SPREAD = 3;
const spread = { parameters: { spread: SPREAD } };
const CALLS = ['call.1', 'call.2', 'call.3'];

async function benchOf(t: TestContext, operators: readonly number[]): Promise<TaskBench> {
  const bench = await taskBench(operators);
  t.after(() => bench.database.destroy());
  return bench;
}

type Job = Awaited<ReturnType<typeof submitted>>;

/** What is claimed now, by the names of the tasks. */
async function claimedByName(bench: TaskBench, nowMs: number = NOW_MS) {
  const names = await bench.database
    .selectFrom('network_tasks')
    .select(['task_id', 'name'])
    .execute();
  const attempts = await claimed(bench, nowMs);
  return Map.groupBy(
    attempts,
    ({ taskId }) => names.find(({ task_id }) => task_id === taskId)?.name ?? assert.fail(),
  );
}

/** All commit, then all reveal. */
async function agree(
  bench: TaskBench,
  attempts: readonly TestAttempt[],
  results: readonly Digest[] = [],
): Promise<void> {
  for (const [i, each] of attempts.entries()) {
    await commit(bench, each, { result: results[i] ?? RESULT });
  }
  for (const [i, each] of attempts.entries()) {
    await reveal(bench, each, { result: results[i] ?? RESULT });
  }
}

async function statesOf({ database }: TaskBench, job: Job): Promise<Record<string, string>> {
  const { tasks, state } = await viewNetworkJob(database, job);
  return Object.fromEntries([['job', state], ...tasks.map(({ name, state }) => [name, state])]);
}

test('the calls begin when the alignment is agreed on, and the end when all calls are', async (t) => {
  const bench = await benchOf(t, [1, 2, 3]);
  const job = await submitted(bench, spread);
  const view = await viewNetworkJob(bench.database, job);
  assert.deepEqual(
    view.tasks.map(({ name }) => name),
    ['align', ...CALLS, 'finish'],
  );
  const first = await claimedByName(bench);
  assert.deepEqual([...first.keys()], ['align']);
  const [a = assert.fail(), b = assert.fail()] = first.get('align') ?? [];
  await commit(bench, a);
  assert.equal((await claimedByName(bench)).size, 0, 'a commit of one is no agreement');
  await commit(bench, b);
  for (const each of [a, b]) await reveal(bench, each);

  const second = await claimedByName(bench);
  assert.deepEqual([...second.keys()].sort(), CALLS);
  for (const name of CALLS) {
    const attempts = second.get(name) ?? [];
    assert.equal(new Set(attempts.map(({ worker }) => worker.operator)).size, 2, name);
  }
  for (const name of CALLS.slice(1)) await agree(bench, second.get(name) ?? []);
  assert.equal((await claimedByName(bench)).size, 0, 'one call is missing');
  await agree(bench, second.get('call.1') ?? []);

  const third = await claimedByName(bench);
  assert.deepEqual([...third.keys()], ['finish']);
  assert.equal((await statesOf(bench, job))['job'], 'RUNNING');
  await agree(bench, third.get('finish') ?? []);
  const states = await statesOf(bench, job);
  assert.deepEqual(new Set(Object.values(states)), new Set(['COMPLETE']));
});

test('a node is told who has what its task begins with, while it runs and no longer', async (t) => {
  const bench = await benchOf(t, [1, 2, 3]);
  await submitted(bench, spread);
  const align = (await claimedByName(bench)).get('align') ?? [];
  const [first = assert.fail()] = align;
  assert.deepEqual(await inputsOf(bench.database, callOf(first)), []);
  await agree(bench, align);
  const [call = assert.fail()] = (await claimedByName(bench)).get('call.2') ?? [];
  const inputs = await inputsOf(bench.database, callOf(call));
  // The nodes of this bench are not registered, so nobody knows where they are.
  assert.deepEqual(inputs, [{ task: 'align', resultDigest: RESULT, sources: [] }]);
  const late = callOf(call, NOW_MS + LEASE_MS);
  assert.equal(await inputsOf(bench.database, late), undefined);
  const stranger = { ...callOf(call), nodeId: first.worker.nodeId };
  if (first.worker.nodeId !== call.worker.nodeId) {
    assert.equal(await inputsOf(bench.database, stranger), undefined);
  }
});

test('a task that waited for a free node is placed when another one has committed', async (t) => {
  const bench = await benchOf(t, [1, 2]);
  const { database } = bench;
  await submitted(bench, { ...spread, redundancy: 1 });
  await agree(bench, (await claimedByName(bench)).get('align') ?? []);
  const later = { place_after: NOW_MS + 30_000 };
  const put = (name: string, change: object) =>
    database.updateTable('network_tasks').set(change).where('name', '=', name).execute();
  await put('call.2', later);
  await put('call.3', { ...later, failures: 1 });
  const calls = await claimedByName(bench);
  assert.deepEqual([...calls.keys()], ['call.1']);
  const [first = assert.fail()] = calls.get('call.1') ?? [];
  await commit(bench, first);
  assert.deepEqual([...(await claimedByName(bench)).keys()], ['call.2'], 'a failure has its pause');
});

test('what ends a task ends its job, and a retry opens all that it ended', async (t) => {
  const bench = await benchOf(t, [1, 2, 3, 4]);
  const { database } = bench;
  const job = await submitted(bench, { ...spread, replicasMax: 2 });
  await agree(bench, (await claimedByName(bench)).get('align') ?? []);
  const calls = await claimedByName(bench);
  const other = calls.get('call.1')?.[0] ?? assert.fail();
  for (const attempt of calls.get('call.2') ?? []) {
    await failAttempt(database, { ...callOf(attempt), code: 'TOOL_FAILED' });
  }
  assert.deepEqual(await statesOf(bench, job), {
    job: 'SYSTEM_ERROR',
    align: 'COMPLETE',
    'call.1': 'CANCELED',
    'call.2': 'SYSTEM_ERROR',
    'call.3': 'CANCELED',
    finish: 'CANCELED',
  });
  assert.equal((await renewLease(database, callOf(other))).status, 'lost');
  assert.equal((await claimedByName(bench)).size, 0);
  const [dead = assert.fail()] = await deadLetters(database);
  const againMs = NOW_MS + RETRY_MAX_MS;
  assert.equal(await retryDead(database, dead.taskId, againMs), 'retried');
  assert.deepEqual(await deadLetters(database), []);
  const again = await claimedByName(bench, againMs);
  assert.deepEqual([...again.keys()].sort(), CALLS);
});

test('a canceled job ends all its tasks, and its custodian is told until it has heard', async (t) => {
  const bench = await benchOf(t, [1, 2]);
  const { database } = bench;
  const job = await submitted(bench, spread);
  const told: string[] = [];
  let isAway = true;
  const clock = { nowMs: NOW_MS };
  const ends = createJobEnds({
    database,
    now: () => clock.nowMs,
    logger: { warn: () => undefined } as never,
    tell: async (custodian, jobId) => {
      if (isAway) throw new Error('away');
      told.push(`${jobId} ${custodian.split('@')[0]}`);
    },
  });
  const { signal } = new AbortController();
  assert.equal(await ends.look(signal), 0, 'it is under way');
  await cancelNetworkJob(database, { ...job, nowMs: NOW_MS });
  assert.deepEqual(new Set(Object.values(await statesOf(bench, job))), new Set(['CANCELED']));
  assert.equal(await ends.look(signal), 0);
  isAway = false;
  clock.nowMs += 60_000;
  assert.equal(await ends.look(signal), 1);
  assert.equal(await ends.look(signal), 0);
  assert.deepEqual(told, [`${job.jobId} node_${'a'.repeat(64)}`]);
});

test('a job of one operator has one of its calls done again by another, after its first commit', async (t) => {
  const bench = await benchOf(t, [1, 2, 3]);
  const job = await submitted(bench, { ...spread, redundancy: 1 });
  await agree(bench, (await claimedByName(bench)).get('align') ?? []);
  const calls = await claimedByName(bench);
  assert.deepEqual(
    CALLS.map((name) => calls.get(name)?.length),
    [1, 1, 1],
    'nothing shows which one it is',
  );
  for (const name of CALLS) await agree(bench, calls.get(name) ?? []);
  const again = await claimedByName(bench);
  const [[name, [second = assert.fail()]] = assert.fail(), ...others] = [...again];
  assert.equal(others.length, 0);
  const [first = assert.fail()] = calls.get(name) ?? [];
  assert.notEqual(second.worker.operator, first.worker.operator);
  await agree(bench, [second]);
  const { tasks } = await viewNetworkJob(bench.database, job);
  const checked = tasks.filter(({ isChecked }) => isChecked === true);
  assert.deepEqual(
    checked.map((task) => task.name),
    [name],
  );
  assert.deepEqual([...(await claimedByName(bench)).keys()], ['finish']);
});

test('a call that another operator does otherwise is told apart by a third', async (t) => {
  const bench = await benchOf(t, [1, 2, 3]);
  const job = await submitted(bench, { ...spread, redundancy: 1 });
  await agree(bench, (await claimedByName(bench)).get('align') ?? []);
  const calls = await claimedByName(bench);
  for (const name of CALLS) await agree(bench, calls.get(name) ?? [], [OTHER_RESULT]);
  const [[name, second] = assert.fail()] = [...(await claimedByName(bench))];
  await agree(bench, second);
  const third = (await claimedByName(bench)).get(name) ?? assert.fail();
  await agree(bench, third);
  const view = await viewNetworkJob(bench.database, job);
  const task = view.tasks.find((each) => each.name === name) ?? assert.fail();
  assert.deepEqual(
    [task.resultDigest, task.attempts.map(({ verdict }) => verdict)],
    [RESULT, ['invalid', 'valid', 'valid']],
  );
});

test('where no other operator may do it again, the call stands after a while, unchecked', async (t) => {
  const bench = await benchOf(t, [1]);
  await submitted(bench, { ...spread, redundancy: 1 });
  await agree(bench, (await claimedByName(bench)).get('align') ?? []);
  const calls = await claimedByName(bench);
  for (const name of CALLS) await agree(bench, calls.get(name) ?? []);
  const place = async (nowMs: number) => {
    for (const task of await tasksToPlace(bench.database, nowMs)) {
      const decision = decisionOf(bench, task, { nowMs, onShortfall: 'wait' });
      await placeReplicas(bench.database, { decision, keeper: bench.keeper, nowMs });
    }
  };
  await place(NOW_MS);
  assert.equal((await claimedByName(bench)).size, 0);
  const afterwardsMs = NOW_MS + RERUN_WAIT_MS;
  await place(afterwardsMs);
  assert.deepEqual([...(await claimedByName(bench, afterwardsMs)).keys()], ['finish']);
});

test('a spread that means nothing, and one over two custodians, is no job', async (t) => {
  const bench = await benchOf(t, [1]);
  const { crypto, network, coordinator } = bench.keeper;
  const submit = async (change: Parameters<typeof signedJob>[1]) =>
    submitNetworkJob(bench.database, await papersOf(bench, await signedJob(bench, change)), {
      ...{ crypto, network, coordinator, nowMs: NOW_MS },
    });
  for (const wrong of [0, 65, 'two', true]) {
    await assert.rejects(submit({ parameters: { spread: wrong } }), { code: 'USAGE' });
  }
  await submit({ parameters: { spread: 1 } });
  const rows = await bench.database.selectFrom('network_tasks').select('name').execute();
  assert.deepEqual(
    rows.map(({ name }) => name),
    ['main'],
  );
});

test('what all replicas of all tasks may cost is what the job may cost', async (t) => {
  const bench = await benchOf(t, [1]);
  const bytes = [60 * 2 ** 30];
  for (const redundancy of [1, 2, 3]) {
    const { document: job } = await signedJob(bench, { ...spread, redundancy });
    const shareOf = (name: string) =>
      priceShareOf(bytes, { job, stage: stageOfTask(name, SPREAD) });
    const shares = ['align', ...CALLS, 'finish'].map(shareOf);
    const [{ ofCoreSeconds } = assert.fail()] = shares;
    const once = shares.reduce((sum, { coreSeconds }) => sum + coreSeconds, 0);
    const again = redundancy === 1 ? shareOf('call.1').coreSeconds : 0;
    assert.equal(once * redundancy + again, ofCoreSeconds);
  }
  const call = needsOf(bytes, stageOfTask('call.1', SPREAD));
  const whole = needsOf(bytes, { kind: 'whole' });
  assert.ok(call.usage.coreSeconds < whole.usage.coreSeconds / SPREAD);
  assert.ok(call.diskBytes < whole.diskBytes);
});
