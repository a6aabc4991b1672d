/**
 * Quotes ClinVar: from the INFO fields of its VCF to a record and the category under which a report
 * lists it. The category groups ClinVar's own words and adds no judgement; the words stay beside it.
 *
 * Sources: ClinVar's "Germline classification" and "Review status in ClinVar" documentation.
 */
import type { VcfRecord } from '../formats/vcf.ts';
import type { ClinvarRecord, FindingCategory } from './findings.ts';
import { MAX_CONDITIONS, MAX_FINDING_TEXT_LETTERS } from './findings-limits.ts';

/** What stands for CLNSIG in records of ClinVar that classify only a haplotype with the variant. */
const NO_SIGNIFICANCE = 'no classification for the single variant';
const NO_REVIEW = 'no classification provided';

/** Review status → stars; all others have none. */
const STARS: Readonly<Record<string, number>> = {
  practice_guideline: 4,
  reviewed_by_expert_panel: 3,
  'criteria_provided,_multiple_submitters,_no_conflicts': 2,
  'criteria_provided,_multiple_submitters': 2,
  'criteria_provided,_conflicting_classifications': 1,
  'criteria_provided,_conflicting_interpretations': 1,
  'criteria_provided,_single_submitter': 1,
};

/** Words of CLNSIG that give no classification of this variant. */
const UNCLASSIFIED = /^(not_provided|no_classification|no_interpretation|-$|\.$|$)/;

export function reviewStars(reviewStatus: string): number {
  return STARS[reviewStatus] ?? 0;
}

/**
 * The category of a CLNSIG value. Of several values (`|`) the most serious counts; of a range
 * (`Pathogenic/Likely_pathogenic`) the clinically safer side: pathogenic, but likely benign.
 */
export function clinvarCategory(significance: string): FindingCategory {
  const words = significance
    .toLowerCase()
    .split(/[|/]|,_?(?!_?low_penetrance)/)
    .map((word) => word.replace(/^_/, '').replace(/,?_low_penetrance$/, ''));
  const has = (word: string) => words.includes(word);
  if (words.some((word) => word.startsWith('conflicting_'))) return 'conflicting';
  if (has('pathogenic')) return 'pathogenic';
  if (has('likely_pathogenic')) return 'likely pathogenic';
  if (has('uncertain_significance')) return 'uncertain significance';
  if (has('likely_benign')) return 'likely benign';
  if (has('benign')) return 'benign';
  return 'other ClinVar';
}

/** Whether ClinVar says anything of the single variant. */
export function isClassified(record: ClinvarRecord): boolean {
  return !UNCLASSIFIED.test(record.significance.replaceAll(' ', '_'));
}

/** The category of a record as quoted. */
export function categoryOf(record: ClinvarRecord | null): FindingCategory {
  if (record === null) return 'not in ClinVar';
  return clinvarCategory(record.significance.replaceAll(' ', '_'));
}

/** The quotation, or null when the variant is not in ClinVar. */
export function clinvarOf({ info }: Pick<VcfRecord, 'info'>): ClinvarRecord | null {
  const value = (key: string): string | null => {
    const text = info.get(key);
    return typeof text !== 'string' || text === '.' ? null : text;
  };
  const variationId = value('CLNVID');
  const significance = value('CLNSIG');
  if (variationId === null && significance === null) return null;
  const reviewStatus = value('CLNREVSTAT');
  const conditions = (value('CLNDN') ?? '').split('|').filter((name) => name !== '');
  return {
    significance: words(significance ?? NO_SIGNIFICANCE),
    conflict: nullable(value('CLNSIGCONF'), words),
    reviewStatus: words(reviewStatus ?? NO_REVIEW),
    stars: reviewStars(reviewStatus ?? ''),
    conditions: conditions.slice(0, MAX_CONDITIONS).map(words),
    variationId: nullable(variationId, clip),
    hgvs: nullable(value('CLNHGVS'), clip),
  };
}

function words(text: string): string {
  return clip(decoded(text).replaceAll('_', ' '));
}

/** VCF 4.3, section 1.2: percent-encoded special characters. */
function decoded(text: string): string {
  return text.replaceAll(/%(3A|3B|3D|25|2C)/gi, (_, hex: string) =>
    String.fromCharCode(Number.parseInt(hex, 16)),
  );
}

function clip(text: string): string {
  return text.slice(0, MAX_FINDING_TEXT_LETTERS);
}

function nullable<T>(value: string | null, map: (text: string) => T): T | null {
  return value === null ? null : map(value);
}
