/** Regions that are too thinly covered to call: part of the report model, 0-based half-open. */
import { z } from 'zod';
import { MAX_LOW_COVERAGE_GENES, MAX_LOW_COVERAGE_REGIONS, MAX_TEXT_LETTERS } from './limits.ts';

const named = z.string().min(1).max(MAX_TEXT_LETTERS);
const count = z.int().min(0);

export const lowCoverageRegionSchema = z
  .strictObject({
    refName: named,
    start: count,
    end: count,
    meanDepth: z.number().min(0),
    genes: z.array(named).max(MAX_LOW_COVERAGE_GENES),
  })
  .refine((region) => region.end > region.start, 'the region ends before it starts');
export type LowCoverageRegion = z.infer<typeof lowCoverageRegionSchema>;

/** What was examined; packages/pipelines/src/germline/coverage-targets.ts has the rule. */
export const lowCoverageScopeSchema = z.enum([
  'coding exons',
  /** Of a panel or exome: genes with a coding exon that the reads reach. */
  'coding exons of covered genes',
  'contigs',
]);
export type LowCoverageScope = z.infer<typeof lowCoverageScopeSchema>;

export const lowCoverageSchema = z.strictObject({
  scope: lowCoverageScopeSchema,
  /** A base below this depth counts as low. */
  thresholdDepth: z.number().positive(),
  /** The same where one copy is expected. */
  haploidThresholdDepth: z.number().positive(),
  /** Of these, `totalBases` are low. */
  examinedBases: count,
  totalRegions: count,
  totalBases: count,
  /** Longest first, at most MAX_LOW_COVERAGE_REGIONS of `totalRegions`. */
  regions: z.array(lowCoverageRegionSchema).max(MAX_LOW_COVERAGE_REGIONS),
});
export type LowCoverage = z.infer<typeof lowCoverageSchema>;
