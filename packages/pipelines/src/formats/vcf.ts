/**
 * VCF 4.x text: header, records, reader and writer. Streaming, in constant memory.
 *
 * Positions are 1-based as in the file (`pos1`). Fields are kept as text and not percent-decoded.
 * It does not read BCF and does not check values against their definitions.
 */
import { basename } from 'node:path';
import { AppError } from '@helixmesh/protocol';
import type { Contig } from '../germline/input.ts';
import { CompressedWriter } from './gzip/bgzf-writer.ts';
import { readLineBatches } from './gzip/lines.ts';

export interface VcfRecord {
  readonly chrom: string;
  readonly pos1: number;
  /** Null for `.`; several are separated by `;`. */
  readonly id: string | null;
  readonly ref: string;
  /** Empty for `.`. */
  readonly alt: readonly string[];
  readonly qual: number | null;
  /** Empty for `.` (not filtered); `['PASS']` where it passed. */
  readonly filter: readonly string[];
  /** In the order of the file; true for a flag. */
  readonly info: ReadonlyMap<string, string | true>;
  readonly format: readonly string[];
  /** Per sample the values in the order of `format`; values at the end can be missing. */
  readonly samples: readonly (readonly string[])[];
}

export interface VcfFieldDefinition {
  readonly id: string;
  readonly number: string;
  readonly type: string;
  readonly description: string;
}

export interface VcfHeader {
  /** All lines that begin with `##`. */
  readonly lines: readonly string[];
  readonly samples: readonly string[];
  /** From `##contig`; a length that is not given is 0. */
  readonly contigs: readonly Contig[];
  readonly info: ReadonlyMap<string, VcfFieldDefinition>;
  readonly format: ReadonlyMap<string, VcfFieldDefinition>;
  readonly filter: ReadonlyMap<string, VcfFieldDefinition>;
}

const FIXED_COLUMNS = 'CHROM\tPOS\tID\tREF\tALT\tQUAL\tFILTER\tINFO';
const HINT = 'Check the file with `bcftools view`.';

/** The value of a FORMAT field of one sample, null where it is absent or `.`. */
export function sampleValue(record: VcfRecord, key: string, sample = 0): string | null {
  const value = record.samples[sample]?.[record.format.indexOf(key)];
  return value === undefined || value === '.' ? null : value;
}

/** Splits the attributes of `##KEY=<A=b,C="d, e">`. */
export function parseHeaderAttributes(line: string): Map<string, string> {
  const body = line.slice(line.indexOf('<') + 1, line.lastIndexOf('>'));
  const attributes = new Map<string, string>();
  for (const match of body.matchAll(/([^=,]+)=("(?:[^"\\]|\\.)*"|[^,]*)/g)) {
    const value = match[2] ?? '';
    attributes.set(match[1] ?? '', value.startsWith('"') ? value.slice(1, -1) : value);
  }
  return attributes;
}

/** Reads header lines, the `#CHROM` line last. Throws INPUT_MALFORMED. */
export function parseVcfHeader(headerLines: readonly string[]): VcfHeader {
  const last = headerLines.at(-1) ?? '';
  if (!last.startsWith(`#${FIXED_COLUMNS}`)) throw malformed('the VCF header has no #CHROM line');
  const lines = headerLines.slice(0, -1);
  const definitions = (key: string) =>
    new Map(
      lines
        .filter((line) => line.startsWith(`##${key}=<`))
        .map(parseHeaderAttributes)
        .map((attributes) => [attributes.get('ID') ?? '', toDefinition(attributes)]),
    );
  const contigs = lines.filter((line) => line.startsWith('##contig=<')).map(parseHeaderAttributes);
  return {
    lines,
    samples: last.split('\t').slice(9),
    contigs: contigs.map((attributes) => ({
      name: attributes.get('ID') ?? '',
      lengthBases: Number(attributes.get('length') ?? 0),
    })),
    info: definitions('INFO'),
    format: definitions('FORMAT'),
    filter: definitions('FILTER'),
  };
}

function toDefinition(attributes: ReadonlyMap<string, string>): VcfFieldDefinition {
  return {
    id: attributes.get('ID') ?? '',
    number: attributes.get('Number') ?? '0',
    type: attributes.get('Type') ?? '',
    description: attributes.get('Description') ?? '',
  };
}

/** Reads one record line. Throws INPUT_MALFORMED, which names no value of the line. */
export function parseVcfRecord(line: string): VcfRecord {
  const fields = line.split('\t');
  const [chrom = '', pos, id, ref = '', alt, qual, filter, info = '.', format] = fields;
  const pos1 = Number(pos);
  if (fields.length < 8 || chrom === '' || ref === '' || !Number.isInteger(pos1)) {
    throw malformed('a VCF record has no 8 columns or no position');
  }
  return {
    chrom,
    pos1,
    id: id === undefined || id === '.' ? null : id,
    ref,
    alt: list(alt, ','),
    qual: qual === undefined || qual === '.' ? null : Number(qual),
    filter: list(filter, ';'),
    info: parseInfo(info),
    format: list(format, ':'),
    samples: fields.slice(9).map((sample) => sample.split(':')),
  };
}

/** Reads an INFO column. */
export function parseInfo(text: string): Map<string, string | true> {
  const info = new Map<string, string | true>();
  if (text === '.' || text === '') return info;
  for (const field of text.split(';')) {
    const equals = field.indexOf('=');
    if (equals < 0) info.set(field, true);
    else info.set(field.slice(0, equals), field.slice(equals + 1));
  }
  return info;
}

/** The record as a line without its end. */
export function formatVcfRecord(record: VcfRecord): string {
  const info = [...record.info].map(([key, value]) => (value === true ? key : `${key}=${value}`));
  const columns = [
    record.chrom,
    String(record.pos1),
    record.id ?? '.',
    record.ref,
    record.alt.join(',') || '.',
    record.qual === null ? '.' : String(record.qual),
    record.filter.join(';') || '.',
    info.join(';') || '.',
  ];
  if (record.format.length > 0) columns.push(record.format.join(':'));
  return [...columns, ...record.samples.map((values) => values.join(':'))].join('\t');
}

/** The header as text with line ends. */
export function formatVcfHeader(lines: readonly string[], samples: readonly string[]): string {
  const columns = samples.length > 0 ? [FIXED_COLUMNS, 'FORMAT', ...samples] : [FIXED_COLUMNS];
  return [...lines, `#${columns.join('\t')}`].map((line) => `${line}\n`).join('');
}

export interface VcfReader {
  readonly header: VcfHeader;
  /** Can be consumed once. */
  readonly records: AsyncGenerator<VcfRecord>;
  /** Stops reading; needed only when the records were not read to their end. */
  close(): Promise<void>;
}

/** Opens a VCF file, plain or compressed, and reads its header. */
export async function openVcf(path: string): Promise<VcfReader> {
  const batches = readLineBatches(path);
  const headerLines: string[] = [];
  for (;;) {
    const next = await batches.next();
    if (next.done) throw notVcf(path);
    const first = next.value.findIndex((line) => !line.startsWith('#'));
    headerLines.push(...(first < 0 ? next.value : next.value.slice(0, first)));
    if (headerLines[0]?.startsWith('##fileformat=VCF') !== true) throw notVcf(path);
    if (first < 0 && !headerLines.at(-1)?.startsWith('#CHROM')) continue;
    const records = readRecords(first < 0 ? [] : next.value.slice(first), batches);
    const close = async () => {
      await records.return(undefined);
      await batches.return(undefined);
    };
    return { header: parseVcfHeader(headerLines), records, close };
  }
}

async function* readRecords(
  first: readonly string[],
  batches: AsyncGenerator<string[]>,
): AsyncGenerator<VcfRecord> {
  for (const line of first) if (line !== '') yield parseVcfRecord(line);
  for await (const lines of batches) {
    for (const line of lines) if (line !== '') yield parseVcfRecord(line);
  }
}

export interface VcfContent {
  /** `##` lines. */
  readonly lines: readonly string[];
  readonly samples: readonly string[];
  readonly records: AsyncIterable<VcfRecord> | Iterable<VcfRecord>;
}

/** Writes a new VCF file; BGZF when the name ends in `.gz`. CONFLICT when it exists. */
export async function writeVcf(path: string, content: VcfContent): Promise<void> {
  const writer = new CompressedWriter(path, {
    compression: path.endsWith('.gz') ? 'bgzf' : 'none',
  });
  try {
    writer.write(formatVcfHeader(content.lines, content.samples));
    for await (const record of content.records) writer.write(`${formatVcfRecord(record)}\n`);
  } finally {
    writer.close();
  }
}

function list(text: string | undefined, separator: string): string[] {
  return text === undefined || text === '.' || text === '' ? [] : text.split(separator);
}

function malformed(message: string): AppError {
  return new AppError('INPUT_MALFORMED', message, { hint: HINT });
}

function notVcf(path: string): AppError {
  return new AppError('INPUT_WRONG_FORMAT', `${basename(path)} is not a VCF text file`, {
    hint: 'Convert it with `bcftools view -O z`.',
  });
}
