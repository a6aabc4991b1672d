/** Builds the QC model from the parsed outputs of the tools. Pure. */
import type { Histogram } from '../report/model-qc.ts';
import { CALLABLE_MIN_DEPTH, MAX_QC_BINS, MAX_QC_CONTIGS } from './limits.ts';
import type { SexCall } from './ploidy.ts';
import { type QcFacts, qcMetrics, worstVerdict } from './qc-metrics.ts';
import { isSpread, QC_FORMAT_VERSION, type QcModel } from './qc-model.ts';
import type {
  CoverageRow,
  FastpCycles,
  FastpReport,
  FlagCounts,
  StatsReport,
} from './tool-output.ts';

export interface QcInputs {
  readonly isPaired: boolean;
  readonly fastp: FastpReport;
  readonly flags: FlagCounts;
  readonly coverage: readonly CoverageRow[];
  readonly stats: StatsReport;
  readonly markdup: ReadonlyMap<string, number>;
}

export const BREADTH_DEPTHS = [1, 10, 15, 20, 30] as const;
/** Random priming and fragmentation bias the first cycles of good libraries too. */
const BIASED_CYCLES = 10;
/** The depth histogram ends here; deeper bases share the last bin. */
const DEPTH_BINS = 201;

export function qcModel(inputs: QcInputs, sex: SexCall): QcModel {
  const { isPaired, fastp, flags, stats, markdup } = inputs;
  const coverage = coverageOf(inputs);
  const insertSize = isPaired ? insertSizeOf(stats) : null;
  const metrics = qcMetrics(factsOf(inputs, coverage, insertSize));
  const cut = fastp.adapter_cutting;
  const { read1_before_filtering: read1, read2_before_filtering: read2 } = fastp;
  return {
    format: 'helixmesh.alignment-qc',
    formatVersion: QC_FORMAT_VERSION,
    layout: isPaired ? 'paired' : 'single',
    verdict: worstVerdict(metrics),
    metrics: [...metrics],
    reads: {
      before: readsOf(fastp.summary.before_filtering),
      after: readsOf(fastp.summary.after_filtering),
    },
    filtered: {
      lowQuality: fastp.filtering_result.low_quality_reads,
      tooManyN: fastp.filtering_result.too_many_N_reads,
      tooShort: fastp.filtering_result.too_short_reads,
      adapterTrimmedReads: cut?.adapter_trimmed_reads ?? 0,
      adapterTrimmedBases: cut?.adapter_trimmed_bases ?? 0,
    },
    cycles: { read1: cycles(read1), read2: read2 === undefined ? null : cycles(read2) },
    duplication: {
      fastpFraction: fastp.duplication?.rate ?? null,
      markdupFraction: share(flags['primary duplicates'], flags.primary),
      estimatedLibrarySize: markdup.get('ESTIMATED_LIBRARY_SIZE') ?? null,
    },
    alignment: {
      primary: flags.primary,
      primaryMapped: flags['primary mapped'],
      secondary: flags.secondary,
      supplementary: flags.supplementary,
      properlyPaired: isPaired ? flags['properly paired'] : null,
      mismatchFraction: stats.summary.get('error rate') ?? 0,
    },
    insertSize,
    coverage,
    sex: { ...sex },
  };
}

function factsOf(
  { isPaired, fastp, flags, stats }: QcInputs,
  coverage: QcModel['coverage'],
  insertSize: QcModel['insertSize'],
): QcFacts {
  const { before_filtering: before, after_filtering: after } = fastp.summary;
  const mates = [fastp.read1_before_filtering, fastp.read2_before_filtering].filter(
    (mate) => mate !== undefined,
  );
  const qualities = mates.flatMap(({ quality_curves }) => quality_curves.mean);
  return {
    q30Fraction: before.q30_rate,
    lowestCycleQuality: least(qualities),
    highestCycleN: most(mates.flatMap(({ content_curves }) => content_curves.N)),
    baseImbalance: most(mates.flatMap(imbalances)),
    gcFraction: before.gc_content,
    adapterFraction:
      share(fastp.adapter_cutting?.adapter_trimmed_reads ?? 0, before.total_reads) ?? 0,
    keptFraction: share(after.total_reads, before.total_reads) ?? 0,
    fastpDuplication: fastp.duplication?.rate ?? null,
    markdupDuplication: share(flags['primary duplicates'], flags.primary),
    medianInsertSize: insertSize?.medianBases ?? null,
    mappedFraction: share(flags['primary mapped'], flags.primary),
    properlyPairedFraction: isPaired
      ? share(flags['properly paired'], flags['paired in sequencing'])
      : null,
    mismatchFraction: stats.summary.get('error rate') ?? 0,
    meanDepth: coverage.meanDepth,
    callableDepth: coverage.callableDepth,
    breadth: coverage.breadth,
    isSpread: isSpread(coverage),
  };
}

function coverageOf({ coverage, stats }: QcInputs): QcModel['coverage'] {
  const totalBases = coverage.reduce((sum, { lengthBases }) => sum + lengthBases, 0);
  const depthBases = coverage.reduce((sum, row) => sum + row.meanDepth * row.lengthBases, 0);
  const listed = coverage
    .toSorted((left, right) => right.lengthBases - left.lengthBases)
    .slice(0, MAX_QC_CONTIGS);
  const names = new Set(listed.map(({ refName }) => refName));
  const atLeast = (depth: number) => sumFrom(stats.basesByDepth, depth, (_, bases) => bases);
  const callable = atLeast(CALLABLE_MIN_DEPTH);
  const callableSum = sumFrom(stats.basesByDepth, CALLABLE_MIN_DEPTH, (d, bases) => d * bases);
  return {
    meanDepth: rounded(share(depthBases, totalBases, Number.POSITIVE_INFINITY) ?? 0),
    callableDepth: rounded(share(callableSum, callable, Number.POSITIVE_INFINITY) ?? 0),
    breadth: BREADTH_DEPTHS.map((depth) => ({
      depth,
      fraction: share(atLeast(depth), totalBases) ?? 0,
    })),
    depthHistogram: depthHistogram(stats.basesByDepth, totalBases),
    contigs: coverage
      .filter(({ refName }) => names.has(refName))
      .map(({ refName, lengthBases, coveredBases, meanDepth }) => ({
        refName,
        lengthBases,
        meanDepth,
        breadth1: share(coveredBases, lengthBases) ?? 0,
      })),
    unlistedContigs: coverage.length - listed.length,
  };
}

function depthHistogram(basesByDepth: ReadonlyMap<number, number>, totalBases: number): Histogram {
  const counts = new Array<number>(DEPTH_BINS).fill(0);
  let covered = 0;
  for (const [depth, bases] of basesByDepth) {
    const bin = Math.min(depth, DEPTH_BINS - 1);
    counts[bin] = (counts[bin] ?? 0) + bases;
    covered += bases;
  }
  counts[0] = Math.max(0, totalBases - covered);
  return { start: 0, binWidth: 1, counts };
}

function insertSizeOf({ pairsByInsertSize, summary }: StatsReport): QcModel['insertSize'] {
  const total = pairsByInsertSize.reduce((sum, { pairs }) => sum + pairs, 0);
  if (total === 0) return null;
  let seen = 0;
  let medianBases = 0;
  const counts: number[] = [];
  for (const { size, pairs } of pairsByInsertSize) {
    if (seen * 2 < total) medianBases = size;
    seen += pairs;
    if (size >= MAX_QC_BINS) continue;
    while (counts.length < size) counts.push(0);
    counts[size] = pairs;
  }
  return {
    histogram: { start: 0, binWidth: 1, counts },
    medianBases,
    meanBases: summary.get('insert size average') ?? 0,
  };
}

function readsOf(pass: FastpReport['summary']['before_filtering']) {
  return {
    reads: pass.total_reads,
    bases: pass.total_bases,
    q20Fraction: pass.q20_rate,
    q30Fraction: pass.q30_rate,
    gcFraction: pass.gc_content,
    meanLength1: pass.read1_mean_length,
    meanLength2: pass.read2_mean_length ?? null,
  };
}

function cycles({ quality_curves, content_curves: content }: FastpCycles) {
  return {
    quality: quality_curves.mean,
    gcFraction: content.G.map((g, i) => Math.min(1, g + (content.C[i] ?? 0))),
    nFraction: content.N.map((n) => Math.min(1, n)),
  };
}

function imbalances({ content_curves: { A, C, G, T } }: FastpCycles): readonly number[] {
  return A.slice(BIASED_CYCLES).map((a, i) => {
    const at = i + BIASED_CYCLES;
    return Math.max(Math.abs(a - (T[at] ?? a)), Math.abs((G[at] ?? 0) - (C[at] ?? 0)));
  });
}

function sumFrom(
  counts: ReadonlyMap<number, number>,
  least: number,
  term: (depth: number, bases: number) => number,
): number {
  let sum = 0;
  for (const [depth, bases] of counts) if (depth >= least) sum += term(depth, bases);
  return sum;
}

/** part / whole, at most `limit`; null when there is no whole. */
function share(part: number, whole: number, limit = 1): number | null {
  return whole === 0 ? null : Math.min(limit, part / whole);
}

function rounded(value: number): number {
  return Math.round(value * 10_000) / 10_000;
}

function least(values: readonly number[]): number | null {
  return values.length === 0 ? null : values.reduce((left, right) => Math.min(left, right));
}

function most(values: readonly number[]): number | null {
  return values.length === 0 ? null : values.reduce((left, right) => Math.max(left, right));
}
