import assert from 'node:assert/strict';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { AppError } from '@helixmesh/protocol';
import { chooseCaller, parseDecision } from './decision.ts';
import { qcModelSchema } from './qc-model.ts';
import { summarizeAlignment } from './summarize-alignment.ts';

const pass = (reads: number) => ({
  total_reads: reads,
  total_bases: reads * 4,
  q20_rate: 0.95,
  q30_rate: 0.9,
  read1_mean_length: 4,
  gc_content: 0.5,
});
const cycles = {
  quality_curves: { mean: [30, 32, 35, 22] },
  content_curves: {
    A: [0.25, 0.25, 0.25, 0.25],
    C: [0.25, 0.25, 0.25, 0.25],
    G: [0.25, 0.25, 0.25, 0.25],
    T: [0.25, 0.25, 0.25, 0.25],
    N: [0, 0, 0, 0.1],
  },
};
const flags = (primary: number) => ({
  primary,
  secondary: 0,
  supplementary: 1,
  'primary duplicates': 10,
  'primary mapped': 90,
  'paired in sequencing': 100,
  'properly paired': 80,
});

/** What the tools wrote, with 110 reads taken in and 100 let out. */
function toolFiles(primary = 100): Readonly<Record<string, string>> {
  return {
    'fastp.json': JSON.stringify({
      summary: { before_filtering: pass(110), after_filtering: pass(100) },
      filtering_result: {
        passed_filter_reads: 100,
        low_quality_reads: 10,
        too_many_N_reads: 0,
        too_short_reads: 0,
      },
      duplication: { rate: 0.05 },
      adapter_cutting: { adapter_trimmed_reads: 22, adapter_trimmed_bases: 40 },
      read1_before_filtering: cycles,
      read2_before_filtering: cycles,
    }),
    'flagstat.json': JSON.stringify({
      'QC-passed reads': flags(primary),
      'QC-failed reads': flags(0),
    }),
    'coverage.tsv': [
      '#rname\tstartpos\tendpos\tnumreads\tcovbases\tcoverage\tmeandepth\tmeanbaseq\tmeanmapq',
      'chr1\t1\t100\t9\t80\t80\t24\t36\t60',
      'chr2\t1\t100\t0\t0\t0\t0\t0\t0',
      '',
    ].join('\n'),
    'stats.txt': [
      '# a comment',
      'SN\traw total sequences:\t100\t# excluding',
      'SN\terror rate:\t2.500000e-03\t# mismatches',
      'SN\tinsert size average:\t210.0',
      'COV\t[2-2]\t2\t20',
      'COV\t[10-10]\t10\t20',
      'COV\t[50-50]\t50\t40',
      'IS\t100\t5\t5\t0\t0',
      'IS\t200\t10\t10\t0\t0',
      'IS\t300\t2\t2\t0\t0',
      '',
    ].join('\n'),
    'markdup.txt': 'COMMAND: samtools markdup\nESTIMATED_LIBRARY_SIZE: 3997\n',
  };
}

async function summarize(files: Readonly<Record<string, string>>, args = { reads: 110 }) {
  const folder = await mkdtemp(join(tmpdir(), 'qc-'));
  try {
    for (const [name, text] of Object.entries(files)) await writeFile(join(folder, name), text);
    await summarizeAlignment({
      folder,
      args: { ...args, isPaired: true, sex: 'infer' },
      threads: 1,
      progress: () => undefined,
    });
    const read = async (name: string) => JSON.parse(await readFile(join(folder, name), 'utf8'));
    return {
      qc: qcModelSchema.parse(await read('qc.json')),
      decision: parseDecision(await read('decision.json')),
    };
  } finally {
    await rm(folder, { recursive: true });
  }
}

test('figures are those of the tools, per contig and over the reference', async () => {
  const { qc, decision } = await summarize(toolFiles());
  assert.equal(qc.coverage.meanDepth, 12);
  assert.equal(decision.callableDepth, 36.6667);
  assert.deepEqual(
    qc.coverage.breadth.map(({ depth, fraction }) => [depth, fraction]),
    [
      [1, 0.4],
      [10, 0.3],
      [15, 0.2],
      [20, 0.2],
      [30, 0.2],
    ],
  );
  assert.equal(qc.coverage.depthHistogram.counts[0], 120);
  assert.deepEqual(
    qc.coverage.contigs.map(({ refName, meanDepth, breadth1 }) => [refName, meanDepth, breadth1]),
    [
      ['chr1', 24, 0.8],
      ['chr2', 0, 0],
    ],
  );
  assert.equal(qc.insertSize?.medianBases, 200);
  assert.equal(qc.duplication.estimatedLibrarySize, 3997);
});

test('each judged figure names its threshold and source, and the worst one is the verdict', async () => {
  const { qc } = await summarize(toolFiles());
  const verdicts = new Map(qc.metrics.map(({ id, verdict }) => [id, verdict]));
  assert.equal(verdicts.get('q30'), 'pass');
  assert.equal(verdicts.get('cycle-quality'), 'warn');
  assert.equal(verdicts.get('n-content'), 'warn');
  assert.equal(verdicts.get('adapter'), 'fail');
  assert.equal(verdicts.get('gc'), null);
  assert.equal(qc.verdict, 'fail');
  for (const { id, verdict, threshold, source } of qc.metrics) {
    if (verdict !== null) assert.ok(threshold !== null && source !== null, id);
  }
});

test('a read lost between the files, the trimmer and the alignment is an error', async () => {
  const codeOf = (promise: Promise<unknown>) =>
    promise.then(
      () => null,
      (error: unknown) => (error instanceof AppError ? error.code : error),
    );
  assert.equal(await codeOf(summarize(toolFiles(99))), 'RESULT_DIFFERS');
  assert.equal(await codeOf(summarize(toolFiles(), { reads: 112 })), 'RESULT_DIFFERS');
});

test('a figure that a tool does not print as expected is an error and no zero', async () => {
  const broken = { ...toolFiles(), 'coverage.tsv': '#rname\tendpos\nchr1\t100\n' };
  await assert.rejects(summarize(broken), { code: 'INPUT_WRONG_FORMAT' });
  const cut = { ...toolFiles(), 'fastp.json': '{"summary": {' };
  await assert.rejects(summarize(cut), { code: 'INPUT_WRONG_FORMAT' });
});

test('auto takes bcftools below 20× where covered, else freebayes; a wish is kept', () => {
  const shallow = chooseCaller('auto', { callableDepth: 19.99 });
  assert.equal(shallow.caller, 'bcftools');
  assert.match(shallow.reason, /is 19\.99×, below 20×/);
  assert.equal(chooseCaller('auto', { callableDepth: 20 }).caller, 'freebayes');
  assert.equal(chooseCaller('freebayes', { callableDepth: 5 }).caller, 'freebayes');
  assert.equal(chooseCaller('bcftools', { callableDepth: 50 }).caller, 'bcftools');
});
