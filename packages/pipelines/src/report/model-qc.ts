/**
 * The quality part of the report model: figures with their verdicts and the series that are
 * plotted. Fractions are 0–1, qualities Phred, lengths bases.
 */
import { z } from 'zod';
import { MAX_CONTIGS, MAX_SERIES_POINTS, MAX_TEXT_LETTERS } from './limits.ts';

const text = z.string().max(MAX_TEXT_LETTERS);
const figure = z.number().nonnegative();
const fraction = z.number().min(0).max(1);
const series = z.array(figure).max(MAX_SERIES_POINTS);

export const verdictSchema = z.enum(['pass', 'warn', 'fail']);
export type Verdict = z.infer<typeof verdictSchema>;

/** How a figure is printed. `fraction` is printed in per cent. */
export const metricUnitSchema = z.enum([
  'count',
  'fraction',
  'depth',
  'bases',
  'ratio',
  'phred',
  'none',
]);
export type MetricUnit = z.infer<typeof metricUnitSchema>;

export const metricSchema = z.strictObject({
  id: text.min(1),
  label: text.min(1),
  /** Null where the figure does not apply, e.g. insert size of single-end reads. */
  value: z.number().nullable(),
  unit: metricUnitSchema,
  /** Null for a figure that is told but not judged. */
  verdict: verdictSchema.nullable(),
  /** In words, e.g. `at least 30×`. */
  threshold: text.nullable(),
  /** The figures in `threshold`: beyond `warn` a warning, beyond `fail` a failure. */
  limits: z.strictObject({ warn: z.number(), fail: z.number() }).nullable(),
  /** Where the threshold comes from. */
  source: text.nullable(),
});
export type Metric = z.infer<typeof metricSchema>;

/** Equal bins: `counts[i]` covers `[start + i·binWidth, start + (i + 1)·binWidth)`. */
export const histogramSchema = z.strictObject({
  start: z.number(),
  binWidth: z.number().positive(),
  counts: series,
});
export type Histogram = z.infer<typeof histogramSchema>;

const readSeries = z.strictObject({ read1: series, read2: series.nullable() });

export const contigCoverageSchema = z.strictObject({
  refName: text.min(1),
  lengthBases: z.int().positive(),
  meanDepth: figure,
});
export type ContigCoverage = z.infer<typeof contigCoverageSchema>;

export const plotDataSchema = z.strictObject({
  /** Mean Phred quality at each sequencing cycle. */
  qualityByCycle: readSeries.nullable(),
  /** G+C fraction at each sequencing cycle. */
  gcByCycle: readSeries.nullable(),
  coverageByContig: z.array(contigCoverageSchema).max(MAX_CONTIGS),
  /** Null for single-end reads. */
  insertSize: z
    .strictObject({ histogram: histogramSchema, medianBases: figure.nullable() })
    .nullable(),
  /** Fraction of bases covered at least so deep. */
  breadth: z
    .array(z.strictObject({ depth: figure, fraction }))
    .max(MAX_SERIES_POINTS)
    .nullable(),
  tiTv: z
    .strictObject({ ratio: figure, transitions: z.int().min(0), transversions: z.int().min(0) })
    .nullable(),
  /** ALT fraction of heterozygous calls. */
  alleleBalance: z.strictObject({ histogram: histogramSchema, calls: z.int().min(0) }).nullable(),
});
export type PlotData = z.infer<typeof plotDataSchema>;

export const qcSchema = z.strictObject({
  verdict: verdictSchema,
  meanDepth: figure.nullable(),
  metrics: z.array(metricSchema).max(200),
  plots: plotDataSchema,
});
export type ReportQc = z.infer<typeof qcSchema>;
