/** One record of the annotated VCF (one ALT, one sample) as a finding. */
import { sampleValue, type VcfRecord } from '../formats/vcf.ts';
import { isMitochondrial } from '../reference/assemblies.ts';
import type { Finding, FindingZygosity } from './findings.ts';
import { categoryOf, clinvarOf, isClassified } from './findings-clinvar.ts';
import { type Effect, effectOf } from './findings-effect.ts';
import { MAX_ALLELE_LETTERS, RARE_FREQUENCY } from './findings-limits.ts';

export interface FindingRow {
  readonly finding: Finding;
  /** Whether it belongs on the list. */
  readonly isListed: boolean;
  readonly isMitochondrial: boolean;
  readonly type: 'snv' | 'indel' | 'other';
}

/** Null when the sample does not carry the allele. */
export function findingOf(record: VcfRecord): FindingRow | null {
  const alt = record.alt[0];
  if (alt === undefined || alt === '*' || alt === '<*>') return null;
  const genotype = sampleValue(record, 'GT');
  const alleles = (genotype ?? '.').split(/[/|]/);
  const isMt = isMitochondrial(record.chrom);
  const reads = readsOf(record);
  // A mitochondrial call may be a fraction without a genotype.
  const carries = alleles.includes('1') || (isMt && genotype === null && (reads.fraction ?? 0) > 0);
  if (!carries) return null;
  const clinvar = clinvarOf(record);
  const category = categoryOf(clinvar);
  const { worstImpact, ...effect } = effectOf(record);
  const gnomadFrequency = fractionOf(info(record, 'GNOMAD_AF'));
  const finding: Finding = {
    refName: record.chrom,
    pos1: record.pos1,
    ref: record.ref.slice(0, MAX_ALLELE_LETTERS),
    refLength: record.ref.length,
    alt: alt.slice(0, MAX_ALLELE_LETTERS),
    altLength: alt.length,
    ...effect,
    zygosity: zygosityOf(alleles, isMt, reads.fraction),
    genotype: genotype ?? '.',
    depth: reads.depth,
    alleleDepths: reads.alleleDepths,
    alleleFraction: reads.fraction,
    quality: record.qual,
    filter: record.filter.join(';') || '.',
    rsId: rsIdOf(record),
    gnomadFrequency,
    clinvar,
    category,
  };
  const isListed = belongsOnList(finding, worstImpact);
  return { finding, isListed, isMitochondrial: isMt, type: typeOf(record.ref, alt) };
}

/**
 * The list: everything that ClinVar calls pathogenic, likely pathogenic, conflicting or of uncertain
 * significance; its other assertions (risk factor, drug response …); and what ClinVar does not
 * classify when it changes a protein (HIGH or MODERATE) and is rare or of unknown frequency.
 */
function belongsOnList(finding: Finding, worstImpact: Effect['worstImpact']): boolean {
  const { category, clinvar, gnomadFrequency } = finding;
  if (category === 'benign' || category === 'likely benign') return false;
  const isAsserted = clinvar !== null && isClassified(clinvar);
  if (isAsserted) return true;
  const isSevere = worstImpact === 'HIGH' || worstImpact === 'MODERATE';
  return isSevere && (gnomadFrequency === null || gnomadFrequency < RARE_FREQUENCY);
}

function zygosityOf(
  alleles: readonly string[],
  isMt: boolean,
  fraction: number | null,
): FindingZygosity {
  if (isMt) return { kind: 'heteroplasmic', fraction };
  if (alleles.includes('.')) return { kind: 'unknown' };
  if (alleles.length === 1) return { kind: 'hemizygous' };
  return { kind: alleles.every((allele) => allele === '1') ? 'homozygous' : 'heterozygous' };
}

interface Reads {
  readonly depth: number | null;
  readonly alleleDepths: number[] | null;
  readonly fraction: number | null;
}

/** AD (bcftools), else RO and AO (freebayes); the fraction is FORMAT/AF where the caller gave it. */
function readsOf(record: VcfRecord): Reads {
  const depth = countOf(sampleValue(record, 'DP') ?? info(record, 'DP'));
  const ad = sampleValue(record, 'AD')?.split(',').map(countOf) ?? [
    countOf(sampleValue(record, 'RO')),
    countOf(sampleValue(record, 'AO')),
  ];
  const [ref, alt] = ad;
  if (ref == null || alt == null) {
    return { depth, alleleDepths: null, fraction: fractionOf(sampleValue(record, 'AF')) };
  }
  // The depth counts reads of further alleles, which a split record no longer shows.
  const all = Math.max(depth ?? 0, ref + alt);
  const share = all === 0 ? null : Number((alt / all).toFixed(4));
  const fraction = fractionOf(sampleValue(record, 'AF')) ?? share;
  return { depth, alleleDepths: [ref, alt], fraction };
}

function rsIdOf(record: VcfRecord): string | null {
  const id = record.id?.split(';').find((part) => /^rs\d+$/.test(part));
  if (id !== undefined) return id;
  const number = info(record, 'RS')?.split(/[|,]/)[0];
  return number !== undefined && /^\d+$/.test(number) ? `rs${number}` : null;
}

function typeOf(ref: string, alt: string): FindingRow['type'] {
  if (!/^[A-Za-z]+$/.test(alt)) return 'other';
  if (ref.length !== alt.length) return 'indel';
  return ref.length === 1 ? 'snv' : 'other';
}

function info(record: VcfRecord, key: string): string | null {
  const value = record.info.get(key);
  return typeof value === 'string' && value !== '.' ? value : null;
}

function countOf(text: string | null): number | null {
  return text !== null && /^\d+$/.test(text) ? Number(text) : null;
}

function fractionOf(text: string | null): number | null {
  if (text === null || text === '.') return null;
  const value = Number(text.split(',')[0]);
  return value >= 0 && value <= 1 ? value : null;
}
