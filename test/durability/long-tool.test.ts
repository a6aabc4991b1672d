import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { nodePaths } from '@helixmesh/daemon/data-folder';
import { openReader } from '@helixmesh/daemon/reader';
import type { JobView, TaskView } from '@helixmesh/protocol';
import { cleanUp, getJob, runCli, startDaemon, waitForState } from '../support/daemon.ts';
import { isShardOf, wrapTool } from '../support/gated-tool.ts';
import { readAttempts, readJournal, repeatedWork, startedAgain } from '../support/journal.ts';
import { JOB_DEADLINE_MS, STEP_DEADLINE_MS } from '../support/limits.ts';
import { type Sample, simulatedSample } from '../support/sample.ts';
import { waitFor } from '../support/wait-for.ts';

const NODE = join(import.meta.dirname, '..', 'support', 'node-process.ts');
const TOOL = 'freebayes';
const TOOL_SECONDS = 15;

/**
 * Every limit that a long tool meets, a fifteenth of the tool's time: the engine suspends a silent
 * invocation, then cuts it off, and the waiting task looks again. In earnest the longest of them
 * is 15 minutes.
 */
const SHORT_LIMITS = {
  RESTATE_WORKER__INVOKER__INACTIVITY_TIMEOUT: '1s',
  RESTATE_WORKER__INVOKER__ABORT_TIMEOUT: '1s',
  OUTCOME_POLL_MS: '1000',
};

let sample: Sample;
before(async () => {
  sample = await simulatedSample();
});
after(() => sample.remove());

test('a tool that outlasts every limit of the engine is neither killed nor started twice', async (t) => {
  const bench = await sample.newBench();
  const { dataDir } = bench;
  const slow = await wrapTool(bench.folder, {
    tool: TOOL,
    when: isShardOf('chr1'),
    before: `sleep ${TOOL_SECONDS}`,
  });
  const daemon = await startDaemon({
    dataDir,
    env: { ...bench.env, ...slow, ...SHORT_LIMITS },
    argv: [NODE, dataDir, '1'],
  });
  t.after(() => cleanUp(dataDir, daemon));
  const { jobId } = await daemon.client.call('submitJob', {
    params: {},
    body: bench.submission({ parameters: { caller: TOOL } }),
  });
  const job = await waitForState(daemon.client, jobId, 'COMPLETE');
  assert.equal(job.recovered, false);
  const rows = readJournal(dataDir);
  assert.deepEqual(startedAgain(rows), {});
  assert.deepEqual(repeatedWork(rows), []);
  assert.deepEqual(new Set(readAttempts(dataDir).map(({ state }) => state)), new Set(['COMPLETE']));
  const long = job.tasks.find(({ name }) => name === 'call.chr1');
  const tookMs = (long?.endedAtMs ?? 0) - (long?.startedAtMs ?? 0);
  assert.ok(tookMs >= TOOL_SECONDS * 1000, `the tool took ${tookMs} ms only`);
});

test('a running step tells how far it has read, and neither it nor the job ever falls back', async (t) => {
  const bench = await sample.newBench();
  const { dataDir } = bench;
  // Beside the tool, where the sandbox shows it.
  const gate = join(bench.folder, 'bin', 'fastp-may-go-on');
  const halting = await wrapTool(bench.folder, {
    tool: 'fastp',
    when: 'true',
    before: `exec 3<r1.fastq.gz; head -c 1000 <&3 >/dev/null; while [ ! -e '${gate}' ]; do sleep 0.1; done`,
  });
  const daemon = await startDaemon({ dataDir, env: { ...bench.env, ...halting } });
  t.after(() => cleanUp(dataDir, daemon));
  const { client } = daemon;
  const { jobId } = await client.call('submitJob', { params: {}, body: bench.submission() });
  const seen: JobView[] = [];
  const look = async () => {
    const job = await getJob(client, jobId);
    seen.push(job);
    return job;
  };
  const deadline = STEP_DEADLINE_MS;
  const part = await waitFor(async () => alignment(await look())?.progress ?? undefined, {
    deadline,
    what: 'the alignment tells how far it is',
  });
  assert.ok(part > 0 && part < 1, String(part));
  const { stdout } = await runCli(dataDir, ['status', jobId]);
  assert.match(stdout, /align +RUNNING \d+ %/);
  await using reader = await openReader(nodePaths(dataDir));
  const unaided = await reader?.handlers.getJob({
    params: { jobId },
    query: { waitMs: 0 },
    body: null,
  });
  assert.deepEqual([unaided && alignment(unaided)?.progress, unaided?.state], [null, 'RUNNING']);

  await writeFile(gate, '');
  await waitFor(async () => ((await look()).state === 'COMPLETE' ? true : undefined), {
    deadline: JOB_DEADLINE_MS,
    what: 'the job is complete',
  });
  for (const told of [seen.map(({ progress }) => progress), seen.map(fractionOfAlignment)]) {
    assert.deepEqual(
      told,
      told.toSorted((a, b) => a - b),
    );
    assert.deepEqual([told[0], told.at(-1)], [0, 1]);
  }
});

function alignment({ tasks }: JobView): TaskView | undefined {
  return tasks.find(({ name }) => name === 'align');
}

function fractionOfAlignment(job: JobView): number {
  return alignment(job)?.progress ?? 0;
}
