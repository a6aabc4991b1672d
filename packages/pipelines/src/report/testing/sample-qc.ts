/** The quality part of the invented report. Series are smooth functions: no random numbers. */
import { qcMetrics, worstVerdict } from '../../germline/qc-metrics.ts';
import type { Histogram, ReportQc } from '../model-qc.ts';

const CYCLES = 150;
/** GRCh38, Mb. */
const CHROMOSOMES_MB = [
  248, 242, 198, 190, 182, 171, 159, 145, 138, 134, 135, 133, 114, 107, 102, 90, 83, 80, 59, 64, 47,
  51,
];

export function sampleQc(): ReportQc {
  const metrics = qcMetrics({
    q30Fraction: 0.9312,
    lowestCycleQuality: 31.4,
    highestCycleN: 0.0004,
    baseImbalance: 0.012,
    gcFraction: 0.4098,
    adapterFraction: 0.061,
    keptFraction: 0.9871,
    fastpDuplication: 0.0614,
    markdupDuplication: 0.0832,
    medianInsertSize: 402,
    mappedFraction: 0.9986,
    properlyPairedFraction: 0.9761,
    mismatchFraction: 0.0041,
    meanDepth: 35.2,
    callableDepth: 36.4,
    breadth: [
      { depth: 10, fraction: 0.9871 },
      { depth: 15, fraction: 0.9764 },
      { depth: 20, fraction: 0.9512 },
      { depth: 30, fraction: 0.7433 },
    ],
    isSpread: true,
  });
  return {
    verdict: worstVerdict(metrics),
    meanDepth: 35.2,
    metrics: [...metrics],
    plots: {
      qualityByCycle: { read1: quality(0), read2: quality(2.4) },
      gcByCycle: { read1: gc(0), read2: gc(1) },
      coverageByContig: sampleContigs(),
      insertSize: { histogram: bell(0, 5, 200, 402, 78, 91_000), medianBases: 402 },
      breadth: Array.from({ length: 71 }, (_, depth) => ({
        depth,
        fraction: round(0.992 / (1 + Math.exp((depth - 35.5) / 4.6)), 5),
      })),
      tiTv: { ratio: 2.06, transitions: 2_651_210, transversions: 1_286_991 },
      alleleBalance: { histogram: bell(0, 0.025, 40, 0.485, 0.085, 412_000), calls: 2_354_112 },
    },
  };
}

/** 24 chromosomes and MT, of an XX sample. */
export function sampleContigs(): ReportQc['plots']['coverageByContig'] {
  const autosomes = CHROMOSOMES_MB.map((length, index) => ({
    refName: `chr${index + 1}`,
    lengthBases: length * 1_000_000,
    meanDepth: round(35.2 + 1.4 * Math.sin(index * 1.9) - (index === 18 ? 3.1 : 0), 2),
  }));
  return [
    ...autosomes,
    { refName: 'chrX', lengthBases: 156_000_000, meanDepth: 34.6 },
    { refName: 'chrY', lengthBases: 57_000_000, meanDepth: 0.31 },
    { refName: 'chrM', lengthBases: 16_569, meanDepth: 2_793.5 },
  ];
}

function quality(drop: number): number[] {
  return Array.from({ length: CYCLES }, (_, index) => {
    const share = index / CYCLES;
    const start = index < 5 ? (5 - index) * 0.6 : 0;
    return round(37.2 - start - (2.2 + drop) * share ** 3 + 0.15 * Math.sin(index / 4), 2);
  });
}

function gc(phase: number): number[] {
  return Array.from({ length: CYCLES }, (_, index) => {
    const start = index < 9 ? 0.05 * Math.sin(index * 1.7 + phase) * (1 - index / 9) : 0;
    return round(0.41 + start + 0.002 * Math.sin(index / 7 + phase), 4);
  });
}

function bell(
  start: number,
  binWidth: number,
  bins: number,
  ...[mean, deviation, height]: [number, number, number]
): Histogram {
  const counts = Array.from({ length: bins }, (_, index) => {
    const distance = (start + (index + 0.5) * binWidth - mean) / deviation;
    return Math.round(height * Math.exp(-0.5 * distance * distance));
  });
  return { start, binWidth, counts };
}

function round(value: number, digits: number): number {
  return Number(value.toFixed(digits));
}
