/** Figures, alleles and positions as the report prints them, the same in PDF and HTML. */
import type { Finding } from '../germline/findings.ts';
import { RARE_FREQUENCY } from '../germline/findings-limits.ts';
import { AUTO_CALLER_DEPTH, DEPTH_FAIL, DEPTH_WARN } from '../germline/limits.ts';
import { MAX_DECIMALS, MAX_PRINTED_ALLELE_LETTERS } from './limits.ts';
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

/**
 * `fixed`, with more decimals where rounding would carry a figure onto a limit or over it: what is
 * below a limit reads as below it. The printed figure is the value times ten to the `exponent`, as 2
 * for per cent; the limits are compared with the value.
 */
export function fixedBeside(
  value: number,
  digits: number,
  { limits, exponent = 0 }: { readonly limits: readonly number[]; readonly exponent?: 0 | 2 },
): string {
  const printed = value * 10 ** exponent;
  // Read back as text: a division would not give the limit's own binary fraction.
  const crossed = (text: string) => {
    const shown = Number(`${text}e-${exponent}`);
    return limits.find((limit) => Math.sign(shown - limit) !== Math.sign(value - limit));
  };
  for (let decimals = digits; decimals <= MAX_DECIMALS; decimals += 1) {
    const text = printed.toFixed(decimals);
    if (crossed(text) === undefined) return groupDigits(text);
  }
  // Nearer than can be printed: the neighbour of the limit on the value's side.
  const limit = crossed(printed.toFixed(MAX_DECIMALS)) ?? value;
  const step = Math.sign(value - limit) * 10 ** -MAX_DECIMALS;
  return fixed(limit * 10 ** exponent + step, MAX_DECIMALS);
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

type UnitFormat = (value: number, limits: readonly number[]) => string;

const UNIT_FORMAT: Readonly<Record<MetricUnit, UnitFormat>> = {
  count: (value, limits) => fixedBeside(value, 0, { limits }),
  fraction: (value, limits) => shareText(value, limits),
  depth: (value, limits) => depthText(value, limits),
  bases: (value, limits) => `${fixedBeside(value, 0, { limits })} bp`,
  ratio: (value, limits) => fixedBeside(value, 2, { limits }),
  phred: (value, limits) => `Q${fixedBeside(value, 1, { limits })}`,
  none: (value) => grouped(value),
};

/** Never rounded so far that the figure contradicts its verdict. */
export function metricValue({ value, unit, limits }: MetricFigure): string {
  if (value === null) return 'not applicable';
  return UNIT_FORMAT[unit](value, limits === null ? [] : [limits.warn, limits.fail]);
}

type MetricFigure = Pick<Metric, 'value' | 'unit' | 'limits'>;

/** `29.96×`, on its side of every limit of depths and of `limits`. */
export function depthText(value: number, limits: readonly number[] = []): string {
  return `${fixedBeside(value, 1, { limits: [...DEPTH_LIMITS, ...limits] })}×`;
}

/** All of them, so that one depth reads alike wherever it stands. */
const DEPTH_LIMITS = [DEPTH_WARN, AUTO_CALLER_DEPTH, DEPTH_FAIL];

/** A fraction in per cent, on its side of the limits, with two decimals near none and all. */
export function shareText(fraction: number, limits: readonly number[]): string {
  const isNearEnd = fraction > 0 && fraction < 1 && Math.abs(fraction - 0.5) > 0.499;
  return `${fixedBeside(fraction, isNearEnd ? 2 : 1, { limits, exponent: 2 })} %`;
}

/** Allele frequency with the digits that a rare variant needs. */
export function frequency(value: number | null): string {
  if (value === null) return NO_VALUE;
  if (value === 0) return '0';
  if (value >= 0.001) return fixedBeside(value, 4, { limits: [RARE_FREQUENCY] });
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
