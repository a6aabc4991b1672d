/**
 * One BAM record (SAMv1 §4.2) in canonical form: the `bin` field zero, tags sorted by name and
 * integers in the narrowest type that holds them, as htslib writes them. All else stays as it is.
 *
 * Offsets in the record: 0 block_size, 4 refID, 8 pos, 12 l_read_name, 13 mapq, 14 bin,
 * 16 n_cigar_op, 18 flag, 20 l_seq, 24 next_refID, 28 next_pos, 32 tlen, 36 read name.
 */
import { AppError } from '@helixmesh/protocol';
import { BAM_TAGS_MAX } from './limits.ts';

export const FIXED_BYTES = 36;

const TYPE_A = 0x41;
const TYPE_B = 0x42;
const TYPE_H = 0x48;
const TYPE_Z = 0x5a;
const TYPE_F = 0x66;
const TYPE_INT8 = 0x63;
const TYPE_UINT8 = 0x43;
const TYPE_INT16 = 0x73;
const TYPE_UINT16 = 0x53;
const TYPE_INT32 = 0x69;
const TYPE_UINT32 = 0x49;

/** Names (two bytes as one number) and bounds of the tags of the record at hand. */
const names = new Uint16Array(BAM_TAGS_MAX);
const starts = new Int32Array(BAM_TAGS_MAX);
const ends = new Int32Array(BAM_TAGS_MAX);

export function int32(bytes: Buffer, at: number): number {
  return (
    (bytes[at] as number) |
    ((bytes[at + 1] as number) << 8) |
    ((bytes[at + 2] as number) << 16) |
    ((bytes[at + 3] as number) << 24)
  );
}

/**
 * Writes the canonical form of the record `[from, to)` of `bytes` to `out`, which has room for as
 * many bytes (integers only ever get narrower), and returns its length in bytes.
 */
export function writeCanonicalRecord(
  bytes: Buffer,
  from: number,
  to: number,
  target: { readonly out: Buffer; readonly at: number },
): number {
  const { out, at } = target;
  const nameBytes = bytes[from + 12] as number;
  const cigarOps = (bytes[from + 16] as number) | ((bytes[from + 17] as number) << 8);
  const seqBases = int32(bytes, from + 20);
  const tagsFrom = from + FIXED_BYTES + nameBytes + 4 * cigarOps + ((seqBases + 1) >> 1) + seqBases;
  if (seqBases < 0 || tagsFrom > to) throw malformedRecord();
  const scanned = scanTags(bytes, tagsFrom, to);
  let end = at;
  if (scanned >= 0) {
    bytes.copy(out, at, from, to);
    end += to - from;
  } else {
    bytes.copy(out, at, from, tagsFrom);
    end += tagsFrom - from;
    sortTags(-scanned);
    for (let i = 0; i < -scanned; i++) {
      end = writeTag(bytes, i, out, end);
    }
    const blockBytes = end - at - 4;
    out[at] = blockBytes & 0xff;
    out[at + 1] = (blockBytes >> 8) & 0xff;
    out[at + 2] = (blockBytes >> 16) & 0xff;
    out[at + 3] = blockBytes >> 24;
  }
  out[at + 14] = 0;
  out[at + 15] = 0;
  return end - at;
}

/** Finds the tags; returns their number, negated when they are not in canonical form already. */
function scanTags(bytes: Buffer, from: number, to: number): number {
  let count = 0;
  let previous = 0;
  let isCanonical = true;
  let at = from;
  while (at < to) {
    const name = ((bytes[at] as number) << 8) | (bytes[at + 1] as number);
    const end = tagEnd(bytes, at, to);
    if (end > to || count >= BAM_TAGS_MAX) throw malformedRecord();
    if (name < previous || !hasNarrowestType(bytes, at)) isCanonical = false;
    names[count] = name;
    starts[count] = at;
    ends[count] = end;
    count++;
    previous = name;
    at = end;
  }
  return isCanonical ? count : -count;
}

function tagEnd(bytes: Buffer, at: number, to: number): number {
  const type = bytes[at + 2] as number;
  if (type === TYPE_Z || type === TYPE_H) {
    let end = at + 3;
    while (end < to && bytes[end] !== 0) end++;
    return end + 1;
  }
  if (type === TYPE_B) {
    return at + 8 + int32(bytes, at + 4) * valueBytes(bytes[at + 3] as number);
  }
  return at + 3 + valueBytes(type);
}

function valueBytes(type: number): number {
  switch (type) {
    case TYPE_A:
    case TYPE_INT8:
    case TYPE_UINT8:
      return 1;
    case TYPE_INT16:
    case TYPE_UINT16:
      return 2;
    case TYPE_INT32:
    case TYPE_UINT32:
    case TYPE_F:
      return 4;
    default:
      throw malformedRecord();
  }
}

function hasNarrowestType(bytes: Buffer, at: number): boolean {
  const type = bytes[at + 2] as number;
  if (type === TYPE_UINT8 || type === TYPE_Z || type === TYPE_A) return true;
  return !isInteger(type) || narrowestType(integerAt(bytes, at)) === type;
}

function isInteger(type: number): boolean {
  return (
    type === TYPE_INT8 ||
    type === TYPE_UINT8 ||
    type === TYPE_INT16 ||
    type === TYPE_UINT16 ||
    type === TYPE_INT32 ||
    type === TYPE_UINT32
  );
}

function integerAt(bytes: Buffer, at: number): number {
  switch (bytes[at + 2]) {
    case TYPE_INT8:
      return bytes.readInt8(at + 3);
    case TYPE_UINT8:
      return bytes.readUInt8(at + 3);
    case TYPE_INT16:
      return bytes.readInt16LE(at + 3);
    case TYPE_UINT16:
      return bytes.readUInt16LE(at + 3);
    case TYPE_UINT32:
      return bytes.readUInt32LE(at + 3);
    default:
      return bytes.readInt32LE(at + 3);
  }
}

/** As htslib stores an integer of SAM text. */
function narrowestType(value: number): number {
  if (value < 0) return value >= -0x80 ? TYPE_INT8 : value >= -0x8000 ? TYPE_INT16 : TYPE_INT32;
  return value <= 0xff ? TYPE_UINT8 : value <= 0xffff ? TYPE_UINT16 : TYPE_UINT32;
}

/** Insertion sort: records have about ten tags. */
function sortTags(count: number): void {
  for (let i = 1; i < count; i++) {
    const name = names[i] as number;
    const start = starts[i] as number;
    const end = ends[i] as number;
    let j = i;
    for (; j > 0 && (names[j - 1] as number) > name; j--) {
      names[j] = names[j - 1] as number;
      starts[j] = starts[j - 1] as number;
      ends[j] = ends[j - 1] as number;
    }
    names[j] = name;
    starts[j] = start;
    ends[j] = end;
  }
}

function writeTag(bytes: Buffer, index: number, out: Buffer, at: number): number {
  const start = starts[index] as number;
  const end = ends[index] as number;
  if (hasNarrowestType(bytes, start)) {
    for (let i = start, j = at; i < end; i++, j++) out[j] = bytes[i] as number;
    return at + end - start;
  }
  const value = integerAt(bytes, start);
  const type = narrowestType(value);
  out[at] = bytes[start] as number;
  out[at + 1] = bytes[start + 1] as number;
  out[at + 2] = type;
  const width = valueBytes(type);
  for (let i = 0; i < width; i++) out[at + 3 + i] = (value >> (8 * i)) & 0xff;
  return at + 3 + width;
}

export function malformedRecord(): AppError {
  return new AppError('INPUT_MALFORMED', 'a BAM record is malformed', {
    hint: 'Check the file with `samtools quickcheck` and make it again.',
  });
}
