/**
 * The effect of an allele on genes, from SnpEff's ANN (VCF annotation format 1.0) or, without it,
 * from BCSQ of `bcftools csq`. One transcript is shown: the most severe effect, then a coding
 * transcript, then a curated one (NM_, not XM_), then the order of the tool.
 */
import type { VcfRecord } from '../formats/vcf.ts';
import { IMPACTS, type Impact } from './findings.ts';
import { MAX_FINDING_TEXT_LETTERS } from './findings-limits.ts';

export interface Effect {
  readonly gene: string | null;
  readonly consequence: string | null;
  readonly impact: Impact | null;
  readonly transcript: string | null;
  readonly hgvsC: string | null;
  readonly hgvsP: string | null;
  readonly haplotypeConsequence: string | null;
  /** The more severe of SnpEff and csq: only csq sees variants of one codon together. */
  readonly worstImpact: Impact | null;
}

/** Ensembl's grades of the terms that csq uses ("Calculated variant consequences"). */
const CSQ_IMPACTS: Readonly<Record<string, Impact>> = {
  frameshift: 'HIGH',
  stop_gained: 'HIGH',
  stop_lost: 'HIGH',
  start_lost: 'HIGH',
  splice_acceptor: 'HIGH',
  splice_donor: 'HIGH',
  missense: 'MODERATE',
  inframe_insertion: 'MODERATE',
  inframe_deletion: 'MODERATE',
  inframe_altering: 'MODERATE',
  coding_sequence: 'MODIFIER',
  splice_region: 'LOW',
  synonymous: 'LOW',
  stop_retained: 'LOW',
  start_retained: 'LOW',
};

interface Prediction {
  readonly gene: string | null;
  readonly consequence: string;
  readonly impact: Impact;
  readonly transcript: string | null;
  readonly biotype: string;
  readonly hgvsC: string | null;
  readonly hgvsP: string | null;
}

/** The effect of the record's allele; the record has one ALT. */
export function effectOf({ info }: Pick<VcfRecord, 'info'>): Effect {
  const bcsq = entries(info.get('BCSQ')).map((entry) => entry.split('|'));
  const csq = mostSevere(bcsq.flatMap(fromBcsq));
  const chosen = mostSevere(entries(info.get('ANN')).flatMap(fromAnn)) ?? csq;
  const amino = bcsq.find((fields) => (fields[5] ?? '') !== '')?.[5] ?? null;
  const impacts = [chosen?.impact, csq?.impact].filter((i): i is Impact => i !== undefined);
  const worst = Math.min(...impacts.map((impact) => IMPACTS.indexOf(impact)));
  return {
    gene: chosen?.gene ?? null,
    consequence: chosen?.consequence ?? null,
    impact: chosen?.impact ?? null,
    transcript: chosen?.transcript ?? null,
    hgvsC: chosen?.hgvsC ?? null,
    hgvsP: chosen?.hgvsP ?? null,
    haplotypeConsequence: amino === null ? null : text(amino),
    worstImpact: IMPACTS[worst] ?? null,
  };
}

function entries(value: string | true | undefined): readonly string[] {
  return typeof value === 'string' && value !== '.' ? value.split(',') : [];
}

function fromAnn(entry: string): Prediction[] {
  const [, consequence, impact, gene, , type, id, biotype, , hgvsC, hgvsP] = entry.split('|');
  const grade = IMPACTS.find((known) => known === impact);
  if (grade === undefined || consequence === undefined) return [];
  const transcript = type === 'transcript' ? text(id) : null;
  return [
    {
      gene: text(gene),
      consequence,
      impact: grade,
      transcript,
      biotype: biotype ?? '',
      hgvsC: text(hgvsC),
      hgvsP: text(hgvsP),
    },
  ];
}

/** `consequence|gene|transcript|biotype|…`; `@pos` refers to another record, `*` is behind a stop. */
function fromBcsq(fields: readonly string[]): Prediction[] {
  const [consequence = '', gene, transcript, biotype = ''] = fields;
  if (consequence.startsWith('@') || consequence === '') return [];
  const terms = consequence.replace(/^\*/, '').split('&');
  const grades = terms.map((term) => IMPACTS.indexOf(CSQ_IMPACTS[term] ?? 'MODIFIER'));
  return [
    {
      gene: text(gene),
      consequence: terms.join('&'),
      impact: IMPACTS[Math.min(...grades)] ?? 'MODIFIER',
      transcript: text(transcript),
      biotype,
      hgvsC: null,
      hgvsP: null,
    },
  ];
}

function mostSevere(predictions: readonly Prediction[]): Prediction | undefined {
  return predictions.toSorted((a, b) => rank(a) - rank(b))[0];
}

/** Smaller is shown first; equal ones keep their order. */
function rank({ impact, biotype, transcript }: Prediction): number {
  const isPredicted = /^X[MR]_/.test(transcript ?? '');
  return IMPACTS.indexOf(impact) * 4 + (biotype === 'protein_coding' ? 0 : 2) + Number(isPredicted);
}

function text(value: string | undefined): string | null {
  return value === undefined || value === '' ? null : value.slice(0, MAX_FINDING_TEXT_LETTERS);
}
