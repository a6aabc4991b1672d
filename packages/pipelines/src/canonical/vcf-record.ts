/** The canonical line of one VCF record; the rule stands in vcf.ts. */
import { AppError } from '@helixmesh/protocol';
import type { VcfFieldDefinition, VcfHeader } from '../formats/vcf.ts';

/** V5. */
const INFO_LIKELIHOODS: ReadonlySet<string> = new Set(['ODDS']);
const FORMAT_LIKELIHOODS: ReadonlySet<string> = new Set(['GL', 'PL', 'GP', 'GQ']);
const SIGNIFICANT_DIGITS = 4;

/** What records are sorted by before REF and ALT. */
export interface VcfKey {
  /** Index of the contig in the header; after all of them for one that is not there. */
  readonly rank: number;
  readonly chrom: string;
  readonly pos1: number;
}

interface FormatPlan {
  readonly text: string;
  /** Columns of the values in canonical order. */
  readonly order: readonly number[];
  readonly isFloat: readonly boolean[];
}

export class VcfCanonicalizer {
  readonly header: VcfHeader;
  readonly usedInfo = new Set<string>();
  readonly usedFormat = new Set<string>();
  readonly usedFilter = new Set<string>();
  readonly #ranks: ReadonlyMap<string, number>;
  readonly #floatInfo: ReadonlySet<string>;
  readonly #floatFormat: ReadonlySet<string>;
  readonly #plans = new Map<string, FormatPlan>();

  constructor(header: VcfHeader) {
    this.header = header;
    this.#ranks = new Map(header.contigs.map((contig, i) => [contig.name, i]));
    this.#floatInfo = floatFields(header.info);
    this.#floatFormat = floatFields(header.format);
  }

  /** Throws INPUT_MALFORMED for a line that is no record. */
  record(line: string): { readonly key: VcfKey; readonly line: string } {
    const fields = line.split('\t');
    const [chrom = '', pos = '', id = '.', ref = '', alt = '.', , filter = '.', info = '.'] =
      fields;
    const pos1 = Number(pos);
    if (fields.length < 8 || ref === '' || !Number.isInteger(pos1)) {
      throw new AppError('INPUT_MALFORMED', 'a VCF record has no 8 columns or no position', {
        hint: 'Check the file with `bcftools view`.',
      });
    }
    const columns = [chrom, pos, ref, alt, id, this.#filter(filter), this.#info(info)];
    const format = fields[8];
    if (format !== undefined) {
      const plan = this.#plan(format);
      columns.push(plan.text);
      for (let i = 9; i < fields.length; i++) columns.push(sampleText(fields[i] ?? '', plan));
    }
    const rank = this.#ranks.get(chrom) ?? this.#ranks.size;
    return { key: { rank, chrom, pos1 }, line: columns.join('\t') };
  }

  #filter(text: string): string {
    if (text === '.' || text === 'PASS') return text;
    const filters = text.split(';').sort();
    for (const filter of filters) this.usedFilter.add(filter);
    return filters.join(';');
  }

  #info(text: string): string {
    if (text === '.') return text;
    const kept: string[] = [];
    for (const field of text.split(';')) {
      const equals = field.indexOf('=');
      const key = equals < 0 ? field : field.slice(0, equals);
      if (key === '' || INFO_LIKELIHOODS.has(key)) continue;
      this.usedInfo.add(key);
      const isFloat = equals >= 0 && this.#floatInfo.has(key);
      kept.push(isFloat ? `${key}=${roundFloats(field.slice(equals + 1))}` : field);
    }
    return kept.sort().join(';') || '.';
  }

  #plan(format: string): FormatPlan {
    const known = this.#plans.get(format);
    if (known !== undefined) return known;
    const keys = format.split(':');
    const order = keys
      .map((key, i) => ({ key, i }))
      .filter(({ key }) => !FORMAT_LIKELIHOODS.has(key))
      .sort((a, b) => compareFormatKeys(a.key, b.key));
    for (const { key } of order) this.usedFormat.add(key);
    const plan = {
      text: order.map(({ key }) => key).join(':'),
      order: order.map(({ i }) => i),
      isFloat: order.map(({ key }) => this.#floatFormat.has(key)),
    };
    this.#plans.set(format, plan);
    return plan;
  }
}

/** Values missing at the end are written as `.`, so that leaving them out makes no difference. */
function sampleText(text: string, plan: FormatPlan): string {
  const values = text.split(':');
  return plan.order
    .map((column, i) => {
      const value = values[column] ?? '.';
      return plan.isFloat[i] ? roundFloats(value) : value;
    })
    .join(':');
}

function compareFormatKeys(a: string, b: string): number {
  if (a === 'GT' || b === 'GT') return a === b ? 0 : a === 'GT' ? -1 : 1;
  return a < b ? -1 : 1;
}

function floatFields(definitions: ReadonlyMap<string, VcfFieldDefinition>): ReadonlySet<string> {
  return new Set([...definitions.values()].filter((d) => d.type === 'Float').map((d) => d.id));
}

/** A list of numbers to 4 significant digits each; what is no number stays as it is. */
function roundFloats(text: string): string {
  if (text.includes(',')) return text.split(',').map(roundFloats).join(',');
  const value = Number(text);
  if (text === '' || !Number.isFinite(value)) return text;
  return String(Number(value.toPrecision(SIGNIFICANT_DIGITS)) + 0);
}
