/** Counts over the filtered calls, as `variants.json` carries them to the report. */
import { z } from 'zod';
import { histogramSchema } from '../report/model-qc.ts';
import { MAX_QC_CONTIGS } from './limits.ts';

export const VARIANTS_VERSION = 1;

const count = z.int().min(0);

export const variantsModelSchema = z.strictObject({
  formatVersion: z.literal(VARIANTS_VERSION),
  caller: z.enum(['freebayes', 'bcftools']),
  /** Alleles kept, after splitting: all, and those that are not LowConf. */
  total: count,
  passed: count,
  snv: count,
  indel: count,
  /** Several bases replaced by as many others. */
  mnv: count,
  /** Over SNVs of all contigs, as `bcftools stats` counts them. */
  transitions: count,
  transversions: count,
  tiTv: z.number().min(0).nullable(),
  genotypes: z.strictObject({
    heterozygous: count,
    homozygous: count,
    /** One copy expected and this allele on it. */
    hemizygous: count,
    /** Mitochondrial: told as a fraction. */
    fraction: count,
  }),
  /** Heterozygous over homozygous alleles; null without the latter. */
  hetHom: z.number().min(0).nullable(),
  /** ALT share of the reads at heterozygous SNVs that passed. */
  alleleBalance: z.strictObject({ histogram: histogramSchema, calls: count }),
  dropped: z.strictObject({
    /** QUAL at or below the limit of the caller. */
    lowQuality: count,
    /** The genotype has no copy of the allele. */
    notCarried: count,
    /** Mitochondrial, below the smallest fraction. */
    lowFraction: count,
  }),
  contigs: z
    .array(z.strictObject({ refName: z.string(), total: count, snv: count, indel: count }))
    .max(MAX_QC_CONTIGS),
});
export type VariantsModel = z.infer<typeof variantsModelSchema>;
