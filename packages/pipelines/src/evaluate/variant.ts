/**
 * One VCF record as the comparison sees it: the alleles of one sample's genotype, trimmed.
 *
 * Conventions of rtg vcfeval 3.12 that are kept here: a haploid genotype is a homozygous one; a
 * missing allele of a half call (`./1`), a spanning deletion `*` and a symbolic allele change
 * nothing on their haplotype; records without any sequence-resolved ALT in the genotype, with more
 * than two alleles in the genotype, or with an allele longer than `MAX_ALLELE_BASES` are left out.
 * Like `vcfeval --ref-overlap`, and unlike its default, the reference allele takes up no space, so
 * `1/2` may be written as two `0/1` records.
 */
import { MAX_ALLELE_BASES } from './limits.ts';
import { leftAligned, shiftSpan, trimAllele } from './normalise.ts';

/**
 * `snp`: every allele of the genotype replaces one base. `indel`: everything else, so MNPs and
 * blocks too, the class that rtg vcfeval calls non_snp.
 */
export const VARIANT_KINDS = ['snp', 'indel'] as const;
export type VariantKind = (typeof VARIANT_KINDS)[number];

/** Bases of one contig, upper case; `start` and `end` 0-based half-open, cut to the contig. */
export interface ReferenceSequence {
  readonly length: number;
  slice(start: number, end: number): string;
}

/** Replaces reference bases [start, end) by `bases`; trimmed, so neither end agrees with REF. */
export interface Allele {
  readonly start: number;
  readonly end: number;
  readonly bases: string;
}

/** The fields of a VCF record that take part; `pos1` is 1-based as in the file. */
export interface SmallVariantRecord {
  readonly pos1: number;
  readonly ref: string;
  readonly alts: readonly string[];
  /** Genotype as in the file, e.g. `0/1`, `1|2`, `1`, `./1`. */
  readonly genotype: string;
}

export interface SmallVariant {
  /** Order of the record within its contig and file. */
  readonly id: number;
  readonly record: SmallVariantRecord;
  /** The two alleles of the genotype; null changes nothing. At least one is not null. */
  readonly alleles: readonly [Allele | null, Allele | null];
  /** Reference span of the trimmed alleles, 0-based half-open. */
  readonly start: number;
  readonly end: number;
  /** `start`/`end` stretched over every place to which an indel can be shifted. */
  readonly shiftStart: number;
  readonly shiftEnd: number;
  /** Equal for two records that say the same genotype of the same left-aligned alleles. */
  readonly key: string;
  readonly kind: VariantKind;
  /** Whether the record counts: it touches a confident region. */
  readonly isInside: boolean;
}

/** Reference bases [start, end) that decide whether a record lies in a region (as vcfeval -e). */
export function recordSpan(record: SmallVariantRecord): { start: number; end: number } {
  const first = record.ref[0];
  const isPadded = record.alts.every((alt) => alt[0] === first);
  return { start: record.pos1 - 1 + (isPadded ? 1 : 0), end: record.pos1 - 1 + record.ref.length };
}

/**
 * The record as a variant, `'not_a_variant'` when its genotype holds no resolved ALT, or
 * `'unsupported'` when it cannot be compared (ploidy above 2, allele too long, beyond the contig).
 */
export function toSmallVariant(
  record: SmallVariantRecord,
  reference: ReferenceSequence,
  place: { readonly id: number; readonly isInside: boolean },
): SmallVariant | 'not_a_variant' | 'unsupported' {
  const indexes = record.genotype.split(/[/|]/);
  const called = indexes.map((index) => calledAllele(record, index));
  if (!called.some((allele) => allele !== null)) return 'not_a_variant';
  const longest = Math.max(record.ref.length, ...record.alts.map((alt) => alt.length));
  const endsAt = record.pos1 - 1 + record.ref.length;
  if (indexes.length > 2 || longest > MAX_ALLELE_BASES || endsAt > reference.length) {
    return 'unsupported';
  }
  const first = called[0] ?? null;
  const alleles = [first, called.length === 1 ? first : (called[1] ?? null)] as const;
  const changed = alleles.filter((allele) => allele !== null);
  const shifts = changed.map((allele) => shiftSpan(allele, reference));
  return {
    ...place,
    record,
    alleles,
    start: Math.min(...changed.map((allele) => allele.start)),
    end: Math.max(...changed.map((allele) => allele.end)),
    shiftStart: Math.min(...shifts.map((span) => span.start)),
    shiftEnd: Math.max(...shifts.map((span) => span.end)),
    key: genotypeKey(alleles, reference),
    kind: changed.every(isSnp) ? 'snp' : 'indel',
  };
}

/** A called, resolved, non-reference allele; null for reference, missing, `*` and symbolic. */
function calledAllele(record: SmallVariantRecord, index: string): Allele | null {
  const alt = index === '.' || index === '0' ? undefined : record.alts[Number(index) - 1];
  if (alt === undefined || !/^[ACGTN]+$/.test(alt) || alt === record.ref) return null;
  return trimAllele({ start: record.pos1 - 1, ref: record.ref, alt });
}

function isSnp(allele: Allele): boolean {
  return allele.end - allele.start === 1 && allele.bases.length === 1;
}

function genotypeKey(
  alleles: readonly [Allele | null, Allele | null],
  reference: ReferenceSequence,
): string {
  return alleles
    .map((allele) => {
      if (allele === null) return '-';
      const { start, end, bases } = leftAligned(allele, reference);
      return `${start}:${end}:${bases}`;
    })
    .sort()
    .join('/');
}
