/**
 * Lines of a VCF file by region, as tabix sees them: a record lies from POS over the bases of REF, or
 * to INFO/END where that says more (htslib 1.16, tbx_parse1).
 */
import type { ParsedHeader, RecordFormat, RecordPlace } from './record-format.ts';

const LINE_END = 10;
const TAB = 9;
const HASH = 35;
const MAGIC = '##fileformat=VCF';

/** Fields of a line that are looked at, by their place. */
const CHROM = 0;
const POS = 1;
const REF = 3;
const INFO = 7;

export function isVcf(bytes: Buffer): boolean {
  return bytes.toString('latin1', 0, MAGIC.length) === MAGIC;
}

/** Undefined while `bytes` do not hold the whole header; `isAll`: no more will come. */
export function parseVcfHeader(bytes: Buffer, isAll: boolean): ParsedHeader | undefined {
  let at = 0;
  while (bytes[at] === HASH) {
    const end = bytes.indexOf(LINE_END, at);
    if (end < 0) return isAll ? headerOf(bytes, bytes.length) : undefined;
    at = end + 1;
  }
  return at < bytes.length || isAll ? headerOf(bytes, at) : undefined;
}

function headerOf(bytes: Buffer, sizeBytes: number): ParsedHeader {
  const text = bytes.toString('utf8', 0, sizeBytes);
  const ids = text.matchAll(/^##contig=<(?:.*?,)?ID=([^,>]+)/gm);
  const contigs = new Set(Array.from(ids, ([, id]) => id));
  return { sizeBytes, format: { ...VCF, hasContig: (name) => contigs.has(name) } };
}

const VCF: Omit<RecordFormat, 'hasContig'> = {
  contigs: null,
  endOf: lineEnd,
  placeOf,
  // A line that begins in an earlier block is dropped, unless it looks like a whole one.
  firstIn(bytes, isAll) {
    const end = lineEnd(bytes, 0);
    if (end === undefined) return isAll ? bytes.length : undefined;
    return isWhole(bytes, 0, end) ? 0 : end;
  },
  lastOf: (rest) => Buffer.concat([rest, Buffer.of(LINE_END)]),
};

function lineEnd(bytes: Buffer, at: number): number | undefined {
  const end = bytes.indexOf(LINE_END, at);
  return end < 0 ? undefined : end + 1;
}

/** A position, an id and two alleles are hard to find in the middle of a line. */
function isWhole(bytes: Buffer, at: number, end: number): boolean {
  const [chrom = '', pos = '', , ref = '', , qual = ''] = fieldsOf(bytes, at, end);
  const isPlace = chrom !== '' && /^\d+$/.test(pos) && /^(\.|[A-Za-z]+)$/.test(ref);
  return isPlace && /^(\.|[-+.\deE]+|inf|nan)$/i.test(qual);
}

function placeOf(bytes: Buffer, at: number, end: number): RecordPlace | undefined {
  const fields = fieldsOf(bytes, at, end);
  const start = Number.parseInt(fields[POS] ?? '', 10) - 1;
  const refName = fields[CHROM] ?? '';
  if (refName === '' || !Number.isSafeInteger(start)) return undefined;
  const stated = /(?:^|;)END=(\d+)/.exec(fields[INFO] ?? '')?.[1];
  const infoEnd = Number(stated ?? 0);
  return {
    refName,
    start,
    end: infoEnd > start ? infoEnd : start + (fields[REF] ?? '').length,
  };
}

/** The first eight fields: a line may have 100,000 samples behind them. */
function fieldsOf(bytes: Buffer, at: number, end: number): string[] {
  const fields: string[] = [];
  let from = at;
  while (fields.length <= INFO && from < end) {
    const tab = bytes.indexOf(TAB, from);
    const to = tab < 0 || tab >= end ? end - 1 : tab;
    fields.push(bytes.toString('utf8', from, to));
    from = to + 1;
  }
  return fields;
}
