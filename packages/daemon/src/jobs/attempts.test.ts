import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type TaskSpec, taskKey } from '@helixmesh/pipelines';
import { type Database, openDatabase } from '../sql/database.ts';
import {
  cancelQueued,
  claimAttempt,
  enqueueAttempt,
  nextAttempt,
  preemptRunning,
  type QueuedAttempt,
  readOutcome,
  recordOutcome,
  unacknowledgedWaits,
} from './attempts.ts';
import { submitJob } from './jobs.ts';
import { readJournal } from './journal.ts';
import { lookupTask, type TaskRequest } from './tasks.ts';

const SPEC: TaskSpec = {
  name: 'call.chr1',
  pool: 'call',
  inputs: [{ kind: 'text', name: 'note', text: 'hello' }],
  commands: [{ kind: 'tools', stages: [{ tool: 'samtools', args: ['--version'] }] }],
  outputs: [{ name: 'out.txt', format: 'text', retention: 'result' }],
  toolVersions: { samtools: '1.16' },
  resources: { cores: 1, memoryMib: 64 },
};
const KEY = taskKey(SPEC);

async function jobWith(database: Database, outDir = '/out'): Promise<TaskRequest> {
  const { jobId } = await submitJob(database, {
    sampleId: 'S1',
    pipeline: 'germline',
    workflow: 'germline.v1',
    document: {},
    submissionKey: outDir,
    outDir,
    keepIntermediates: false,
  });
  return { jobId, generation: 1, spec: SPEC };
}

function complete() {
  const result = { key: KEY, outputs: {} };
  const rest = { wallMs: 5, cpuMs: 4, command: 'x', stderrTail: '', wasPublished: false };
  return { status: 'complete', result, ...rest } as const;
}

async function claimed(database: Database): Promise<QueuedAttempt> {
  const next = await nextAttempt(database, 'call');
  assert.equal(next?.cores, SPEC.resources.cores);
  const attempt = await claimAttempt(database, next.attemptId);
  assert.ok(attempt !== null);
  assert.equal(await claimAttempt(database, next.attemptId), null, 'only one may have it');
  return attempt;
}

test('a task runs once: the second asker gets the recorded result', async () => {
  const database = await openDatabase(':memory:');
  const request = await jobWith(database);
  const nothing = () => false;
  assert.deepEqual(await lookupTask(database, request, nothing), { status: 'run', missing: [] });
  await enqueueAttempt(database, request, 'wait-1');
  const attempt = await claimed(database);
  assert.equal(await recordOutcome(database, attempt, complete()), 'wait-1');
  const other = await jobWith(database, '/other');
  const known = await lookupTask(database, other, () => true);
  assert.equal(known.status, 'known');
  const gone = await lookupTask(database, other, nothing);
  assert.equal(gone.status, 'run', 'its files are gone, so it must run again');
  await database.destroy();
});

test('asking twice for one wait queues one attempt, and one attempt is claimed once', async () => {
  const database = await openDatabase(':memory:');
  const request = await jobWith(database);
  await lookupTask(database, request, () => false);
  await enqueueAttempt(database, request, 'wait-1');
  await enqueueAttempt(database, request, 'wait-1');
  await claimed(database);
  assert.equal(await nextAttempt(database, 'call'), null);
  await database.destroy();
});

test('the outcome of a preempted attempt changes nothing', async () => {
  const database = await openDatabase(':memory:');
  const request = await jobWith(database);
  await lookupTask(database, request, () => false);
  await enqueueAttempt(database, request, 'wait-1');
  const late = await claimed(database);
  assert.equal(await preemptRunning(database, 'align'), 0, 'another pool is not concerned');
  assert.equal(await preemptRunning(database, 'call'), 1);
  const next = await claimed(database);
  assert.ok(next.fencingToken > late.fencingToken);
  assert.equal(await recordOutcome(database, late, complete()), null);
  assert.deepEqual(await readOutcome(database, 'wait-1'), { status: 'pending' });
  assert.equal(await recordOutcome(database, next, complete()), 'wait-1');
  assert.deepEqual(await unacknowledgedWaits(database), ['wait-1']);
  assert.equal((await readOutcome(database, 'wait-1')).status, 'complete');
  assert.deepEqual(await unacknowledgedWaits(database), []);
  await database.destroy();
});

test('a canceled attempt tells its waiter so', async () => {
  const database = await openDatabase(':memory:');
  const request = await jobWith(database);
  await lookupTask(database, request, () => false);
  await enqueueAttempt(database, request, 'wait-1');
  assert.deepEqual(await cancelQueued(database, request.jobId), ['wait-1']);
  assert.deepEqual(await readOutcome(database, 'wait-1'), { status: 'canceled' });
  await database.destroy();
});

test('the journal has one row for each event however often its effect is repeated', async () => {
  const database = await openDatabase(':memory:');
  const request = await jobWith(database);
  await lookupTask(database, request, () => false);
  await enqueueAttempt(database, request, 'wait-1');
  const attempt = await claimed(database);
  await recordOutcome(database, attempt, complete());
  await recordOutcome(database, attempt, complete());
  const steps = (await readJournal(database, request.jobId, 0)).map(
    (row) => `${row.step} ${row.state}`,
  );
  assert.deepEqual(steps, ['job submitted', 'call.chr1 started', 'call.chr1 completed']);
  await database.destroy();
});

test('another result under the same key is refused', async () => {
  const database = await openDatabase(':memory:');
  const request = await jobWith(database);
  await lookupTask(database, request, () => false);
  await enqueueAttempt(database, request, 'wait-1');
  await recordOutcome(database, await claimed(database), complete());
  await enqueueAttempt(database, { ...request, rematerialize: true }, 'wait-2');
  const outputs = { 'out.txt': { digest: `sha256:${'b'.repeat(64)}` as never, sizeBytes: 1 } };
  const other = { ...complete(), result: { key: KEY, outputs } };
  await recordOutcome(database, await claimed(database), other);
  const outcome = await readOutcome(database, 'wait-2');
  assert.equal(outcome.status, 'failed');
  assert.equal(outcome.error.code, 'RESULT_DIFFERS');
  await database.destroy();
});
