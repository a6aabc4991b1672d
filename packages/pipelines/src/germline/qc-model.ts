/**
 * The quality of one sample's reads and alignments, as qc.json carries it: figures with verdict,
 * threshold and source, and the series behind the plots. Fractions 0–1, lengths in bases.
 */
import { z } from 'zod';
import { histogramSchema, metricSchema, verdictSchema } from '../report/model-qc.ts';
import { MAX_QC_CONTIGS, SPREAD_FRACTION } from './limits.ts';

export const QC_FORMAT_VERSION = 2;

const fraction = z.number().min(0).max(1);
const count = z.int().min(0);
const figure = z.number().min(0);

const readsSchema = z.strictObject({
  reads: count,
  bases: count,
  q20Fraction: fraction,
  q30Fraction: fraction,
  gcFraction: fraction,
  meanLength1: figure,
  meanLength2: figure.nullable(),
});

const cycleSchema = z.strictObject({
  /** Mean Phred quality. */
  quality: z.array(figure),
  gcFraction: z.array(fraction),
  nFraction: z.array(fraction),
});

export const contigQcSchema = z.strictObject({
  refName: z.string(),
  lengthBases: z.int().positive(),
  meanDepth: figure,
  /** Fraction of bases covered at least once. */
  breadth1: fraction,
});

export const qcModelSchema = z.strictObject({
  format: z.literal('helixmesh.alignment-qc'),
  formatVersion: z.literal(QC_FORMAT_VERSION),
  layout: z.enum(['paired', 'single']),
  /** The worst verdict of all metrics. */
  verdict: verdictSchema,
  metrics: z.array(metricSchema),
  /** By fastp, before and after trimming and filtering. */
  reads: z.strictObject({ before: readsSchema, after: readsSchema }),
  filtered: z.strictObject({
    lowQuality: count,
    tooManyN: count,
    tooShort: count,
    adapterTrimmedReads: count,
    adapterTrimmedBases: count,
  }),
  /** By cycle, before filtering. */
  cycles: z.strictObject({ read1: cycleSchema, read2: cycleSchema.nullable() }),
  duplication: z.strictObject({
    /** fastp's estimate from the first bases of the reads. */
    fastpFraction: fraction.nullable(),
    /** By position after alignment. */
    markdupFraction: fraction.nullable(),
    estimatedLibrarySize: count.nullable(),
  }),
  alignment: z.strictObject({
    primary: count,
    primaryMapped: count,
    secondary: count,
    supplementary: count,
    properlyPaired: count.nullable(),
    /** Mismatches over mapped bases, by samtools stats. */
    mismatchFraction: figure,
  }),
  /** Without duplicates; null for single-end reads or when no pair maps. */
  insertSize: z
    .strictObject({ histogram: histogramSchema, medianBases: figure, meanBases: figure })
    .nullable(),
  coverage: z.strictObject({
    meanDepth: figure,
    callableDepth: figure,
    breadth: z.array(z.strictObject({ depth: count, fraction })),
    /** Bases by depth from 0; the last bin holds all deeper ones. */
    depthHistogram: histogramSchema,
    contigs: z.array(contigQcSchema).max(MAX_QC_CONTIGS),
    /** Contigs that the list leaves out, shortest ones. */
    unlistedContigs: count,
  }),
  sex: z.strictObject({
    karyotype: z.string(),
    basis: z.string(),
    xRatio: figure.nullable(),
    yRatio: figure.nullable(),
    reason: z.string(),
  }),
});
export type QcModel = z.infer<typeof qcModelSchema>;

/** Share of the reference's bases covered at least once. */
export function coveredFraction({ breadth }: Pick<QcModel['coverage'], 'breadth'>): number {
  return breadth.find(({ depth }) => depth === 1)?.fraction ?? 0;
}

/**
 * Whether reads lie all over the reference, whatever the reference is: the figures of the whole of
 * it mean something then. False of a panel or an exome on the reference of a genome.
 */
export function isSpread(coverage: Pick<QcModel['coverage'], 'breadth'>): boolean {
  return coveredFraction(coverage) >= SPREAD_FRACTION;
}
