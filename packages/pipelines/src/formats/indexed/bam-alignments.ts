/**
 * Alignments of a BAM file by region, as samtools sees them: one lies from POS over the bases that its
 * CIGAR consumes of the reference, and over one base where that is none or it is unmapped (SAMv1 §4.2).
 */
import { AppError } from '@helixmesh/protocol';
import { ALIGNMENT_BYTES_MAX } from '../limits.ts';
import type { ParsedHeader, RecordFormat, RecordPlace } from './record-format.ts';

const MAGIC = 'BAM\x01';
/** Bytes of the fields before the name, the size included. */
const FIXED_BYTES = 36;
const UNMAPPED = 0x4;
/** M, D, N, = and X of `MIDNSHP=X` consume the reference. */
const CONSUMES = new Set([0, 2, 3, 7, 8]);
/** Records in a row that show where the first one begins. */
const CHAIN_RECORDS = 8;

interface Contig {
  readonly name: string;
  readonly bases: number;
}

export function isBam(bytes: Buffer): boolean {
  return bytes.toString('latin1', 0, MAGIC.length) === MAGIC;
}

/** Undefined while `bytes` do not hold the whole header. */
export function parseBamHeader(bytes: Buffer): ParsedHeader | undefined {
  if (bytes.length < 8) return undefined;
  const textEnd = 8 + bytes.readUInt32LE(4);
  if (bytes.length < textEnd + 4) return undefined;
  const count = bytes.readUInt32LE(textEnd);
  const contigs: Contig[] = [];
  let at = textEnd + 4;
  while (contigs.length < count) {
    if (bytes.length < at + 4) return undefined;
    const nameEnd = at + 4 + bytes.readUInt32LE(at);
    if (bytes.length < nameEnd + 4) return undefined;
    const name = bytes.toString('utf8', at + 4, nameEnd - 1);
    contigs.push({ name, bases: bytes.readUInt32LE(nameEnd) });
    at = nameEnd + 4;
  }
  return { sizeBytes: at, format: bamFormat(contigs) };
}

function bamFormat(contigs: readonly Contig[]): RecordFormat {
  const names = contigs.map(({ name }) => name);
  const known = new Set(names);
  return {
    contigs: names,
    hasContig: (name) => known.has(name),
    endOf(bytes, at) {
      if (bytes.length - at < 4) return undefined;
      const size = bytes.readUInt32LE(at);
      if (size < FIXED_BYTES - 4 || size > ALIGNMENT_BYTES_MAX) throw malformed();
      return at + 4 + size <= bytes.length ? at + 4 + size : undefined;
    },
    placeOf: (bytes, at, end) => placeOf(names, bytes, at, end),
    firstIn(bytes, isAll) {
      for (let at = 0; at < bytes.length; at += 1) {
        const verdict = chainAt(contigs, bytes, at);
        if (verdict === 'chain' || (verdict === 'short' && isAll)) return at;
        if (verdict === 'short') return undefined;
      }
      return isAll ? bytes.length : undefined;
    },
    lastOf: () => null,
  };
}

function placeOf(
  names: readonly string[],
  bytes: Buffer,
  at: number,
  end: number,
): RecordPlace | undefined {
  const refName = names[bytes.readInt32LE(at + 4)];
  const start = bytes.readInt32LE(at + 8);
  if (refName === undefined || start < 0) return undefined;
  const cigarAt = at + FIXED_BYTES + (bytes[at + 12] as number);
  const ops = bytes.readUInt16LE(at + 16);
  if (cigarAt + 4 * ops > end) throw malformed();
  const isUnmapped = (bytes.readUInt16LE(at + 18) & UNMAPPED) !== 0;
  let bases = 0;
  for (let i = 0; i < ops && !isUnmapped; i += 1) {
    const op = bytes.readUInt32LE(cigarAt + 4 * i);
    if (CONSUMES.has(op & 0xf)) bases += op >>> 4;
  }
  return { refName, start, end: start + Math.max(bases, 1) };
}

/** Whether alignments follow each other from `at` on; `short`: as far as the bytes reach. */
function chainAt(
  contigs: readonly Contig[],
  bytes: Buffer,
  from: number,
): 'chain' | 'short' | 'no' {
  let at = from;
  for (let count = 0; count < CHAIN_RECORDS; count += 1) {
    if (bytes.length - at < FIXED_BYTES) return 'short';
    if (!isAlignment(contigs, bytes, at)) return 'no';
    at += 4 + bytes.readUInt32LE(at);
    if (at > bytes.length) return 'short';
  }
  return 'chain';
}

function isAlignment(contigs: readonly Contig[], bytes: Buffer, at: number): boolean {
  const size = bytes.readUInt32LE(at);
  const nameBytes = bytes[at + 12] as number;
  const bases = bytes.readInt32LE(at + 20);
  const needed = FIXED_BYTES - 4 + nameBytes + 4 * bytes.readUInt16LE(at + 16);
  const isSize = size <= ALIGNMENT_BYTES_MAX && bases >= 0;
  if (!isSize || size < needed + Math.ceil(bases / 2) + bases || nameBytes === 0) return false;
  if (!isPlace(contigs, bytes, at + 4) || !isPlace(contigs, bytes, at + 24)) return false;
  const name = bytes.subarray(at + FIXED_BYTES, at + FIXED_BYTES + nameBytes);
  // Names are printable, and end with a zero.
  return name.every((byte, i) => (i === nameBytes - 1 ? byte === 0 : byte > 32 && byte < 127));
}

/** A contig of the header or none, and a position on it. */
function isPlace(contigs: readonly Contig[], bytes: Buffer, at: number): boolean {
  const contig = bytes.readInt32LE(at);
  const position = bytes.readInt32LE(at + 4);
  if (contig === -1) return position >= -1;
  const bases = contigs[contig]?.bases;
  return bases !== undefined && position >= -1 && position < bases;
}

function malformed(): AppError {
  return new AppError('INPUT_MALFORMED', 'no alignment begins where the index says', {
    hint: 'Name the index of this very file, or index it anew with `samtools index`.',
  });
}
