/** Figures, alleles and positions as the report prints them, the same in PDF and HTML. */
import type { Finding } from '../germline/findings.ts';
import { MAX_PRINTED_ALLELE_LETTERS } from './limits.ts';
import type { Metric, MetricUnit } from './model-qc.ts';

/** Stands for a value that is not known or does not apply. */
export const NO_VALUE = '–';

/** `1234567` → `1,234,567`; independent of the machine's locale. */
export function grouped(value: number): string {
  return groupDigits(String(value));
}

/** Rounded to `digits` decimals, trailing zeros kept: columns of figures line up. */
export function fixed(value: number, digits: number): string {
  return groupDigits(value.toFixed(digits));
}

function groupDigits(text: string): string {
  const [whole = '', part] = text.split('.');
  const spaced = whole.replace(/\B(?=(\d{3})+(?!\d))/g, ',');
  return part === undefined ? spaced : `${spaced}.${part}`;
}

export function percent(fraction: number, digits = 1): string {
  return `${fixed(fraction * 100, digits)} %`;
}

/** `152_000_000` bases → `152.0 Mb`. */
export function bases(lengthBases: number): string {
  if (lengthBases >= 1e9) return `${fixed(lengthBases / 1e9, 2)} Gb`;
  if (lengthBases >= 1e6) return `${fixed(lengthBases / 1e6, 1)} Mb`;
  if (lengthBases >= 1e4) return `${fixed(lengthBases / 1e3, 1)} kb`;
  return `${grouped(Math.round(lengthBases))} bp`;
}

const UNIT_FORMAT: Readonly<Record<MetricUnit, (value: number) => string>> = {
  count: (value) => grouped(Math.round(value)),
  fraction: (value) =>
    percent(value, value > 0 && value < 1 && Math.abs(value - 0.5) > 0.499 ? 2 : 1),
  depth: (value) => `${fixed(value, 1)}×`,
  bases: (value) => `${grouped(Math.round(value))} bp`,
  ratio: (value) => fixed(value, 2),
  phred: (value) => `Q${fixed(value, 1)}`,
  none: (value) => grouped(value),
};

export function metricValue(metric: Pick<Metric, 'value' | 'unit'>): string {
  return metric.value === null ? 'not applicable' : UNIT_FORMAT[metric.unit](metric.value);
}

/** Allele frequency with the digits that a rare variant needs. */
export function frequency(value: number | null): string {
  if (value === null) return NO_VALUE;
  if (value === 0) return '0';
  if (value >= 0.001) return fixed(value, 4);
  const digits = Math.min(12, 1 - Math.floor(Math.log10(value)));
  return value.toFixed(digits);
}

/** An allele as printed: long ones are cut to their first letters and told by length. */
export function allele(letters: string, lengthBases = letters.length): string {
  if (lengthBases <= MAX_PRINTED_ALLELE_LETTERS) return letters;
  return `${letters.slice(0, 8)}…(${grouped(lengthBases)} bp)`;
}

/** `chr17:43,057,062` of a 1-based position. */
export function position(variant: Pick<Finding, 'refName' | 'pos1'>): string {
  return `${variant.refName}:${grouped(variant.pos1)}`;
}

/** A 0-based half-open region as people read it: 1-based, both ends included. */
export function regionText(region: { refName: string; start: number; end: number }): string {
  return `${region.refName}:${grouped(region.start + 1)}–${grouped(region.end)}`;
}

/** HGVS with a long inserted or deleted sequence cut to its length. */
export function hgvs(text: string): string {
  return text.replace(/[ACGTN]{19,}/g, (letters) => allele(letters));
}

/** `text` cut to at most `limit` letters, with a mark where it was cut. */
export function clipped(text: string, limit: number): string {
  return text.length <= limit ? text : `${text.slice(0, limit - 1).trimEnd()}…`;
}

/** `sha256:` and the first twelve digits. */
export function shortDigest(digest: string): string {
  return digest.slice(0, 'sha256:'.length + 12);
}

/** `2026-03-14T09:26:53Z` → `14 March 2026`. */
export function dateText(iso: string): string {
  const [year = '', month = '1', day = ''] = iso.slice(0, 10).split('-');
  return `${Number(day)} ${MONTHS[Number(month) - 1] ?? ''} ${year}`;
}

const MONTHS = [
  'January',
  'February',
  'March',
  'April',
  'May',
  'June',
  'July',
  'August',
  'September',
  'October',
  'November',
  'December',
];
