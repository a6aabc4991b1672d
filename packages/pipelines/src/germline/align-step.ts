/**
 * Alignment: FASTQ to a sorted, duplicate-marked, indexed BAM and the figures about both.
 *
 *   fastp │ bwa mem │ fixmate │ sort │ markdup   one pipeline, no trimmed FASTQ on disk
 *   flagstat, coverage, stats                    three passes over the BAM, at the same time
 *   summarize-alignment                          qc.json and decision.json
 *
 * Determinism
 *   fastp 0.23.2 with two workers and --stdout gives the reads in another order at each run, and
 *   bwa's choice among equal places follows that order. With one worker the order is that of the
 *   files. One worker keeps up with more than 16 aligning threads.
 *   `-K` fixes bwa's batches, else results depend on `-t`. `--no-PG` keeps thread counts out of
 *   the header; @PG of the aligner is left out of the canonical form.
 */
import type { Stage, TaskInput, TaskOutput, TaskSpec } from '../task/spec.ts';
import type { ToolName } from '../tools/catalogue.ts';
import type { GermlineInput } from './input.ts';
import { type Intake, readsAfterIntake } from './intake-step.ts';
import { fileInput, referenceInputs, result, versionsOf } from './task-parts.ts';

export const ALIGNED_BAM = 'aligned.bam';
export const ALIGNED_BAI = 'aligned.bam.bai';
export const FASTP_JSON = 'fastp.json';
export const QC_JSON = 'qc.json';
export const DECISION_JSON = 'decision.json';

const BWA_ROLES = ['ref.fa.amb', 'ref.fa.ann', 'ref.fa.bwt', 'ref.fa.pac', 'ref.fa.sa'];

/** bwa's batch in bases; the value of nf-core/sarek. Another value gives other alignments. */
const BATCH_BASES = '100000000';
/** Memory of the sort before it spills to disk; one sorting thread, so the result is fixed. */
const SORT_MEMORY = '768M';
/** markdup's own default. */
const MARKDUP_MIN_READ_LENGTH = 300;
/** More threads than this gain nothing beside one fastp worker. */
const MAX_ALIGN_CORES = 32;
/** fastp keeps up to 1.7 GiB while it waits for the aligner; the batch of bwa takes about 1 GiB. */
const BASE_MEMORY_MIB = 4_096;
const BWA_BYTES_PER_BASE = 1.8;
const MINIMAP2_BYTES_PER_BASE = 4;

/** Those of the step `align`. */
export const ALIGN_OUTPUTS: readonly TaskOutput[] = [
  result(ALIGNED_BAM, 'bam'),
  result(ALIGNED_BAI, 'index'),
  result(FASTP_JSON, 'fastp-json'),
  result(QC_JSON, 'json'),
  result(DECISION_JSON, 'json'),
];

export interface AlignOptions {
  readonly input: GermlineInput;
  readonly intake: Intake;
}

export function alignStep({ input, intake }: AlignOptions): TaskSpec {
  const { aligner } = input.parameters;
  const reads = readsAfterIntake(input.reads, intake);
  const isPaired = reads.length === 2;
  const bases = input.reference.contigs.reduce((sum, each) => sum + each.lengthBases, 0);
  const perBase = aligner === 'bwa' ? BWA_BYTES_PER_BASE : MINIMAP2_BYTES_PER_BASE;
  const maxLength = Math.max(intake.r1.maxLength, intake.r2?.maxLength ?? 0);
  const tools: readonly ToolName[] = ['fastp', aligner, 'samtools', 'helixmesh'];
  return {
    name: 'align',
    pool: 'align',
    inputs: [...reads.map(({ name, file }) => fileInput(file, name)), ...referenceFor(input)],
    commands: [
      {
        kind: 'tools',
        stages: [
          trim(reads.map(({ name }) => name)),
          align(input, isPaired),
          ...(isPaired ? [samtools('fixmate', '--no-PG', '-u', '-m', '-', '-')] : []),
          samtools('sort', '--no-PG', '-u', '-@', '1', '-m', SORT_MEMORY, '-T', 'sort.tmp', '-'),
          markDuplicates(maxLength),
        ],
      },
      passOver('stats.txt', 'stats', '-d'),
      { ...passOver('coverage.tsv', 'coverage'), beside: true },
      { ...passOver('flagstat.json', 'flagstat', '-O', 'json'), beside: true },
      {
        kind: 'builtin',
        name: 'summarize-alignment',
        args: {
          reads: intake.r1.reads + (intake.r2?.reads ?? 0),
          isPaired,
          sex: input.parameters.sex,
        },
      },
    ],
    outputs: ALIGN_OUTPUTS,
    toolVersions: versionsOf(input.toolVersions, tools),
    resources: {
      cores: MAX_ALIGN_CORES,
      memoryMib: BASE_MEMORY_MIB + Math.ceil((bases * perBase) / 2 ** 20),
    },
  };
}

function referenceFor({ parameters, reference }: GermlineInput): readonly TaskInput[] {
  return referenceInputs(
    reference,
    parameters.aligner === 'bwa' ? ['ref.fa', ...BWA_ROLES] : ['ref.fa'],
  );
}

function trim(names: readonly string[]): Stage {
  return { tool: 'fastp', args: fastpArguments(names) };
}

/** Adapters of pairs are found by overlap, of single reads by frequency; duplicates stay. */
export function fastpArguments([r1 = '', r2]: readonly string[]): readonly string[] {
  const mates = r2 === undefined ? ['-i', r1] : ['-i', r1, '-I', r2];
  return [...mates, '--stdout', '-w', '1', '-j', FASTP_JSON, '-h', 'fastp.html'];
}

function align({ parameters, sampleId }: GermlineInput, isPaired: boolean): Stage {
  const readGroup = `@RG\\tID:${sampleId}\\tSM:${sampleId}\\tLB:${sampleId}\\tPL:ILLUMINA`;
  const common = ['-Y', '-t', '{threads}', '-R', readGroup, 'ref.fa', '-'];
  if (parameters.aligner === 'minimap2')
    return { tool: 'minimap2', args: ['-ax', 'sr', ...common] };
  const pairing = isPaired ? ['-p'] : [];
  return { tool: 'bwa', args: ['mem', '-K', BATCH_BASES, ...pairing, ...common] };
}

function markDuplicates(maxReadLength: number): Stage {
  const target = `${ALIGNED_BAM}##idx##${ALIGNED_BAI}`;
  const length = String(Math.max(MARKDUP_MIN_READ_LENGTH, maxReadLength));
  const files = ['-f', 'markdup.txt', '-T', 'markdup.tmp', '--write-index', '-', target];
  return samtools('markdup', '--no-PG', '-@', '{threads}', '-l', length, ...files);
}

function passOver(stdout: string, ...args: readonly string[]) {
  return { kind: 'tools', stages: [samtools(...args, ALIGNED_BAM)], stdout } as const;
}

function samtools(...args: readonly string[]): Stage {
  return { tool: 'samtools', args };
}
