import assert from 'node:assert/strict';
import { readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { AppError, type JobView } from '@helixmesh/protocol';
import { differences, today } from '../support/crash-run.ts';
import { cleanUp, type Daemon, runCli, startDaemon, waitForState } from '../support/daemon.ts';
import { completedSteps, readJournal, repeatedWork, stepRows } from '../support/journal.ts';
import { resultDigests } from '../support/result-digests.ts';
import { type Bench, REFERENCE, SAMPLE, type Sample, simulatedSample } from '../support/sample.ts';

let sample: Sample;
let bench: Bench;
let daemon: Daemon;
before(async () => {
  sample = await simulatedSample();
  bench = await sample.newBench();
  daemon = await startDaemon(bench);
});
after(async () => {
  await cleanUp(bench.dataDir, daemon);
  await sample.remove();
});

const out = (name: string) => join(bench.folder, name);
const submit = (changes: Parameters<Bench['submission']>[0]) =>
  daemon.client.call('submitJob', { params: {}, body: bench.submission(changes) });
const complete = ({ jobId }: { jobId: string }) => waitForState(daemon.client, jobId, 'COMPLETE');
const rowsOf = ({ jobId }: { jobId: string }) =>
  readJournal(bench.dataDir).filter((row) => row.jobId === jobId);
const ranSteps = ({ tasks }: JobView) =>
  tasks.filter(({ reused }) => !reused).map(({ name }) => name);

test('one sample handed in twice at once runs each step once and fills both folders', async () => {
  const jobs = await Promise.all([submit({ outDir: out('a') }), submit({ outDir: out('b') })]);
  assert.notEqual(jobs[0].jobId, jobs[1].jobId);

  // The same command again attaches to the job; other work may not go into its folder.
  const again = await submit({ outDir: out('a') });
  assert.equal(again.jobId, jobs[0].jobId);
  await assert.rejects(
    submit({ outDir: out('a'), parameters: { aligner: 'minimap2' } }),
    (error) => error instanceof AppError && error.code === 'OUTPUT_IN_USE',
  );

  await Promise.all(jobs.map(complete));
  const rows = readJournal(bench.dataDir);
  assert.deepEqual(repeatedWork(rows), []);
  const steps = completedSteps(rows);
  assert.equal(new Set(steps).size, steps.length, `a step ran twice: ${steps}`);
  const starts = stepRows(rows).filter(({ state }) => state === 'started');
  assert.equal(starts.length, steps.length);
  const [a, b] = await Promise.all([resultDigests(out('a')), resultDigests(out('b'))]);
  assert.ok(Object.keys(a).length > 10);
  assert.deepEqual(differences({ digests: a, day: today() }, b), []);
});

test('a second run of a finished sample reuses every step and says so', async () => {
  const job = await complete(await submit({ outDir: out('c') }));
  assert.deepEqual(ranSteps(job), []);
  assert.ok(job.tasks.every(({ why }) => why.startsWith('reused the result of')));
  assert.deepEqual(new Set(stepRows(rowsOf(job)).map(({ state }) => state)), new Set(['reused']));
});

test('another caller runs again what depends on it alone, and status says why', async () => {
  const job = await complete(
    await submit({ outDir: out('d'), parameters: { caller: 'freebayes' } }),
  );
  assert.deepEqual(
    ranSteps(job).map((name) => name.split('.')[0]),
    ['call', 'call', 'call', 'merge', 'filter', 'annotate', 'report'],
  );
  const { stdout, code } = await runCli(bench.dataDir, ['status', job.jobId, '--why']);
  assert.equal(code, 0);
  assert.match(stdout, /align +reused +reused the result of/);
  assert.match(stdout, /call\.chr1 +COMPLETE +.*freebayes/);
  assert.match(stdout, /merge +COMPLETE +input .* changed/);
});

test('the samples of one sheet run side by side, each into its own folder', async () => {
  const sheet = join(bench.folder, 'samples.csv');
  const lines = ['sample,r1,r2', `PAIRED,${sample.r1},${sample.r2}`, `SINGLE,${sample.r1},`];
  await writeFile(sheet, `${lines.join('\n')}\n`);
  const args = ['--samplesheet', sheet, '--reference', REFERENCE, '--out', out('sheet')];
  const { code, stdout, stderr } = await runCli(bench.dataDir, ['--json', 'submit', ...args]);
  assert.equal(code, 0, stderr);
  const submitted: JobView[] = JSON.parse(stdout);
  assert.deepEqual(
    submitted.map(({ sampleId }) => sampleId),
    ['PAIRED', 'SINGLE'],
  );
  const [paired, single] = (await Promise.all(submitted.map(complete))) as [JobView, JobView];
  assert.ok((paired.startedAtMs ?? 0) < (single.endedAtMs ?? 0), 'they overlap');
  assert.ok((single.startedAtMs ?? 0) < (paired.endedAtMs ?? 0), 'they overlap');
  for (const { sampleId, outDir } of [paired, single]) {
    assert.equal(outDir, join(out('sheet'), sampleId));
    const names = await readdir(outDir);
    assert.ok(names.includes(`${sampleId}.report.pdf`));
    assert.deepEqual(
      names.filter((name) => name.includes(SAMPLE)),
      [],
    );
  }
  assert.equal(paired.summary['reads'], 2 * Number(single.summary['reads']));
});
