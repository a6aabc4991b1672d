import assert from 'node:assert/strict';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { cleanUp, startDaemon, waitForState } from '../support/daemon.ts';
import { gatedTool } from '../support/gated-tool.ts';
import { readJournal, repeatedWork } from '../support/journal.ts';
import { STEP_DEADLINE_MS } from '../support/limits.ts';
import { runningTools } from '../support/processes.ts';
import { type Sample, simulatedSample } from '../support/sample.ts';
import { waitFor } from '../support/wait-for.ts';

const NODE = join(import.meta.dirname, '..', 'support', 'node-process.ts');
const TOOL = 'freebayes';

let sample: Sample;
before(async () => {
  sample = await simulatedSample();
});
after(() => sample.remove());

test('an upgrade in the middle of a sample leaves it with its version; the next takes the new one', async (t) => {
  const bench = await sample.newBench();
  const { dataDir } = bench;
  const tool = await gatedTool(bench.folder, TOOL);
  const start = (...versions: readonly string[]) =>
    startDaemon({
      dataDir,
      env: { ...bench.env, ...tool.env },
      argv: [NODE, dataDir, ...versions],
    });
  let daemon = await start('1');
  t.after(() => cleanUp(dataDir, daemon));
  const parameters = { caller: TOOL } as const;
  const submit = (outDir: string) =>
    daemon.client.call('submitJob', { params: {}, body: bench.submission({ parameters, outDir }) });
  const old = await submit(bench.outDir);
  await waitFor(() => runningTools(dataDir).find(({ name }) => name === TOOL), {
    deadline: STEP_DEADLINE_MS,
    what: 'the job calls variants',
  });
  await daemon.kill();

  daemon = await start('1', '2');
  const { workflows } = await daemon.client.call('getHealth', { params: {} });
  assert.deepEqual(workflows, ['germline.v1', 'germline.v2']);
  await tool.open();
  const finished = await waitForState(daemon.client, old.jobId, 'COMPLETE');
  assert.equal(finished.workflow, 'germline.v1');
  assert.equal(finished.recovered, true);
  assert.deepEqual(repeatedWork(readJournal(dataDir)), []);

  const next = await submit(join(bench.folder, 'out-2'));
  const done = await waitForState(daemon.client, next.jobId, 'COMPLETE');
  assert.equal(done.workflow, 'germline.v2');
  assert.notEqual(done.jobId, finished.jobId);
  const submitted = readJournal(dataDir).filter(({ state }) => state === 'submitted');
  assert.deepEqual(
    submitted.map(({ payload }) => payload),
    [{ workflow: 'germline.v1' }, { workflow: 'germline.v2' }],
  );
});
