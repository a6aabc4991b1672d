/**
 * The filters, record by record: what is dropped and which tier the rest gets. Pure.
 *
 *   F1  A genotype without the allele is dropped: the record says that the sample lacks it.
 *   F2  freebayes at QUAL ≤ 1 is dropped: every false call on HG002 at 30× was there, and no true
 *       one. bcftools needs no such limit below 50×.
 *   F3  QUAL ≤ 20 is kept as LowConf, everything else is PASS: a tier and no cut, for a cut there
 *       lost true variants.
 *   F4  Mitochondrial alleles are kept by their share of the reads alone: GT becomes `1` when
 *       homoplasmic and `.` otherwise, never diploid, and FORMAT/AF holds the share. Below
 *       MT_NUMT_FRACTION they are LowConf, for nuclear copies of the mitochondrial genome (NUMT)
 *       give such reads too.
 */
import type { Caller } from './call-step.ts';
import { contigKind } from './contig-kind.ts';
import {
  AUTO_CALLER_DEPTH,
  FREEBAYES_DROP_QUAL,
  LOW_CONFIDENCE_QUAL,
  MT_HOMOPLASMIC_FRACTION,
  MT_MIN_FRACTION,
  MT_MIN_READS,
  MT_NUMT_FRACTION,
} from './limits.ts';

export type DropReason = 'lowQuality' | 'notCarried' | 'lowFraction';
export type Zygosity = 'heterozygous' | 'homozygous' | 'hemizygous' | 'fraction';

export type FilterOutcome =
  | { readonly status: 'dropped'; readonly reason: DropReason }
  | {
      readonly status: 'kept';
      readonly line: string;
      readonly isPassed: boolean;
      readonly zygosity: Zygosity;
      /** ALT share of the reads, where the caller gave depths. */
      readonly altFraction: number | null;
    };

/** Judges one line of a split, single-sample VCF. */
export function filterCall(line: string, caller: Caller): FilterOutcome {
  const fields = line.split('\t');
  const keys = (fields[8] ?? '').split(':');
  const values = (fields[9] ?? '').split(':');
  const value = (key: string) => values[keys.indexOf(key)];
  const altFraction = fractionOf(value('AD'), value('DP'));
  if (contigKind(fields[0] ?? '') === 'MT') return mitochondrial(fields, keys, values, altFraction);
  const zygosity = zygosityOf(value('GT') ?? '.');
  if (zygosity === null) return { status: 'dropped', reason: 'notCarried' };
  const qual = Number(fields[5]);
  if (caller === 'freebayes' && qual <= FREEBAYES_DROP_QUAL) {
    return { status: 'dropped', reason: 'lowQuality' };
  }
  const isPassed = qual > LOW_CONFIDENCE_QUAL;
  fields[6] = isPassed ? 'PASS' : 'LowConf';
  return { status: 'kept', line: fields.join('\t'), isPassed, zygosity, altFraction };
}

function mitochondrial(
  fields: string[],
  keys: string[],
  values: string[],
  altFraction: number | null,
): FilterOutcome {
  if (altFraction === null || altFraction < MT_MIN_FRACTION) {
    return { status: 'dropped', reason: 'lowFraction' };
  }
  const isPassed = altFraction >= MT_NUMT_FRACTION;
  const isHomoplasmic = altFraction >= MT_HOMOPLASMIC_FRACTION;
  values[keys.indexOf('GT')] = isHomoplasmic ? '1' : '.';
  fields[6] = isPassed ? 'PASS' : 'LowConf';
  fields[8] = [...keys, 'AF'].join(':');
  // Values may be left out at the end of a column; AF must stand under its own name.
  while (values.length < keys.length) values.push('.');
  fields[9] = [...values, altFraction.toFixed(4)].join(':');
  return {
    status: 'kept',
    line: fields.join('\t'),
    isPassed,
    zygosity: 'fraction',
    altFraction,
  };
}

/** Null when the genotype has no copy of the allele or is missing. */
function zygosityOf(genotype: string): Zygosity | null {
  const alleles = genotype.split(/[/|]/);
  const copies = alleles.filter((allele) => allele === '1').length;
  if (copies === 0) return null;
  if (alleles.length === 1) return 'hemizygous';
  return copies === alleles.length ? 'homozygous' : 'heterozygous';
}

function fractionOf(alleleDepths: string | undefined, depth: string | undefined): number | null {
  const [ref, alt] = (alleleDepths ?? '').split(',').map(Number);
  if (ref === undefined || alt === undefined || Number.isNaN(ref + alt)) return null;
  // DP counts reads of other alleles of a split site too.
  const total = Math.max(Number(depth) || 0, ref + alt);
  return total === 0 ? null : alt / total;
}

/** The header of the filtered file: definitions and the rules in words. */
export function filteredHeader(
  lines: readonly string[],
  { caller, hasMitochondrion }: { readonly caller: Caller; readonly hasMitochondrion: boolean },
): readonly string[] {
  const volatile = /^##(?:fileDate|commandline|reference|bcftools_)/;
  const kept = lines.filter((line) => !volatile.test(line) && !/^##FILTER=<ID=PASS,/.test(line));
  const first = kept.findIndex((line) => !line.startsWith('##fileformat'));
  const at = first < 0 ? kept.length : first;
  const mitochondrion = hasMitochondrion
    ? [
        '##FORMAT=<ID=AF,Number=A,Type=Float,Description="Share of the reads with the allele; ' +
          'given on the mitochondrial contig">',
        `##helixmesh_mitochondrion=Called with freebayes by allele fraction, at least ` +
          `${MT_MIN_FRACTION} and ${MT_MIN_READS} reads; GT is 1 from ${MT_HOMOPLASMIC_FRACTION} ` +
          `on and missing below; below ${MT_NUMT_FRACTION} LowConf, for nuclear copies (NUMT) ` +
          `can give such reads`,
      ]
    : [];
  const drop =
    caller === 'freebayes'
      ? `freebayes calls with QUAL at most ${FREEBAYES_DROP_QUAL} are dropped`
      : `no call is dropped by QUAL (bcftools, chosen below ${AUTO_CALLER_DEPTH}x or by the user)`;
  return [
    ...kept.slice(0, at),
    '##FILTER=<ID=PASS,Description="All filters passed">',
    `##FILTER=<ID=LowConf,Description="Low confidence: QUAL at most ${LOW_CONFIDENCE_QUAL}, or ` +
      `mitochondrial below a share of ${MT_NUMT_FRACTION}">`,
    `##helixmesh_filter=${drop}; genotypes without the allele are dropped; QUAL at most ` +
      `${LOW_CONFIDENCE_QUAL} is LowConf`,
    ...mitochondrion,
    ...kept.slice(at),
  ];
}
