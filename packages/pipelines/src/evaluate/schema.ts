/** What `helixmesh evaluate --json` prints. */
import { z } from 'zod';

const count = z.number().int().nonnegative();
/** Null where nothing was there to divide by. */
const ratio = z.number().min(0).max(1).nullable();

export const evaluationCountsSchema = z.strictObject({
  /** Truth records that the calls reproduce; with `falseNegatives` all truth that counts. */
  truePositivesTruth: count,
  /** Call records that reproduce truth; differs where one side says in two what the other in one. */
  truePositivesCalls: count,
  falseNegatives: count,
  falsePositives: count,
  /** TP calls / (TP calls + FP). */
  precision: ratio,
  /** TP truth / (TP truth + FN). */
  recall: ratio,
  f1: ratio,
});
export type EvaluationCounts = z.infer<typeof evaluationCountsSchema>;

export const evaluationResultSchema = z.strictObject({
  version: z.literal(1),
  mode: z.enum(['genotype', 'allele']),
  all: evaluationCountsSchema,
  /** Records whose alleles each replace one base. */
  snp: evaluationCountsSchema,
  /** All others: indels, MNPs and blocks, as rtg vcfeval's non_snp. */
  indel: evaluationCountsSchema,
  /** Of the false negatives and false positives those whose allele is right, genotype wrong. */
  genotypeErrors: z.strictObject({ truth: count, calls: count }),
  /** Records left out: no resolved ALT in the genotype, failed FILTER, or not comparable. */
  ignored: z.strictObject({
    truth: z.strictObject({ notVariant: count, filtered: count, unsupported: count }),
    calls: z.strictObject({ notVariant: count, filtered: count, unsupported: count }),
  }),
  /** Groups of variants too large for replay, whose unequal records count as errors. */
  clustersTooComplex: count,
});
export type EvaluationResult = z.infer<typeof evaluationResultSchema>;
