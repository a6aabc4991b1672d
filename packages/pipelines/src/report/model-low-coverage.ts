/** Regions that are too thinly covered to call: part of the report model, 0-based half-open. */
import { z } from 'zod';
import { MAX_LOW_COVERAGE_REGIONS, MAX_TEXT_LETTERS } from './limits.ts';

const named = z.string().min(1).max(MAX_TEXT_LETTERS);
const count = z.int().min(0);

export const lowCoverageRegionSchema = z
  .strictObject({
    refName: named,
    start: count,
    end: count,
    meanDepth: z.number().min(0),
    genes: z.array(named).max(100),
  })
  .refine((region) => region.end > region.start, 'the region ends before it starts');

export const lowCoverageSchema = z.strictObject({
  /** A base below this depth counts as low. */
  thresholdDepth: z.number().positive(),
  totalRegions: count,
  totalBases: count,
  /** Longest first, at most MAX_LOW_COVERAGE_REGIONS of `totalRegions`. */
  regions: z.array(lowCoverageRegionSchema).max(MAX_LOW_COVERAGE_REGIONS),
});
export type LowCoverage = z.infer<typeof lowCoverageSchema>;
