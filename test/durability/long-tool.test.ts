import assert from 'node:assert/strict';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { cleanUp, startDaemon, waitForState } from '../support/daemon.ts';
import { isShardOf, wrapTool } from '../support/gated-tool.ts';
import { readAttempts, readJournal, repeatedWork, startedAgain } from '../support/journal.ts';
import { type Sample, simulatedSample } from '../support/sample.ts';

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
