/** Runs the pipeline and its stages over stand-ins for the tools: a machine whose outputs are all alike. */
import assert from 'node:assert/strict';
import type { Digest, Json, SampleId } from '@helixmesh/protocol';
import { taskKey } from '../../task/key.ts';
import type { TaskResult, TaskSpec } from '../../task/spec.ts';
import { createMemoryEngine } from '../../workflow/memory.ts';
import type { Pipeline, PipelineResult } from '../../workflow/port.ts';
import type { Contig, FileRef, GermlineInput, Region } from '../input.ts';
import { germline } from '../pipeline.ts';
import type { Karyotype } from '../ploidy.ts';

const digest = (digit: string) => `sha256:${digit.repeat(64)}` as Digest;
/** Of every output. */
export const OUTPUT_DIGEST = digest('d');
const file = (name: string): FileRef => ({
  name,
  digest: digest('a'),
  sizeBytes: 1,
  location: `/reference/${name}`,
});
export const HUMAN: readonly Contig[] = [
  ...Array.from({ length: 22 }, (_, i) => ({
    name: `chr${i + 1}`,
    lengthBases: 248_000_000 - i * 9_000_000,
  })),
  { name: 'chrX', lengthBases: 156_040_895 },
  { name: 'chrY', lengthBases: 57_227_415 },
  { name: 'chrM', lengthBases: 16_569 },
  ...Array.from({ length: 3_300 }, (_, i) => ({
    name: `chrUn_KI270${i}v1_alternate_scaffold`,
    lengthBases: 1_000 + i * 30,
  })),
];
const PAR: readonly Region[] = [{ refName: 'chrX', start: 10_000, end: 2_781_479 }];

export interface Case {
  readonly contigs?: readonly Contig[];
  readonly karyotype?: Karyotype;
  readonly callableDepth?: number;
  readonly shardTargetBases?: number;
  readonly crashAt?: number;
  readonly isPaired?: boolean;
}

export function inputOf(given: Case): GermlineInput {
  return {
    sampleId: 'S1' as SampleId,
    reads: { r1: file('r1.fastq.gz'), r2: given.isPaired === false ? null : file('r2.fastq.gz') },
    reference: {
      name: 'r',
      digest: digest('b'),
      contigs: given.contigs ?? HUMAN,
      par: PAR,
      files: Object.fromEntries(
        ['', '.fai', '.amb', '.ann', '.bwt', '.pac', '.sa'].map((end) => [
          `ref.fa${end}`,
          file(`ref.fa${end}`),
        ]),
      ),
    },
    parameters: {
      aligner: 'bwa',
      caller: 'auto',
      sex: 'infer',
      shardTargetBases: given.shardTargetBases ?? 20_000_000,
    },
    toolVersions: Object.fromEntries(
      ['fastp', 'bwa', 'samtools', 'bcftools', 'freebayes', 'tabix'].map((tool) => [tool, '1']),
    ),
  };
}

/** The small outputs that pipelines read. */
function documentsOf(given: Case): Readonly<Record<string, Json>> {
  const reads = { digest: digest('c'), reads: 10, bases: 10, maxLength: 150, compression: 'gzip' };
  return {
    'intake.json': { r1: reads, r2: given.isPaired === false ? null : reads },
    'decision.json': {
      formatVersion: 1,
      meanDepth: 30,
      callableDepth: given.callableDepth ?? 30,
      readsAligned: 10,
      sex: {
        karyotype: given.karyotype ?? 'XY',
        basis: 'inferred',
        xRatio: 0.5,
        yRatio: 0.3,
        reason: 'told',
      },
    },
  };
}

/** The whole pipeline; answers the tasks in the order of starts. */
export async function run(given: Case) {
  return runPipeline(germline, inputOf(given), given);
}

export async function runPipeline<Input>(pipeline: Pipeline<Input>, input: Input, given: Case) {
  const specs: TaskSpec[] = [];
  const documents = documentsOf(given);
  await using engine = createMemoryEngine({
    runTask: async (spec): Promise<TaskResult> => {
      specs.push(spec);
      const record = { digest: OUTPUT_DIGEST, sizeBytes: 1 };
      const outputs = spec.outputs.map(({ name }) => [name, record]);
      return { key: taskKey(spec), outputs: Object.fromEntries(outputs) };
    },
    readOutput: async ({ output }) => documents[output] ?? null,
  });
  const request = { jobId: 'job', pipeline, input };
  let outcome = await engine.run(
    given.crashAt === undefined ? request : { ...request, crashAt: given.crashAt },
  );
  const hasCrashed = outcome.status === 'crashed';
  if (hasCrashed) outcome = await engine.run(request);
  assert.equal(outcome.status, 'completed', JSON.stringify(outcome));
  const { result } = outcome as { result: PipelineResult };
  return { specs, result, hasCrashed, names: specs.map(({ name }) => name) };
}
