/**
 * The barrier: the calls of all shards become one file, unfiltered, then one with the filters.
 *
 * Two tasks, so that a changed filter runs the second one only. More shards than one specification
 * can name are joined in groups first.
 */
import type { TaskResult, TaskSpec } from '../task/spec.ts';
import { type Caller, SHARD_CALLS } from './call-step.ts';
import type { GermlineInput } from './input.ts';
import { intermediate, outputInput, result, versionsOf } from './task-parts.ts';

export const JOINED_VCF = 'calls.vcf.gz';
export const UNFILTERED_VCF = 'unfiltered.vcf.gz';
export const UNFILTERED_TBI = 'unfiltered.vcf.gz.tbi';
export const FILTERED_VCF = 'filtered.vcf.gz';
export const FILTERED_TBI = 'filtered.vcf.gz.tbi';
export const VARIANTS_JSON = 'variants.json';

export interface MergeOptions {
  readonly input: Pick<GermlineInput, 'toolVersions'>;
  /** In the order of the shards; every one has the output `calls.vcf.gz`. */
  readonly parts: readonly TaskResult[];
}

/** Joins some shards, in order; used when there are more than MAX_CONCAT_INPUTS. */
export function joinStep({ input, parts }: MergeOptions, number: number): TaskSpec {
  return {
    ...concatenation(`join.${number}`, JOINED_VCF, { input, parts }),
    outputs: [intermediate(JOINED_VCF, 'vcf')],
    toolVersions: versionsOf(input.toolVersions, ['bcftools']),
  };
}

/** Joins what is left and refuses a doubled allele (DUPLICATE_VARIANT) or a broken order. */
export function mergeStep(options: MergeOptions): TaskSpec {
  const joined = concatenation('merge', UNFILTERED_VCF, options);
  return {
    ...joined,
    commands: [
      ...joined.commands,
      { kind: 'builtin', name: 'check-merged-calls', args: { calls: UNFILTERED_VCF } },
      indexCommand(UNFILTERED_VCF),
    ],
    outputs: [result(UNFILTERED_VCF, 'vcf'), result(UNFILTERED_TBI, 'index')],
    toolVersions: versionsOf(options.input.toolVersions, ['bcftools', 'tabix', 'helixmesh']),
  };
}

export interface FilterOptions {
  readonly input: Pick<GermlineInput, 'toolVersions'>;
  readonly merged: TaskResult;
  readonly caller: Caller;
}

/** Applies the documented filters and counts what is left into `variants.json`. */
export function filterStep({ input, merged, caller }: FilterOptions): TaskSpec {
  return {
    name: 'filter',
    pool: 'annotate',
    inputs: [outputInput(merged, UNFILTERED_VCF)],
    commands: [
      { kind: 'builtin', name: 'filter-calls', args: { calls: UNFILTERED_VCF, caller } },
      indexCommand(FILTERED_VCF),
    ],
    outputs: [
      result(FILTERED_VCF, 'vcf'),
      result(FILTERED_TBI, 'index'),
      result(VARIANTS_JSON, 'json'),
    ],
    toolVersions: versionsOf(input.toolVersions, ['tabix', 'helixmesh']),
    resources: { cores: 1, memoryMib: 512 },
  };
}

function concatenation(name: string, target: string, { input, parts }: MergeOptions): TaskSpec {
  const names = parts.map((_, i) => `part${String(i + 1).padStart(4, '0')}.vcf.gz`);
  return {
    name,
    pool: 'annotate',
    inputs: parts.map((part, i) => outputInput(part, SHARD_CALLS, names[i])),
    commands: [
      {
        kind: 'tools',
        stages: [
          {
            tool: 'bcftools',
            args: ['concat', '--no-version', '-Oz', '-o', target, ...names],
          },
        ],
      },
    ],
    outputs: [],
    toolVersions: versionsOf(input.toolVersions, ['bcftools']),
    resources: { cores: 1, memoryMib: 512 },
  };
}

function indexCommand(name: string) {
  return {
    kind: 'tools',
    stages: [{ tool: 'tabix', args: ['-f', '-p', 'vcf', name] }],
  } as const;
}
