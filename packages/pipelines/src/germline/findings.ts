/**
 * The variants of interest of one sample, as `findings.json` carries them from the annotated VCF to
 * the report.
 *
 * Clinical categories quote ClinVar and nothing else: a variant without a ClinVar classification at
 * exactly its contig, position, REF and ALT (both sides left-aligned and split) is
 * `not in ClinVar`, and then consequence and frequency are all that is said of it.
 *
 * Positions end in `1` and are 1-based as in VCF.
 */
import { z } from 'zod';
import {
  MAX_ALLELE_LETTERS,
  MAX_CONDITIONS,
  MAX_FINDING_TEXT_LETTERS,
  MAX_FINDINGS_PER_CATEGORY,
  MAX_MITOCHONDRIAL_FINDINGS,
} from './findings-limits.ts';

/** Raised when a member changes its meaning; readers refuse other versions. */
export const FINDINGS_VERSION = 1;

const text = z.string().min(1).max(MAX_FINDING_TEXT_LETTERS);
const count = z.int().min(0);
const fraction = z.number().min(0).max(1);

/** In the order in which a report shows them. */
export const FINDING_CATEGORIES = [
  'pathogenic',
  'likely pathogenic',
  'conflicting',
  'uncertain significance',
  'other ClinVar',
  'not in ClinVar',
  'likely benign',
  'benign',
] as const;
export const findingCategorySchema = z.enum(FINDING_CATEGORIES);
export type FindingCategory = z.infer<typeof findingCategorySchema>;

/** SnpEff's and csq's own grade of a consequence term, not a clinical class. */
export const IMPACTS = ['HIGH', 'MODERATE', 'LOW', 'MODIFIER'] as const;
export const impactSchema = z.enum(IMPACTS);
export type Impact = z.infer<typeof impactSchema>;

export const findingZygositySchema = z.discriminatedUnion('kind', [
  z.strictObject({ kind: z.literal('heterozygous') }),
  z.strictObject({ kind: z.literal('homozygous') }),
  /** One copy expected and this allele on it: X and Y outside PAR in XY. */
  z.strictObject({ kind: z.literal('hemizygous') }),
  /** Mitochondrial: share of the reads with this allele; null when no depth is given. */
  z.strictObject({ kind: z.literal('heteroplasmic'), fraction: fraction.nullable() }),
  /** The genotype is partly or wholly missing. */
  z.strictObject({ kind: z.literal('unknown') }),
]);
export type FindingZygosity = z.infer<typeof findingZygositySchema>;

export const clinvarRecordSchema = z.strictObject({
  /** CLNSIG as ClinVar writes it, underscores turned into spaces. */
  significance: text,
  /** What stands behind "conflicting" (CLNSIGCONF), as ClinVar writes it; null elsewhere. */
  conflict: text.nullable(),
  /** CLNREVSTAT with spaces. */
  reviewStatus: text,
  /** Review stars by ClinVar's own table of review statuses. */
  stars: z.int().min(0).max(4),
  conditions: z.array(text).max(MAX_CONDITIONS),
  /** The VCF's ID column: ClinVar's variation id. */
  variationId: text.nullable(),
  /** CLNHGVS: genomic HGVS. */
  hgvs: text.nullable(),
});
export type ClinvarRecord = z.infer<typeof clinvarRecordSchema>;

export const findingSchema = z.strictObject({
  refName: text,
  pos1: z.int().positive(),
  /** Cut to MAX_ALLELE_LETTERS; `refLength` is the true one. */
  ref: text.max(MAX_ALLELE_LETTERS),
  refLength: z.int().positive(),
  alt: text.max(MAX_ALLELE_LETTERS),
  altLength: z.int().positive(),
  gene: text.nullable(),
  /** Sequence Ontology terms, `&` between several, most severe transcript. */
  consequence: text.nullable(),
  impact: impactSchema.nullable(),
  /** With version where the gene models carry one, e.g. `NM_007294.3`. */
  transcript: text.nullable(),
  /** Without the transcript, 3′-shifted, e.g. `c.5266dupC`. */
  hgvsC: text.nullable(),
  /** e.g. `p.Gln1756fs`. */
  hgvsP: text.nullable(),
  /** Haplotype-aware amino-acid change of `bcftools csq`; several variants may act together. */
  haplotypeConsequence: text.nullable(),
  zygosity: findingZygositySchema,
  /** GT as called. */
  genotype: text,
  depth: count.nullable(),
  /** Reads with REF, then with ALT; null when the caller gave none. */
  alleleDepths: z.array(count).max(2).nullable(),
  alleleFraction: fraction.nullable(),
  quality: z.number().min(0).nullable(),
  /** The FILTER column: the tier that the caller's filters gave, `PASS` or `.` included. */
  filter: text,
  rsId: text.nullable(),
  /** Null when not in gnomAD or gnomAD was not given. */
  gnomadFrequency: fraction.nullable(),
  clinvar: clinvarRecordSchema.nullable(),
  category: findingCategorySchema,
});
export type Finding = z.infer<typeof findingSchema>;

export const findingGroupSchema = z.strictObject({
  category: findingCategorySchema,
  /** Variants of this category in the calls. */
  total: count,
  /** Of these, so many belong on the list by the rule of `isListed`. */
  eligible: count,
  /** Eligible ones that the limit left out: "N more". */
  unlisted: count,
  findings: z.array(findingSchema).max(MAX_FINDINGS_PER_CATEGORY),
});
export type FindingGroup = z.infer<typeof findingGroupSchema>;

/** Which annotations the run had: the report must tell "not given" from "nothing found". */
export const annotationSourcesSchema = z.strictObject({
  clinvar: z.boolean(),
  dbsnp: z.boolean(),
  gnomad: z.boolean(),
  /** `bcftools csq` on the bundle's gene models. */
  consequences: z.boolean(),
  /** SnpEff: HGVS c. and p. */
  hgvs: z.boolean(),
});
export type AnnotationSources = z.infer<typeof annotationSourcesSchema>;

export const findingsSchema = z.strictObject({
  version: z.literal(FINDINGS_VERSION),
  sources: annotationSourcesSchema,
  /** Alleles that the sample carries, after splitting; MT included. */
  counts: z.strictObject({ total: count, snv: count, indel: count, inClinvar: count }),
  /** One for each category, in the order of FINDING_CATEGORIES. */
  groups: z.array(findingGroupSchema).length(FINDING_CATEGORIES.length),
  /** All on the mitochondrial contig, clinical or not; null when the reference has none. */
  mitochondrial: z
    .strictObject({
      total: count,
      unlisted: count,
      findings: z.array(findingSchema).max(MAX_MITOCHONDRIAL_FINDINGS),
    })
    .nullable(),
});
export type Findings = z.infer<typeof findingsSchema>;
