import assert from 'node:assert/strict';
import { createReadStream, existsSync } from 'node:fs';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { before, test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { addReference, simulate } from '@helixmesh/pipelines';
import { nodeCrypto } from '@helixmesh/protocol/node';
import { networkId } from '@helixmesh/protocol/sealing';
import { nodePaths } from '../node/paths.ts';
import { openDatabase } from '../sql/database.ts';
import { temporaryFolder } from '../testing/temporary-folder.ts';
import { analyseEnclosed, type EnclosedAnalysis, wipeEnclosed } from './enclosed-analysis.ts';
import { resultDigest } from './result-digest.ts';

const SAMPLE = 'CANARY-7K2M';
const NETWORK = networkId(nodeCrypto, { name: 'test' });
/** Three short contigs at a low depth take some five seconds. */
const SIZE = { contigs: 3, basesPerContig: 20_000, coverage: 8, mitochondrion: false } as const;
/** Between two looks at the journal. */
const LOOK_MS = 20;
const LONG = { timeout: 240_000 };

const root = temporaryFolder('enclosed');
const input = join(root, 'input');
const referenceRoot = join(root, 'references');

before(async () => {
  await simulate({ outDir: input, sampleId: SAMPLE, seed: 3, ...SIZE });
  const reference = { name: 'ref', fasta: join(input, 'ref.fa'), par: join(input, 'par.bed') };
  await addReference(reference, { storeDir: referenceRoot });
});

/** Tells each opening of a file of reads. */
function analysis(name: string, changes: Partial<EnclosedAnalysis> = {}) {
  const opened: string[] = [];
  const reads = ['reads_R1.fastq.gz', 'reads_R2.fastq.gz'].map((fileName) => ({
    fileName,
    open: () => {
      opened.push(fileName);
      return createReadStream(join(input, fileName));
    },
  }));
  const job = { pipeline: 'germline', sampleId: SAMPLE, reference: 'ref' } as const;
  const given: EnclosedAnalysis = {
    folder: join(root, name),
    referenceRoot,
    config: { cores: 2, limitsFactor: 1 },
    stage: { kind: 'whole' },
    staged: [],
    reads,
    job,
    signal: new AbortController().signal,
    ...changes,
  };
  return { given, opened };
}

async function stepsStarted(folder: string): Promise<string[]> {
  const database = await openDatabase(nodePaths(join(folder, 'node')).database);
  try {
    const rows = await database
      .selectFrom('journal')
      .select('step')
      .where('state', '=', 'started')
      .execute();
    return rows.map(({ step }) => step);
  } finally {
    await database.destroy();
  }
}

test('two nodes with other folders and numbers of cores agree on the result', LONG, async () => {
  const one = await analyseEnclosed(analysis('one').given);
  const config = { cores: 1, limitsFactor: 1 };
  const two = await analyseEnclosed(analysis('two', { config }).given);
  assert.deepEqual(two.files, one.files);
  assert.ok(one.files.some(({ format }) => format === 'bam'));
  assert.ok(one.files.some(({ format }) => format === 'vcf'));
  const digest = resultDigest(nodeCrypto, NETWORK, one);
  assert.equal(resultDigest(nodeCrypto, NETWORK, two), digest);
  const otherNetwork = networkId(nodeCrypto, { name: 'another' });
  assert.notEqual(resultDigest(nodeCrypto, otherNetwork, one), digest);
  const [first, ...rest] = one.files;
  assert.ok(first);
  const changed = { ...one, files: [{ ...first, digest: one.jobHash }, ...rest] };
  assert.notEqual(resultDigest(nodeCrypto, NETWORK, changed), digest);
});

test(
  'an analysis that was cut off goes on, and nothing is left once it is wiped',
  LONG,
  async () => {
    const cut = new AbortController();
    const { given, opened } = analysis('three', { signal: cut.signal });
    const running = assert.rejects(analyseEnclosed(given), { code: 'CANCELED' });
    const database = nodePaths(join(given.folder, 'node')).database;
    // Until the alignment has begun, which ends neither soon nor without its tools.
    while (!existsSync(database) || !(await stepsStarted(given.folder)).includes('align')) {
      await delay(LOOK_MS);
    }
    cut.abort();
    await running;
    const again = { ...given, signal: new AbortController().signal };
    const result = await analyseEnclosed(again);
    assert.equal(opened.length, 2);
    const steps = await stepsStarted(given.folder);
    assert.equal(steps.filter((step) => step === 'intake').length, 1, steps.join());
    assert.ok(existsSync(join(result.outDir, `${SAMPLE}.vcf.gz`)));
    assert.deepEqual(await analyseEnclosed(again).then(({ files }) => files), result.files);

    await wipeEnclosed(given.folder);
    assert.equal(existsSync(given.folder), false);
  },
);

test('what fails is told, and the folder stays for whoever mends it', LONG, async () => {
  const cut = analysis('four', {
    reads: [{ fileName: 'x.fastq', open: () => createReadStream(join(input, 'ref.fa')) }],
  });
  await assert.rejects(analyseEnclosed(cut.given), { code: 'INPUT_WRONG_FORMAT' });
  await assert.rejects(analyseEnclosed(analysis('five', { reads: [] }).given), { code: 'USAGE' });
});

test('the log of the analysis names no sample', async () => {
  const folders = (await readdir(root)).filter((name) => ['one', 'two', 'four'].includes(name));
  assert.ok(folders.length > 0);
  for (const name of folders) {
    const log = await readFile(nodePaths(join(root, name, 'node')).logFile, 'utf8');
    assert.ok(log.length > 0);
    assert.ok(!log.includes(SAMPLE));
  }
});
