/**
 * Regions of low coverage as a task of its own: it needs the alignment alone, runs beside the calls
 * and is waited for by the report.
 *
 *   coverage-targets              where the sample should be covered (the rule stands there)
 *   samtools view │ depth         depths of the targets alone, through the index of the BAM
 *   low-coverage                  the stretches below the threshold
 *
 * What counts: primary alignments, no duplicates (samtools' own exclusion), mapping and base quality
 * from COVERAGE_MIN_* on (-Q, -q), the overlap of two mates once (-s). A read with a deletion covers
 * what it deletes (-J, by the quality of the base after it): the caller sees it, so a homozygous
 * deletion is a call and no gap.
 */
import type { TaskResult, TaskSpec } from '../task/spec.ts';
import { ALIGNED_BAI, ALIGNED_BAM, QC_JSON } from './align-step.ts';
import { TARGETS_BED } from './coverage-targets.ts';
import type { GermlineInput } from './input.ts';
import { COVERAGE_MIN_BASE_QUALITY, COVERAGE_MIN_MAPPING_QUALITY } from './limits.ts';
import { DEPTH_TSV, LOW_COVERAGE_BED, LOW_COVERAGE_JSON } from './low-coverage.ts';
import type { Karyotype } from './ploidy.ts';
import { outputInput, referenceInputs, result, versionsOf } from './task-parts.ts';

const GENE_MODELS = 'genes.gff3.gz';

export interface LowCoverageOptions {
  readonly input: Pick<GermlineInput, 'reference' | 'toolVersions'>;
  readonly aligned: TaskResult;
  readonly karyotype: Karyotype;
}

/** Makes LOW_COVERAGE_JSON and LOW_COVERAGE_BED. */
export function lowCoverageStep({ input, aligned, karyotype }: LowCoverageOptions): TaskSpec {
  const { reference, toolVersions } = input;
  const hasModels = reference.files[GENE_MODELS] !== undefined;
  const par = reference.par.map(({ refName, start, end }) => ({ refName, start, end }));
  const qualities = [
    ...['-q', String(COVERAGE_MIN_BASE_QUALITY)],
    ...['-Q', String(COVERAGE_MIN_MAPPING_QUALITY)],
  ];
  return {
    name: 'low-coverage',
    pool: 'qc',
    inputs: [
      outputInput(aligned, ALIGNED_BAM),
      outputInput(aligned, ALIGNED_BAI),
      outputInput(aligned, QC_JSON),
      ...referenceInputs(reference, ['ref.fa.fai', hasModels ? GENE_MODELS : 'ref.fa']),
    ],
    commands: [
      { kind: 'builtin', name: 'coverage-targets', args: { karyotype, par, hasModels } },
      {
        kind: 'tools',
        stages: [
          { tool: 'samtools', args: ['view', '-u', '-M', '-L', TARGETS_BED, ALIGNED_BAM] },
          {
            tool: 'samtools',
            args: ['depth', '-aa', '-J', '-s', ...qualities, '-b', TARGETS_BED, '-'],
          },
        ],
        stdout: DEPTH_TSV,
      },
      { kind: 'builtin', name: 'low-coverage', args: {} },
    ],
    outputs: [result(LOW_COVERAGE_JSON, 'json'), result(LOW_COVERAGE_BED, 'text')],
    toolVersions: versionsOf(toolVersions, ['samtools', 'helixmesh']),
    // The gene models of a human genome take about 400 MiB while they are merged.
    resources: { cores: 1, memoryMib: 1_024 },
  };
}
