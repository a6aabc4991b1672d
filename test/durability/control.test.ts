import assert from 'node:assert/strict';
import { readdir } from 'node:fs/promises';
import { after, before, type TestContext, test } from 'node:test';
import {
  cleanUp,
  type Daemon,
  getJob,
  runCli,
  startDaemon,
  waitForState,
} from '../support/daemon.ts';
import { gatedTool } from '../support/gated-tool.ts';
import { readJournal, repeatedWork } from '../support/journal.ts';
import { DRAIN_MAX_MS, STEP_DEADLINE_MS } from '../support/limits.ts';
import { runningTools } from '../support/processes.ts';
import { type Sample, simulatedSample } from '../support/sample.ts';
import { waitFor } from '../support/wait-for.ts';

const TOOL = 'freebayes';
/** SIGTERM to a tool, two seconds of grace, and the rest of the way. */
const CANCEL_MAX_MS = 5_000;

let sample: Sample;
before(async () => {
  sample = await simulatedSample();
});
after(() => sample.remove());

/** A daemon whose job stands at a tool that does not go on. */
async function jobAtTool(t: TestContext) {
  const bench = await sample.newBench();
  const { dataDir } = bench;
  const tool = await gatedTool(bench.folder, TOOL);
  const options = { dataDir, env: { ...bench.env, ...tool.env } };
  const held: { daemon: Daemon } = { daemon: await startDaemon(options) };
  t.after(() => cleanUp(dataDir, held.daemon));
  const { jobId } = await held.daemon.client.call('submitJob', {
    params: {},
    body: bench.submission({ parameters: { caller: TOOL } }),
  });
  await waitFor(() => runningTools(dataDir).find(({ name }) => name === TOOL), {
    deadline: STEP_DEADLINE_MS,
    what: 'the tool runs',
  });
  return { bench, tool, jobId, held, restart: () => startDaemon(options) };
}

test('a canceled job ends its tools within seconds and leaves nothing; resume finishes it', async (t) => {
  const { bench, tool, jobId, held } = await jobAtTool(t);
  const beganMs = performance.now();
  const canceled = await runCli(bench.dataDir, ['cancel', jobId]);
  assert.equal(canceled.code, 0, canceled.stderr);
  await waitFor(() => (runningTools(bench.dataDir).length === 0 ? true : undefined), {
    deadline: STEP_DEADLINE_MS,
    what: 'no tool runs',
  });
  await waitForState(held.daemon.client, jobId, 'CANCELED');
  const tookMs = performance.now() - beganMs;
  t.diagnostic(`canceled after ${tookMs.toFixed(0)} ms`);
  assert.ok(tookMs < CANCEL_MAX_MS, `${tookMs} ms`);
  await waitFor(async () => ((await readdir(bench.outDir)).length === 0 ? true : undefined), {
    deadline: STEP_DEADLINE_MS,
    what: `nothing is left in the output folder: ${await readdir(bench.outDir)}`,
  });

  await tool.open();
  const resumed = await runCli(bench.dataDir, ['resume', jobId]);
  assert.equal(resumed.code, 0, resumed.stderr);
  await waitForState(held.daemon.client, jobId, 'COMPLETE');
  assert.deepEqual(repeatedWork(readJournal(bench.dataDir)), []);
  assert.ok((await readdir(bench.outDir)).length > 10);
});

test('canceling one of two jobs that share steps leaves the other to finish', async (t) => {
  const { bench, tool, jobId, held } = await jobAtTool(t);
  const { client } = held.daemon;
  const other = await client.call('submitJob', {
    params: {},
    body: bench.submission({ outDir: `${bench.outDir}-2`, parameters: { caller: TOOL } }),
  });
  await waitFor(
    async () => ((await getJob(client, other.jobId)).contigs === null ? undefined : true),
    { deadline: STEP_DEADLINE_MS, what: 'the other job wants the same calls' },
  );
  await client.call('cancelJob', { params: { jobId } });
  await waitForState(client, jobId, 'CANCELED');
  await tool.open();
  await waitForState(client, other.jobId, 'COMPLETE');
  assert.deepEqual(repeatedWork(readJournal(bench.dataDir)), []);
  assert.deepEqual(await readdir(bench.outDir), []);
});

test('SIGTERM drains the node, and the next start finishes the job', async (t) => {
  const { bench, tool, jobId, held, restart } = await jobAtTool(t);
  const { code, tookMs } = await held.daemon.terminate();
  t.diagnostic(`the node ended after ${tookMs.toFixed(0)} ms`);
  assert.equal(code, 0);
  assert.ok(tookMs < DRAIN_MAX_MS, `${tookMs} ms`);
  assert.deepEqual(runningTools(bench.dataDir), []);
  const stopped = readJournal(bench.dataDir);
  assert.deepEqual(
    stopped.filter(({ state }) => state === 'failed' || state.startsWith('cancel')),
    [],
  );

  await tool.open();
  held.daemon = await restart();
  await waitForState(held.daemon.client, jobId, 'COMPLETE');
  const rows = readJournal(bench.dataDir);
  assert.deepEqual(repeatedWork(rows), []);
  assert.deepEqual(
    rows.filter(({ state }) => state === 'failed' || state.startsWith('cancel')),
    [],
  );
});
