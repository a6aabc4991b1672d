/**
 * Calling of one shard: the caller on the padded region, each record split and left-aligned, then
 * cut to the core by its normalised position, so that neighbours neither lose nor repeat it.
 *
 * Order matters: normalising moves POS, so the cut comes after it. Within a shard, freebayes can
 * state one allele twice over overlapping haplotypes; the first statement is kept.
 * File names are fixed: freebayes' QUAL depends on them in its last digits at junk sites.
 *
 * The mitochondrial contig is called with freebayes by allele fraction whatever the caller is.
 */
import type { Stage, TaskInput, TaskResult, TaskSpec } from '../task/spec.ts';
import type { ToolName } from '../tools/catalogue.ts';
import { ALIGNED_BAI, ALIGNED_BAM } from './align-step.ts';
import type { AnalysisInput } from './input.ts';
import { MT_MIN_FRACTION, MT_MIN_READS } from './limits.ts';
import {
  clipRegions,
  haploidRegions,
  type Karyotype,
  type PloidyRegion,
  shardKind,
} from './ploidy.ts';
import type { Shard } from './shard-plan.ts';
import { bedText, intermediate, outputInput, referenceInputs, versionsOf } from './task-parts.ts';

export type Caller = 'freebayes' | 'bcftools';

export const SHARD_CALLS = 'calls.vcf.gz';

/** Largest depth that mpileup piles up; its default of 250 would cut panels. */
const MPILEUP_MAX_DEPTH = '2000';

export interface CallOptions {
  readonly input: AnalysisInput;
  readonly aligned: TaskResult;
  readonly shard: Shard;
  readonly caller: Caller;
  readonly karyotype: Karyotype;
}

export function callStep({ input, aligned, shard, caller, karyotype }: CallOptions): TaskSpec {
  const { contigs, par } = input.reference;
  const isMitochondrial = shardKind(shard) === 'MT';
  const haploid = clipRegions(haploidRegions(contigs, par, karyotype), shard.segments);
  const used: Caller = isMitochondrial ? 'freebayes' : caller;
  const tools: readonly ToolName[] =
    used === 'freebayes' ? ['freebayes', 'bcftools'] : ['bcftools'];
  const copies = ploidyInput(used, haploid, input.sampleId);
  const stages =
    used === 'bcftools'
      ? bcftoolsStages(copies !== null)
      : [freebayes(isMitochondrial, copies !== null)];
  return {
    name: `call.${shard.name}`,
    pool: 'call',
    inputs: [
      outputInput(aligned, ALIGNED_BAM),
      outputInput(aligned, ALIGNED_BAI),
      ...referenceInputs(input.reference, ['ref.fa', 'ref.fa.fai']),
      text('padded.bed', bedText(shard.segments.map(({ padded }) => padded))),
      text('core.bed', bedText(shard.segments.map(({ core }) => core))),
      ...(copies === null ? [] : [copies]),
    ],
    commands: [{ kind: 'tools', stages: [...stages, ...normaliseAndCut()] }],
    outputs: [intermediate(SHARD_CALLS, 'vcf')],
    toolVersions: versionsOf(input.toolVersions, tools),
    resources: { cores: 1, memoryMib: 1024 },
  };
}

/**
 * Neighbouring substitutions stay records of their own. Joined into one, as by default, they match
 * none of ClinVar, dbSNP and gnomAD, which are looked up by exact allele. On HG002 at 30× and on 24
 * contigs of it the counts at QUAL > 1 are the same either way (docs/adr/0004-default-caller.md).
 */
const NO_CLUMPING = '-1';

function freebayes(isMitochondrial: boolean, hasCopies: boolean): Stage {
  const pooled = ['-p', '1', '--pooled-continuous'];
  const least = ['-F', String(MT_MIN_FRACTION), '-C', String(MT_MIN_READS)];
  const args = [
    ...['-f', 'ref.fa', '-t', 'padded.bed', '--max-complex-gap', NO_CLUMPING],
    ...(isMitochondrial ? [...pooled, ...least] : []),
    ...(hasCopies ? ['--cnv-map', 'copies.bed'] : []),
    ALIGNED_BAM,
  ];
  return { tool: 'freebayes', args };
}

function bcftoolsStages(hasCopies: boolean): readonly Stage[] {
  const fields = 'FORMAT/AD,FORMAT/DP';
  const region = ['-R', 'padded.bed', '-d', MPILEUP_MAX_DEPTH, '-a', fields, '-Ou', ALIGNED_BAM];
  const ploidy = hasCopies ? ['--ploidy-file', 'copies.txt'] : ['--ploidy', '2'];
  return [
    bcftools('mpileup', '--no-version', '-f', 'ref.fa', ...region),
    bcftools('call', '--no-version', '-mv', '-a', 'GQ', ...ploidy, '-Ou', '-'),
  ];
}

function normaliseAndCut(): readonly Stage[] {
  return [
    bcftools('norm', '--no-version', '-f', 'ref.fa', '-m', '-any', '-Ou', '-'),
    bcftools('norm', '--no-version', '-d', 'exact', '-Ou', '-'),
    // 0: by POS, not by any base of REF.
    bcftools(
      ...['view', '--no-version', '-T', 'core.bed', '--targets-overlap', '0'],
      ...['-Oz', '-o', SHARD_CALLS, '-'],
    ),
  ];
}

/** Where one copy is expected, as each caller reads it; null where there is none. */
function ploidyInput(
  caller: Caller,
  haploid: readonly PloidyRegion[],
  sampleId: string,
): TaskInput | null {
  if (haploid.length === 0) return null;
  if (caller === 'freebayes') {
    // BED and sample and copies; all else has freebayes' default of two.
    const lines = haploid.map(({ refName, start, end, ploidy }) => {
      return `${refName}\t${start}\t${end}\t${sampleId}\t${ploidy}\n`;
    });
    return text('copies.bed', lines.join(''));
  }
  // 1-based closed, a sex and copies. One sex, so that every sample has it.
  const lines = haploid.map(({ refName, start, end, ploidy }) => {
    return `${refName} ${start + 1} ${end} S ${ploidy}\n`;
  });
  return text('copies.txt', `* * * S 2\n${lines.join('')}`);
}

function text(name: string, content: string): TaskInput {
  return { kind: 'text', name, text: content };
}

function bcftools(...args: readonly string[]): Stage {
  return { tool: 'bcftools', args };
}
