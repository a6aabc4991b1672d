/** Bounds of findings.json: what a report can show. The annotated VCF holds everything. */

/** Variants that one category lists; the rest is counted in `unlisted`. */
export const MAX_FINDINGS_PER_CATEGORY = 500;
/** Variants that are listed because they stand on the mitochondrial contig. */
export const MAX_MITOCHONDRIAL_FINDINGS = 500;
/** Conditions quoted for one ClinVar record. */
export const MAX_CONDITIONS = 200;
/** Letters of one allele in findings.json; a longer one is cut and its length stated. */
export const MAX_ALLELE_LETTERS = 1_000;
/** Letters of any other text in findings.json. */
export const MAX_FINDING_TEXT_LETTERS = 10_000;
/**
 * gnomAD frequency from which a variant that is not in ClinVar is no longer listed: 1 %, the usual
 * border of "rare" (ACMG/AMP 2015 treats 5 % as stand-alone evidence for benign; this is stricter).
 */
export const RARE_FREQUENCY = 0.01;
