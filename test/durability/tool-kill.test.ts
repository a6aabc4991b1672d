import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { differences, leaks, today } from '../support/crash-run.ts';
import { cleanUp, getJob, runCli, startDaemon, waitForState } from '../support/daemon.ts';
import { gatedTool, isShardOf } from '../support/gated-tool.ts';
import { readAttempts, readJournal, repeatedWork, startedAgain } from '../support/journal.ts';
import { RECOVERY_MAX_MS, STEP_DEADLINE_MS } from '../support/limits.ts';
import { killHard, runningTools } from '../support/processes.ts';
import { resultDigests } from '../support/result-digests.ts';
import { type Sample, simulatedSample } from '../support/sample.ts';
import { waitFor } from '../support/wait-for.ts';

const STEP = 'call.chr1';
const TOOL = 'freebayes';
/** The shards of the two other contigs, which go on by themselves. */
const OTHER_CALLS = 2;

let sample: Sample;
before(async () => {
  sample = await simulatedSample();
});
after(() => sample.remove());

test('a killed tool is started again alone, and one killed thrice waits for its user', async (t) => {
  const bench = await sample.newBench();
  const { dataDir } = bench;
  const tool = await gatedTool(bench.folder, TOOL, isShardOf('chr1'));
  const start = () => startDaemon({ dataDir, env: { ...bench.env, ...tool.env } });
  let daemon = await start();
  t.after(() => cleanUp(dataDir, daemon));
  const submit = (outDir: string) =>
    daemon.client.call('submitJob', {
      params: {},
      body: bench.submission({ outDir, parameters: { caller: 'freebayes' } }),
    });
  const { jobId } = await submit(bench.outDir);
  const killed: number[] = [];
  const restartMs: number[] = [];

  const killOnce = async () => {
    const pid = await waitFor(() => newTool(dataDir, killed), {
      deadline: STEP_DEADLINE_MS,
      what: 'the tool runs',
    });
    const starts = startsOf(dataDir);
    killHard(pid);
    killed.push(pid);
    return { starts, killedMs: performance.now() };
  };
  for (const _ of [1, 2]) {
    const { starts, killedMs } = await killOnce();
    await waitFor(() => (startsOf(dataDir) > starts ? true : undefined), {
      deadline: STEP_DEADLINE_MS,
      what: 'the step starts again',
    });
    restartMs.push(performance.now() - killedMs);
  }
  t.diagnostic(`started again after ${restartMs.map((ms) => ms.toFixed(0)).join(' and ')} ms`);
  for (const ms of restartMs) assert.ok(ms < RECOVERY_MAX_MS.tool, `${ms} ms`);

  await killOnce();
  const paused = await waitForState(daemon.client, jobId, 'PAUSED');
  assert.equal(paused.reason?.code, 'TOOL_CRASHED');
  assert.match(paused.reason?.message ?? '', /freebayes was killed by SIGKILL/);
  assert.match(paused.reason?.hint ?? '', new RegExp(`helixmesh resume ${jobId}`));
  assert.equal(paused.tasks.find(({ name }) => name === STEP)?.state, 'PAUSED');

  // It waits through the death of the daemon, too.
  await daemon.kill();
  daemon = await start();
  assert.equal((await getJob(daemon.client, jobId)).state, 'PAUSED');

  await tool.open();
  const resumed = await runCli(dataDir, ['resume', jobId]);
  assert.equal(resumed.code, 0, resumed.stderr);
  await waitForState(daemon.client, jobId, 'COMPLETE');
  const rows = readJournal(dataDir);
  assert.deepEqual(startedAgain(rows), { [STEP]: 4 });
  assert.deepEqual(repeatedWork(rows), []);
  assert.deepEqual(
    readAttempts(dataDir)
      .filter(({ name }) => name === STEP)
      .map(({ state }) => state),
    ['SYSTEM_ERROR', 'SYSTEM_ERROR', 'SYSTEM_ERROR', 'COMPLETE'],
  );
  assert.deepEqual(await leaks(dataDir, sample), []);

  const expected = await undisturbed();
  assert.deepEqual(differences(expected, await resultDigests(bench.outDir)), []);
});

/** The same analysis in a data folder of its own, with nobody killing anything. */
async function undisturbed() {
  const bench = await sample.newBench();
  const daemon = await startDaemon(bench);
  try {
    const { jobId } = await daemon.client.call('submitJob', {
      params: {},
      body: bench.submission({ parameters: { caller: TOOL } }),
    });
    await waitForState(daemon.client, jobId, 'COMPLETE');
    assert.equal((await getJob(daemon.client, jobId)).recovered, false);
    return { digests: await resultDigests(bench.outDir), day: today() };
  } finally {
    await cleanUp(bench.dataDir, daemon);
  }
}

/** The gated tool's process, once the others of its kind have ended. */
function newTool(dataDir: string, killed: readonly number[]): number | undefined {
  const running = runningTools(dataDir).filter(
    ({ name, pid }) => name === TOOL && !killed.includes(pid),
  );
  const others = readJournal(dataDir).filter(
    ({ step, state }) => step.startsWith('call.') && step !== STEP && state === 'completed',
  );
  return others.length === OTHER_CALLS && running.length === 1 ? running[0]?.pid : undefined;
}

function startsOf(dataDir: string): number {
  return readJournal(dataDir).filter(({ step, state }) => step === STEP && state === 'started')
    .length;
}
