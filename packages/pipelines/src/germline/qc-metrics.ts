/**
 * The judged figures: one row each with its limits and where they come from. A limit without a
 * published source says so. Pure.
 *
 * Sources, each looked up in the publisher's own text
 *   FastQC    Configuration/limits.txt and the help pages "Analysis Modules" of its repository. The
 *             help warns of duplicates from 20 % on, limits.txt from 30 % on; the help is followed.
 *   gnomAD    v3 hard filters of samples, gnomad_qc: mean_coverage < 15, median_insert_size < 250
 *   GEL       Genomics England's pipeline guides, "Quality control": 95 % of the autosomal genome
 *             at 15× or more, in reads of mapping quality above 10
 *   Illumina  DRAGEN TruSight Oncology 500 guides, "Run QC": Q30 of 85 % or more on a NovaSeq X
 */

import type { Metric, MetricUnit, Verdict } from '../report/model-qc.ts';
import { DEPTH_FAIL, DEPTH_WARN } from './limits.ts';

export interface QcFacts {
  readonly q30Fraction: number;
  /** Lowest mean quality of any cycle; null without reads. */
  readonly lowestCycleQuality: number | null;
  readonly highestCycleN: number | null;
  /** Largest |A−T| or |G−C| at any cycle beyond the first ten. */
  readonly baseImbalance: number | null;
  readonly gcFraction: number;
  readonly adapterFraction: number;
  readonly keptFraction: number;
  readonly fastpDuplication: number | null;
  readonly markdupDuplication: number | null;
  readonly medianInsertSize: number | null;
  readonly mappedFraction: number | null;
  readonly properlyPairedFraction: number | null;
  readonly mismatchFraction: number;
  readonly meanDepth: number;
  readonly callableDepth: number;
  readonly breadth: readonly { readonly depth: number; readonly fraction: number }[];
  /** False where coverage is confined to a small part of the reference, as in a panel. */
  readonly isSpread: boolean;
}

interface Limits {
  readonly better: 'high' | 'low';
  readonly warn: number;
  readonly fail: number;
  readonly source: string;
}

const OWN = 'own limit; no published standard';
const FASTQC = (module: string) => `FastQC, ${module}`;
const low = (warn: number, fail: number, source: string): Limits => ({
  better: 'low',
  warn,
  fail,
  source,
});
const high = (warn: number, fail: number, source: string): Limits => ({
  better: 'high',
  warn,
  fail,
  source,
});

export function qcMetrics(facts: QcFacts): readonly Metric[] {
  return [...readMetrics(facts), ...alignmentMetrics(facts), ...coverageMetrics(facts)];
}

/** The worst one; `pass` when nothing is judged. */
export function worstVerdict(metrics: readonly Metric[]): Verdict {
  const has = (verdict: Verdict) => metrics.some((metric) => metric.verdict === verdict);
  if (has('fail')) return 'fail';
  return has('warn') ? 'warn' : 'pass';
}

function readMetrics(facts: QcFacts): readonly Metric[] {
  return [
    row('q30', 'Bases of Q30 or better', facts.q30Fraction, {
      unit: 'fraction',
      limits: high(0.85, 0.75, 'Illumina run QC of NovaSeq X (85 %); 75 % is an own limit'),
    }),
    row('cycle-quality', 'Lowest mean quality of a cycle', facts.lowestCycleQuality, {
      unit: 'phred',
      limits: high(25, 20, `${FASTQC('per base quality')} (medians there, means here)`),
    }),
    row('n-content', 'Highest N content of a cycle', facts.highestCycleN, {
      unit: 'fraction',
      limits: low(0.05, 0.2, FASTQC('N content')),
    }),
    row('base-balance', 'Largest difference of A and T or G and C', facts.baseImbalance, {
      unit: 'fraction',
      limits: low(0.1, 0.2, `${FASTQC('per base sequence content')}, first ten cycles left out`),
    }),
    row('gc', 'GC content', facts.gcFraction, { unit: 'fraction' }),
    row('adapter', 'Reads with adapter', facts.adapterFraction, {
      unit: 'fraction',
      limits: low(0.05, 0.1, FASTQC('adapter content')),
    }),
    row('kept', 'Reads kept after filtering', facts.keptFraction, {
      unit: 'fraction',
      limits: high(0.9, 0.5, OWN),
    }),
    row('duplication-reads', 'Duplicate reads by sequence', facts.fastpDuplication, {
      unit: 'fraction',
      limits: low(0.2, 0.5, FASTQC('duplicate sequences')),
    }),
  ];
}

function alignmentMetrics(facts: QcFacts): readonly Metric[] {
  return [
    row('duplication', 'Duplicate reads by position', facts.markdupDuplication, {
      unit: 'fraction',
      limits: low(0.2, 0.5, `after ${FASTQC('duplicate sequences')}, which goes by sequence`),
    }),
    row('mapped', 'Reads mapped', facts.mappedFraction, {
      unit: 'fraction',
      limits: high(0.95, 0.8, OWN),
    }),
    row('properly-paired', 'Reads properly paired', facts.properlyPairedFraction, {
      unit: 'fraction',
      limits: high(0.9, 0.7, OWN),
    }),
    row('mismatches', 'Mismatches of mapped bases', facts.mismatchFraction, {
      unit: 'fraction',
    }),
    row('insert-size', 'Median insert size', facts.medianInsertSize, {
      unit: 'bases',
      limits: high(250, 150, 'gnomAD v3 hard filter (250, for genomes); 150 is an own limit'),
    }),
  ];
}

function coverageMetrics(facts: QcFacts): readonly Metric[] {
  const depth = high(
    DEPTH_WARN,
    DEPTH_FAIL,
    '30× is an own limit; gnomAD v3 hard filter (15×, for genomes)',
  );
  const judged = facts.isSpread ? { limits: depth } : {};
  return [
    row('mean-depth', 'Mean depth of the reference', facts.meanDepth, {
      unit: 'depth',
      ...judged,
    }),
    row('callable-depth', 'Mean depth where covered', facts.callableDepth, {
      unit: 'depth',
      limits: high(DEPTH_WARN, DEPTH_FAIL, 'own limits, those of the mean depth of a genome'),
    }),
    ...facts.breadth.map(({ depth: at, fraction }) =>
      row(`breadth-${at}`, `Bases covered at least ${at}×`, fraction, {
        unit: 'fraction',
        ...(at === 15 && facts.isSpread
          ? {
              limits: high(0.9, 0.8, 'own limits; Genomics England asks for 95 % of the autosomes'),
            }
          : {}),
      }),
    ),
  ];
}

function row(
  id: string,
  label: string,
  value: number | null,
  { unit, limits }: { readonly unit: MetricUnit; readonly limits?: Limits },
): Metric {
  if (limits === undefined) {
    return { id, label, value, unit, verdict: null, threshold: null, limits: null, source: null };
  }
  const { better, warn, fail, source } = limits;
  const words = better === 'high' ? ['at least', 'below'] : ['at most', 'above'];
  return {
    id,
    label,
    value,
    unit,
    verdict: value === null ? null : judge(value, limits),
    threshold: `${words[0]} ${printed(warn, unit)}; fails ${words[1]} ${printed(fail, unit)}`,
    limits: { warn, fail },
    source,
  };
}

function judge(value: number, { better, warn, fail }: Limits): Verdict {
  const isWorse = (limit: number) => (better === 'high' ? value < limit : value > limit);
  if (isWorse(fail)) return 'fail';
  return isWorse(warn) ? 'warn' : 'pass';
}

function printed(value: number, unit: MetricUnit): string {
  if (unit === 'fraction') return `${Math.round(value * 1000) / 10} %`;
  return unit === 'depth' ? `${value}×` : String(value);
}
