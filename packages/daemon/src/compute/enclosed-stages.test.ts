/** One sample in stages, each in an enclosure of its own, over real tools and files. */
import assert from 'node:assert/strict';
import { createReadStream, existsSync } from 'node:fs';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { before, test } from 'node:test';
import { gunzipSync, gzipSync } from 'node:zlib';
import { addReference, simulate } from '@helixmesh/pipelines';
import { type AnalysisStage, stagesOf, taskOfStage, tasksBefore } from '@helixmesh/protocol';
import { nodeCrypto } from '@helixmesh/protocol/node';
import { networkId } from '@helixmesh/protocol/sealing';
import { temporaryFolder } from '../testing/temporary-folder.ts';
import { analyseEnclosed, type EnclosedResult, type StagedFile } from './enclosed-analysis.ts';
import { resultDigest } from './result-digest.ts';

const NETWORK = networkId(nodeCrypto, { name: 'test' });
const SIZE = { contigs: 2, basesPerContig: 20_000, coverage: 8, mitochondrion: false } as const;
/** One more than there are shards, so that one part is empty. */
const PARTS = 3;
/** Eight enclosures, each with an engine of its own. */
const LONG = { timeout: 600_000 };

const root = temporaryFolder('stages');
const input = join(root, 'input');
const referenceRoot = join(root, 'references');
const results = new Map<string, EnclosedResult>();

before(async () => {
  await simulate({ outDir: input, sampleId: 'S1', seed: 3, ...SIZE });
  const reference = { name: 'ref', fasta: join(input, 'ref.fa') };
  await addReference(reference, { storeDir: referenceRoot });
});

function analyse(stage: AnalysisStage, staged: readonly StagedFile[] = []) {
  const takesReads = stage.kind === 'whole' || stage.kind === 'align';
  const names = takesReads ? ['reads_R1.fastq.gz', 'reads_R2.fastq.gz'] : [];
  return analyseEnclosed({
    folder: join(root, taskOfStage(stage)),
    referenceRoot,
    config: { cores: 2, limitsFactor: 1 },
    stage,
    reads: names.map((fileName) => ({
      fileName,
      open: () => createReadStream(join(input, fileName)),
    })),
    staged,
    job: { pipeline: 'germline', sampleId: 'sample', reference: 'ref' },
    signal: new AbortController().signal,
  });
}

/** What the tasks before a stage have made, but for files that are put in the place of others. */
function stagedFor(
  stage: AnalysisStage,
  instead: Readonly<Record<string, string>> = {},
): StagedFile[] {
  return tasksBefore(stage).flatMap((task) => {
    const { outDir, files } = results.get(task) as EnclosedResult;
    return files.map(({ path, digest }) => {
      const from = instead[path] ?? join(outDir, path);
      return { task, path, digest, sizeBytes: 0, open: () => createReadStream(from) };
    });
  });
}

/** A copy of the calls of the first shard in which each line went through `change`. */
async function changedCalls(name: string, change: (fields: string[]) => string[]) {
  const path = 'shard-1.calls.vcf.gz';
  const { outDir } = results.get('call.1') as EnclosedResult;
  const lines = gunzipSync(await readFile(join(outDir, path)))
    .toString('utf8')
    .split('\n')
    .map((line) => (/^[^#]/.test(line) ? change(line.split('\t')).join('\t') : line));
  const changed = join(root, name);
  await writeFile(changed, gzipSync(lines.join('\n')));
  return { [path]: changed };
}

async function halfOf(path: string): Promise<string> {
  const { outDir } = results.get('align') as EnclosedResult;
  const bytes = await readFile(join(outDir, path));
  const half = join(root, 'half');
  await writeFile(half, bytes.subarray(0, bytes.length / 2));
  return half;
}

test(
  'stages on nodes of their own give the result of one machine, one part being empty',
  LONG,
  async () => {
    const finish: AnalysisStage = { kind: 'finish', parts: PARTS };
    for (const stage of stagesOf(PARTS)) {
      if (stage.kind !== 'finish') {
        results.set(taskOfStage(stage), await analyse(stage, stagedFor(stage)));
      }
    }
    assert.deepEqual(
      results.get(`call.${PARTS}`)?.files.map(({ path }) => path),
      ['decision.json'],
    );

    // Refused: half a file, and calls with qualities that the filters judge otherwise.
    const cut = { 'aligned.bam': await halfOf('aligned.bam') };
    await assert.rejects(analyse(finish, stagedFor(finish, cut)), { code: 'INPUT_TRUNCATED' });
    const quality = await changedCalls('quality.vcf.gz', (fields) => fields.with(5, '0.1'));
    await assert.rejects(analyse(finish, stagedFor(finish, quality)), { code: 'RESULT_DIFFERS' });

    // With the right files the same enclosure goes on.
    const spread = await analyse(finish, stagedFor(finish));
    const whole = await analyse({ kind: 'whole' });
    assert.deepEqual(spread.files, whole.files);
    assert.equal(spread.jobHash, whole.jobHash);
    const digest = resultDigest(nodeCrypto, NETWORK, whole);
    assert.equal(resultDigest(nodeCrypto, NETWORK, spread), digest);
    for (const { path } of whole.job.deliverables) {
      assert.ok(existsSync(join(spread.outDir, path)), path);
    }
  },
);
