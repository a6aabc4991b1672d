/** Tables of variants: one for each category, all with the same columns. */
import type { ClinvarRecord, Finding, FindingCategory } from '../../germline/findings.ts';
import { allele, clipped, frequency, hgvs, position } from '../format.ts';
import { MAX_CELL_LETTERS, MAX_CONDITIONS_LETTERS } from '../limits.ts';
import type { Tone } from '../plots/scene.ts';
import { readsText, zygosityText } from '../words.ts';
import {
  type Cell,
  type CellLine,
  type Column,
  type Look,
  line,
  type Medium,
  shortened,
  type Table,
} from './blocks.ts';

const COLUMNS: readonly Column[] = [
  { title: 'Gene and HGVS', share: 0.29 },
  { title: 'Location (1-based)', share: 0.19 },
  { title: 'Genotype and reads', share: 0.16 },
  { title: 'ClinVar', share: 0.26 },
  { title: 'gnomAD AF', share: 0.1, align: 'right' },
];

export const CATEGORY_TONES: Readonly<Record<FindingCategory, Tone>> = {
  pathogenic: 'fail',
  'likely pathogenic': 'fail',
  conflicting: 'warn',
  'uncertain significance': 'warn',
  'other ClinVar': 'accent',
  'not in ClinVar': 'muted',
  'likely benign': 'pass',
  benign: 'pass',
};

export interface VariantTableOptions {
  readonly caption: string;
  readonly count: string;
  readonly tone: Tone;
  readonly findings: readonly Finding[];
  readonly medium: Medium;
}

export function variantTable(options: VariantTableOptions): Table {
  const { caption, count, tone, findings, medium } = options;
  return { caption, count, tone, columns: COLUMNS, rows: findings.map((one) => row(one, medium)) };
}

function row(finding: Finding, medium: Medium): readonly Cell[] {
  return [
    nameCell(finding, medium),
    placeCell(finding),
    [
      line(zygosityText(finding)),
      line(readsText(finding), 'muted'),
      line(`FILTER ${finding.filter}`, 'muted'),
    ],
    clinvarCell(finding),
    [line(frequency(finding.gnomadFrequency))],
  ];
}

function nameCell(finding: Finding, medium: Medium): Cell {
  const named = (text: string, look: Look) =>
    shortened(medium === 'pdf' ? cut(hgvs(text)) : hgvs(text), text, look);
  const lines: CellLine[] = [
    finding.gene === null ? line('No gene', 'muted') : line(cut(finding.gene), 'gene'),
  ];
  if (finding.hgvsC !== null) lines.push(named(finding.hgvsC, 'strong'));
  if (finding.hgvsP !== null) lines.push(named(finding.hgvsP, 'plain'));
  if (finding.transcript !== null) lines.push(line(cut(finding.transcript), 'muted'));
  if (finding.consequence !== null) {
    lines.push(line(cut(finding.consequence.replace(/_/g, ' ').replace(/&/g, ', ')), 'muted'));
  }
  return lines;
}

function placeCell(finding: Finding): Cell {
  const { ref, refLength, alt, altLength } = finding;
  const change = `${allele(ref, refLength)} > ${allele(alt, altLength)}`;
  const rest = (letters: string, length: number) => (letters.length < length ? '…' : '');
  const full = `${ref}${rest(ref, refLength)} > ${alt}${rest(alt, altLength)}`;
  return [
    line(cut(position(finding))),
    shortened(change, full, 'code'),
    line(finding.rsId === null ? 'no rs number' : cut(finding.rsId), 'muted'),
  ];
}

const NO_CONDITION = 'condition not stated';

/** The first conditions, whole, as far as there is room, and how many more there are. */
function conditionsText([first, ...others]: readonly string[]): string {
  if (first === undefined) return NO_CONDITION;
  let text = clipped(first, MAX_CONDITIONS_LETTERS);
  for (const [index, condition] of others.entries()) {
    const longer = `${text}; ${condition}`;
    if (longer.length > MAX_CONDITIONS_LETTERS) return `${text}; and ${others.length - index} more`;
    text = longer;
  }
  return text;
}

function clinvarCell(finding: Finding): Cell {
  const record = finding.clinvar;
  if (record === null) return [line('Not in ClinVar', 'muted')];
  return [
    line(cut(record.significance), 'strong', CATEGORY_TONES[finding.category]),
    { text: cut(record.reviewStatus), look: 'muted', stars: record.stars },
    ...(record.variationId === null ? [] : [line(cut(`Variation ${record.variationId}`), 'muted')]),
    ...conflictLines(record),
    shortened(conditionsText(record.conditions), record.conditions.join('; ') || NO_CONDITION),
  ];
}

function conflictLines(record: ClinvarRecord): CellLine[] {
  if (record.conflict === null) return [];
  return [line(cut(record.conflict.replace(/\|/g, ', ')), 'muted')];
}

function cut(text: string): string {
  return clipped(text, MAX_CELL_LETTERS);
}
