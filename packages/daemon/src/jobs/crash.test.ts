/**
 * What a daemon leaves that dies between two durable effects. A trigger of the database stands for
 * the death: it fails the second effect after the first is done.
 */
import assert from 'node:assert/strict';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { test } from 'node:test';
import { type TaskSpec, taskKey } from '@helixmesh/pipelines';
import type { ErrorRecord, JobState } from '@helixmesh/protocol';
import { sql } from 'kysely';
import { type Database, openDatabase } from '../sql/database.ts';
import { temporaryFolder } from '../testing/temporary-folder.ts';
import { claimAttempt, enqueueAttempt, nextAttempt, recordOutcome } from './attempts.ts';
import { pursueCancels } from './cancel.ts';
import { type DeliverOptions, deliverJob, retryDelivery, undelivered } from './deliver.ts';
import { taskEffects } from './effects.ts';
import {
  cancelJob,
  getJobRow,
  recordResult,
  restartJob,
  startJob,
  submitJob,
  withdrawJob,
} from './jobs.ts';
import { readJournal } from './journal.ts';
import { claimOutFolder } from './out-folder.ts';
import { pausedTokens } from './paused-steps.ts';
import { lookupTask, type TaskRequest } from './tasks.ts';

const root = temporaryFolder('crash');
const DATA_DIR = '/data/mine';
const ERROR: ErrorRecord = { code: 'TOOL_MISSING', message: 'bwa is missing', hint: 'Install it.' };

function stepNamed(name: string): TaskSpec {
  return {
    name,
    pool: 'call',
    inputs: [{ kind: 'text', name: 'note', text: name }],
    commands: [{ kind: 'tools', stages: [{ tool: 'samtools', args: ['--version'] }] }],
    outputs: [{ name: 'out.txt', format: 'text', retention: 'intermediate' }],
    toolVersions: { samtools: '1.16' },
    resources: { cores: 1, memoryMib: 64 },
  };
}

async function runningJob(t: { after(end: () => Promise<void>): void }) {
  const database = await openDatabase(':memory:');
  t.after(() => database.destroy());
  const outDir = mkdtempSync(join(root, 'out-'));
  const { jobId } = await submitJob(database, {
    sampleId: 'S1',
    pipeline: 'germline',
    workflow: 'germline.v1',
    document: { reads: { r1: { location: '/r1' }, r2: null } },
    submissionKey: outDir,
    outDir,
    keepIntermediates: false,
  });
  const job = { jobId, generation: 1 };
  await startJob(database, job);
  const request = (name: string): TaskRequest => ({ ...job, spec: stepNamed(name) });
  const look = (name: string) => lookupTask(database, request(name), () => false);
  return { database, outDir, jobId, job, request, look };
}

/** Fails every statement of this kind until it is undone. */
async function dieAt(database: Database, event: string): Promise<() => Promise<unknown>> {
  const body = `BEGIN SELECT RAISE(ABORT, 'killed'); END`;
  await sql.raw(`CREATE TRIGGER death BEFORE ${event} ${body}`).execute(database);
  return () => sql`DROP TRIGGER death`.execute(database);
}

async function stateOf(database: Database, jobId: string): Promise<JobState> {
  return (await getJobRow(database, jobId)).state;
}

function effectsOf(database: Database) {
  const nothing = () => undefined;
  return taskEffects({
    database,
    hasOutput: () => false,
    readOutput: async () => null,
    queued: nothing,
    finished: nothing,
  });
}

function delivery(database: Database): DeliverOptions {
  const outputPath = (task: string, output: string) => join(root, 'store', task.slice(7), output);
  return { database, dataDir: DATA_DIR, outputPath, version: '0' };
}

const RESULT = { jobHash: `sha256:${'a'.repeat(64)}`, deliverables: [], summary: {} } as never;

test('a job that has started knows when, wherever the daemon dies', async (t) => {
  const { database } = await runningJob(t);
  const { jobId } = await submitJob(database, {
    sampleId: 'S2',
    pipeline: 'germline',
    workflow: 'germline.v1',
    document: {},
    submissionKey: 'other',
    outDir: join(root, 'other'),
    keepIntermediates: false,
  });
  const live = await dieAt(database, 'UPDATE OF started_at ON jobs');
  await assert.rejects(startJob(database, { jobId, generation: 1 }), /killed/);
  await live();
  await startJob(database, { jobId, generation: 1 });
  const { state, started_at: startedAt } = await getJobRow(database, jobId);
  assert.equal(state, 'RUNNING');
  assert.ok(startedAt !== null);
});

test('of two paused steps, one that was resumed before the daemon died leaves the other to be resumed', async (t) => {
  const { database, jobId, request, look } = await runningJob(t);
  const effects = effectsOf(database);
  for (const name of ['call.chr1', 'call.chr2']) {
    await look(name);
    await effects.paused(request(name), { error: ERROR, token: `wait ${name}` });
  }
  await effects.resumed(request('call.chr1'), 'wait call.chr1');
  assert.equal(await stateOf(database, jobId), 'PAUSED', 'it can be resumed again');
  assert.deepEqual(await pausedTokens(database, jobId), ['wait call.chr2']);
  await effects.resumed(request('call.chr2'), 'wait call.chr2');
  assert.equal(await stateOf(database, jobId), 'RUNNING');
});

test('a step and its job are paused together', async (t) => {
  const { database, jobId, request, look } = await runningJob(t);
  await look('call.chr1');
  const live = await dieAt(database, 'UPDATE OF state ON jobs');
  const paused = { error: ERROR, token: 'wait' };
  await assert.rejects(effectsOf(database).paused(request('call.chr1'), paused), /killed/);
  assert.deepEqual(await pausedTokens(database, jobId), []);
  await live();
  await effectsOf(database).paused(request('call.chr1'), paused);
  assert.equal(await stateOf(database, jobId), 'PAUSED');
});

test('a job that begins anew waits for nothing of its old generation, and does so once', async (t) => {
  const { database, jobId, job, request, look } = await runningJob(t);
  const effects = effectsOf(database);
  await look('call.chr1');
  await effects.paused(request('call.chr1'), { error: ERROR, token: 'wait' });
  await restartJob(database, job);
  await restartJob(database, job);
  assert.equal((await getJobRow(database, jobId)).generation, 2);
  assert.deepEqual(await pausedTokens(database, jobId), []);
  await effects.paused(request('call.chr1'), { error: ERROR, token: 'late' });
  assert.deepEqual(await pausedTokens(database, jobId), [], 'the old generation pauses nothing');
});

test('a cancellation that the daemon died in is taken up', async (t) => {
  const { database, job, request, look } = await runningJob(t);
  await look('call.chr1');
  await enqueueAttempt(database, request('call.chr1'), 'wait for the attempt');
  await look('call.chr2');
  await effectsOf(database).paused(request('call.chr2'), { error: ERROR, token: 'wait for user' });
  await cancelJob(database, job);
  // Here it died. Now the next one:
  const woken: unknown[] = [];
  const aborted: string[] = [];
  await pursueCancels({
    database,
    abortJob: (jobId) => aborted.push(jobId),
    wake: async (...order) => void woken.push(order),
  });
  assert.deepEqual(aborted, [job.jobId]);
  assert.deepEqual(woken, [
    ['wait for the attempt', null],
    ['wait for user', 'cancel'],
  ]);
  assert.equal(await nextAttempt(database, 'call'), null, 'nothing of it runs any more');
});

test('a job that is canceled when its workflow has returned gives its folder up and ends', async (t) => {
  const { database, jobId, job, outDir } = await runningJob(t);
  await claimOutFolder(outDir, { jobId, dataDir: DATA_DIR });
  await cancelJob(database, job);
  await recordResult(database, job, RESULT);
  assert.deepEqual(await undelivered(database), [jobId]);
  await deliverJob(delivery(database), jobId);
  assert.equal(await stateOf(database, jobId), 'CANCELED');
  assert.deepEqual(readdirSync(outDir), []);
});

test('a delivery into a folder that another took while this daemon was dead waits for its user', async (t) => {
  const { database, jobId, job, outDir } = await runningJob(t);
  await recordResult(database, job, RESULT);
  await claimOutFolder(outDir, { jobId: 'job_other', dataDir: '/data/other' });
  await deliverJob(delivery(database), jobId);
  const { state, reason } = await getJobRow(database, jobId);
  assert.equal(state, 'PAUSED');
  assert.match(reason ?? '', /OUTPUT_IN_USE/);
  assert.equal(readdirSync(outDir).length, 1, 'nothing was put into it');
});

test('a claim that was torn is gone with the delivery', async (t) => {
  const { database, jobId, job, outDir } = await runningJob(t);
  await recordResult(database, job, RESULT);
  writeFileSync(join(outDir, '.helixmesh-job.json'), '{"jobId"');
  await deliverJob(delivery(database), jobId);
  assert.equal(await stateOf(database, jobId), 'COMPLETE');
  assert.deepEqual(readdirSync(outDir), ['ro-crate-metadata.json']);
});

test('a job is not COMPLETE before its intermediate files are gone', async (t) => {
  const { database, jobId, job, request, look } = await runningJob(t);
  const spec = stepNamed('call.chr1');
  const key = taskKey(spec);
  await look(spec.name);
  await enqueueAttempt(database, request(spec.name), 'wait');
  const next = await nextAttempt(database, 'call');
  assert.ok(next !== null);
  const attempt = await claimAttempt(database, next.attemptId);
  assert.ok(attempt !== null);
  const rest = { wallMs: 1, cpuMs: 1, command: 'x', stderrTail: '', wasPublished: false };
  await recordOutcome(database, attempt, {
    status: 'complete',
    result: { key, outputs: {} },
    ...rest,
  });
  await recordResult(database, job, RESULT);
  const options = delivery(database);
  const file = options.outputPath(key, 'out.txt');
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, 'x');
  const live = await dieAt(database, 'UPDATE OF pruned ON tasks');
  await deliverJob(options, jobId);
  assert.notEqual(await stateOf(database, jobId), 'COMPLETE');
  await live();
  await retryDelivery(database, await getJobRow(database, jobId));
  await deliverJob(options, jobId);
  assert.equal(await stateOf(database, jobId), 'COMPLETE');
  assert.equal(existsSync(file), false);
});

test('a job that could not claim its folder is withdrawn whole; one that was sent stays', async (t) => {
  const { database, jobId } = await runningJob(t);
  await withdrawJob(database, jobId);
  await assert.rejects(getJobRow(database, jobId), { code: 'NOT_FOUND' });
  assert.deepEqual(await readJournal(database, jobId, 0), []);

  const sent = await runningJob(t);
  await sent.database.updateTable('outbox').set({ sent_at: 1 }).execute();
  await withdrawJob(sent.database, sent.jobId);
  assert.equal(await stateOf(sent.database, sent.jobId), 'RUNNING');
});
