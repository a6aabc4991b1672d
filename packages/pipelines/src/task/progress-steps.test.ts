import assert from 'node:assert/strict';
import { on } from 'node:events';
import { test } from 'node:test';
import { Worker } from 'node:worker_threads';
import { inSteps, PROGRESS_STEPS } from './progress-steps.ts';
import { TASK_WORKER, type WorkerJob, type WorkerReply } from './worker-job.ts';

test('progress passes once for each step, the end included, and never back', () => {
  const heard: number[] = [];
  const report = inSteps((fraction) => heard.push(fraction));
  for (let i = 0; i <= 10_000; i += 1) report(i / 10_000);
  report(1);
  report(0.5);
  assert.equal(heard.length, PROGRESS_STEPS + 1);
  assert.deepEqual([heard[0], heard.at(-1)], [0, 1]);
  assert.deepEqual(
    heard,
    heard.toSorted((a, b) => a - b),
  );
});

test('a builtin that tells its progress often sends few messages', async (t) => {
  const text =
    'export const BUILTINS = { often: async ({ progress }) => {' +
    ' for (let i = 1; i <= 5000; i++) progress(i / 5000); } };';
  const job: WorkerJob = {
    kind: 'builtin',
    name: 'often',
    module: `data:text/javascript,${encodeURIComponent(text)}`,
    folder: '/nowhere',
    args: {},
    threads: 1,
  };
  const worker = new Worker(TASK_WORKER);
  t.after(() => worker.terminate());
  worker.postMessage(job);
  const replies: WorkerReply[] = [];
  for await (const [reply] of on(worker, 'message')) {
    replies.push(reply);
    if (reply.kind !== 'progress') break;
  }
  const told = replies.filter(({ kind }) => kind === 'progress');
  assert(told.length > 50 && told.length <= PROGRESS_STEPS + 1, `${told.length} messages`);
  assert.deepEqual(told.at(-1), { kind: 'progress', fraction: 1 });
  assert.equal(replies.at(-1)?.kind, 'done');
});
