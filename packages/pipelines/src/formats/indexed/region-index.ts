/**
 * Where the records of a region lie in a BGZF file, by its index: BAI (SAMv1 §5.2), TBI (tabix
 * specification) and CSI (CSIv1), for BAM and VCF.
 *
 * Invariants
 * I1  Every record that overlaps a region lies in its chunks; other records may lie there too.
 * I2  A chunk ends where a record of a later bin begins, at the latest: files are sorted.
 *
 * An index is not trusted: whoever reads by it checks that blocks and records begin where it says.
 */
import { gunzipSync } from 'node:zlib';
import { AppError } from '@helixmesh/protocol';
import { INDEX_BYTES_MAX } from '../limits.ts';

/** A place in the decompressed bytes: the file's byte where a block begins, and a byte in it. */
export interface VirtualOffset {
  readonly block: number;
  readonly within: number;
}

export interface Chunk {
  readonly start: VirtualOffset;
  /** Of the first byte that is not in it. */
  readonly end: VirtualOffset;
}

export interface RegionIndex {
  readonly kind: 'bam' | 'vcf';
  /** Contigs that have records, in their order; null where the file itself names them (BAM). */
  readonly contigs: readonly string[] | null;
  /** Chunks for the bases [start, end) of a contig by its number; in order, none touching the next. */
  chunksOf(contig: number, start: number, end: number): Chunk[];
}

/** Sizes of bins: `minShift` and `depth` of CSI; BAI and TBI have 14 and 5. */
interface Shape {
  readonly minShift: number;
  readonly depth: number;
  /** Bins of CSI say where their first record is; else a linear index does. */
  readonly hasOffsets: boolean;
}

interface Bin {
  readonly number: number;
  readonly firstOffset: bigint;
  readonly chunks: readonly (readonly [start: bigint, end: bigint])[];
}

const FIXED_SHAPE: Shape = { minShift: 14, depth: 5, hasOffsets: false };
/** Largest sizes of bins that occur: 2^(minShift + 3 · depth) bases are a contig. */
const DEPTH_MAX = 10;
const MIN_SHIFT_MAX = 31;
const TABIX_CONF_BYTES = 28;
/** Low 16 bits of the format of tabix (TBX_VCF). */
const TABIX_VCF = 2;
const OFFSET_MAX = 2n ** 64n - 1n;

/** Throws INPUT_MALFORMED, INPUT_WRONG_FORMAT for an index of something else than BAM or VCF. */
export function parseRegionIndex(bytes: Uint8Array): RegionIndex {
  try {
    return parse(decompressed(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length)));
  } catch (error) {
    if (error instanceof AppError) throw error;
    // Reading beyond the end throws a RangeError, damaged gzip an error of zlib.
    throw malformed(error);
  }
}

function parse(bytes: Buffer): RegionIndex {
  switch (bytes.toString('latin1', 0, 4)) {
    case 'BAI\x01':
      return indexOf({ kind: 'bam', contigs: null, shape: FIXED_SHAPE }, bytes, 4);
    case 'TBI\x01': {
      const contigCount = bytes.readInt32LE(4);
      const { names, end } = tabixNames(bytes, 8);
      const head = {
        kind: 'vcf',
        contigs: names.slice(0, contigCount),
        shape: FIXED_SHAPE,
      } as const;
      return indexOf(head, bytes, end, contigCount);
    }
    case 'CSI\x01':
      return parseCsi(bytes);
    default:
      throw new AppError('INPUT_WRONG_FORMAT', 'the file is no index that is known', {
        hint: 'Name a .tbi, .bai or .csi file of `tabix`, `bcftools index` or `samtools index`.',
      });
  }
}

function parseCsi(bytes: Buffer): RegionIndex {
  const shape = { minShift: bytes.readInt32LE(4), depth: bytes.readInt32LE(8), hasOffsets: true };
  const auxBytes = bytes.readInt32LE(12);
  const isShape = inRange(shape.minShift, MIN_SHIFT_MAX) && inRange(shape.depth, DEPTH_MAX);
  if (!isShape || !inRange(auxBytes, bytes.length)) throw malformed();
  const after = 16 + auxBytes;
  if (auxBytes < TABIX_CONF_BYTES) {
    return indexOf({ kind: 'bam', contigs: null, shape }, bytes, after);
  }
  const { names } = tabixNames(bytes, 16);
  return indexOf({ kind: 'vcf', contigs: names, shape }, bytes, after);
}

/** Configuration and contigs of tabix. */
function tabixNames(bytes: Buffer, at: number): { names: string[]; end: number } {
  if ((bytes.readInt32LE(at) & 0xffff) !== TABIX_VCF) {
    throw new AppError('INPUT_WRONG_FORMAT', 'the index is not one of a VCF file', {
      hint: 'Index it anew with `tabix -p vcf`.',
    });
  }
  const start = at + TABIX_CONF_BYTES;
  const size = bytes.readInt32LE(start - 4);
  if (!inRange(size, bytes.length - start)) throw malformed();
  const names = bytes.toString('utf8', start, start + size).split('\0');
  return { names: names.slice(0, -1), end: start + size };
}

interface Head extends Pick<RegionIndex, 'kind' | 'contigs'> {
  readonly shape: Shape;
}

/** The index whose contigs begin at `from`; their number stands there unless it is known. */
function indexOf(head: Head, bytes: Buffer, from: number, count?: number): RegionIndex {
  const { kind, contigs, shape } = head;
  const total = count ?? bytes.readInt32LE(from);
  if (!inRange(total, bytes.length)) throw malformed();
  const starts: number[] = [];
  let at = count === undefined ? from + 4 : from;
  for (let contig = 0; contig < total; contig += 1) {
    starts.push(at);
    at = readContig(bytes, at, shape, () => undefined).end;
  }
  return {
    kind,
    contigs,
    chunksOf(contig, start, end) {
      const place = starts[contig];
      if (place === undefined || start >= end) return [];
      const bins: Bin[] = [];
      const { linear } = readContig(bytes, place, shape, (bin) => bins.push(bin));
      return chunksOf(bins, shape, { start, end, linear });
    },
  };
}

/** Reads the bins of one contig, and its linear index where there is one. */
function readContig(
  bytes: Buffer,
  from: number,
  { hasOffsets }: Shape,
  onBin: (bin: Bin) => void,
): { readonly end: number; readonly linear: (window: number) => bigint } {
  const bins = bytes.readInt32LE(from);
  let at = from + 4;
  for (let i = 0; i < bins; i += 1) {
    const number = bytes.readUInt32LE(at);
    const firstOffset = hasOffsets ? bytes.readBigUInt64LE(at + 4) : 0n;
    at += hasOffsets ? 12 : 4;
    const count = bytes.readInt32LE(at);
    at += 4;
    if (!inRange(count, (bytes.length - at) / 16)) throw malformed();
    const chunks = Array.from(
      { length: count },
      (_, c) =>
        [bytes.readBigUInt64LE(at + 16 * c), bytes.readBigUInt64LE(at + 16 * c + 8)] as const,
    );
    at += 16 * count;
    onBin({ number, firstOffset, chunks });
  }
  if (hasOffsets) return { end: at, linear: () => 0n };
  const windows = bytes.readInt32LE(at);
  if (!inRange(windows, (bytes.length - at) / 8)) throw malformed();
  const first = at + 4;
  return {
    end: first + 8 * windows,
    linear(window) {
      return windows === 0 ? 0n : bytes.readBigUInt64LE(first + 8 * Math.min(window, windows - 1));
    },
  };
}

interface Wanted {
  readonly start: number;
  readonly end: number;
  readonly linear: (window: number) => bigint;
}

function chunksOf(bins: readonly Bin[], shape: Shape, { start, end, linear }: Wanted): Chunk[] {
  const found: (readonly [bigint, bigint])[] = [];
  let last = OFFSET_MAX;
  for (const { number, chunks } of bins) {
    const bin = basesOf(number, shape);
    if (bin === undefined) continue;
    // Records of a bin begin in it: from the first one behind the region on there are no others.
    if (bin.start >= end) for (const [from] of chunks) last = from < last ? from : last;
    else if (bin.end > start) found.push(...chunks);
  }
  const first = shape.hasOffsets
    ? offsetOf(bins, shape, start)
    : linear(Math.floor(start / 2 ** shape.minShift));
  const kept = found
    .map(([from, to]) => [from, to < last ? to : last] as const)
    .filter(([from, to]) => from < to && to > first)
    .sort(([a], [b]) => (a < b ? -1 : Number(a > b)));
  const joined: [bigint, bigint][] = [];
  for (const [from, to] of kept) {
    const before = joined.at(-1);
    // What ends in the block in which the next one begins is read in one go.
    if (before === undefined || from >> 16n > before[1] >> 16n) joined.push([from, to]);
    else if (to > before[1]) before[1] = to;
  }
  return joined.map(([from, to]) => ({ start: virtualOffset(from), end: virtualOffset(to) }));
}

/** Bases that a bin stands for; undefined for the one that holds counts only (SAMv1 §5.2). */
function basesOf(bin: number, { minShift, depth }: Shape) {
  let first = 0;
  for (let level = 0; level <= depth; level += 1) {
    const count = 8 ** level;
    if (bin < first + count) {
      const size = 2 ** (minShift + 3 * (depth - level));
      return { start: (bin - first) * size, end: (bin - first + 1) * size };
    }
    first += count;
  }
  return undefined;
}

/** Where the first record of the smallest bin around a base is, by CSI; 0 where no bin says so. */
function offsetOf(bins: readonly Bin[], { minShift, depth }: Shape, base: number): bigint {
  const byNumber = new Map(bins.map((bin) => [bin.number, bin.firstOffset]));
  let bin = (8 ** depth - 1) / 7 + Math.floor(base / 2 ** minShift);
  for (;;) {
    const offset = byNumber.get(bin);
    if (offset !== undefined) return offset;
    if (bin <= 0) return 0n;
    bin = Math.floor((bin - 1) / 8);
  }
}

function virtualOffset(value: bigint): VirtualOffset {
  return { block: Number(value >> 16n), within: Number(value & 0xffffn) };
}

function decompressed(bytes: Buffer): Buffer {
  const isGzip = bytes[0] === 0x1f && bytes[1] === 0x8b;
  return isGzip ? gunzipSync(bytes, { maxOutputLength: INDEX_BYTES_MAX }) : bytes;
}

function inRange(value: number, max: number): boolean {
  return value >= 0 && value <= max;
}

function malformed(cause?: unknown): AppError {
  return new AppError('INPUT_MALFORMED', 'the index is damaged', {
    hint: 'Make it again with `tabix -p vcf`, `bcftools index` or `samtools index`.',
    cause,
  });
}
