/** Blocks of a BGZF file (SAMv1 §4.1) that is read in pieces from somewhere else. */
import { crc32, inflateRawSync } from 'node:zlib';
import { AppError } from '@helixmesh/protocol';
import { BGZF_BLOCK_BYTES_MAX } from '../limits.ts';

/** Bytes of a file, 0-based half-open. */
export interface ByteRange {
  readonly start: number;
  readonly end: number;
}

/** A file of which any bytes can be asked for. */
export interface RangedBytes {
  readonly sizeBytes: number;
  read(range: ByteRange): AsyncIterable<Uint8Array>;
}

export interface BgzfBlock extends ByteRange {
  /** Decompressed. */
  readonly content: Buffer;
}

const HEAD_BYTES = 18;
const EXTRA_AT = 12;
const TRAILER_BYTES = 8;

/**
 * The blocks that begin in `places`; no byte at `limit` or behind it is asked for. Throws
 * INPUT_MALFORMED where no block begins, and for damaged ones; INPUT_TRUNCATED.
 */
export async function* blocksOf(
  source: RangedBytes,
  places: ByteRange,
  limit = source.sizeBytes,
): AsyncGenerator<BgzfBlock> {
  const end = Math.min(places.end - 1 + BGZF_BLOCK_BYTES_MAX, limit);
  if (places.start >= end) return;
  let bytes: Buffer = Buffer.alloc(0);
  let start = places.start;
  for await (const piece of source.read({ start: places.start, end })) {
    bytes = bytes.length === 0 ? Buffer.from(piece) : Buffer.concat([bytes, piece]);
    let at = 0;
    while (start < places.end) {
      const size = sizeOf(bytes, at);
      if (size === undefined || bytes.length - at < size) break;
      yield { start, end: start + size, content: inflated(bytes.subarray(at, at + size)) };
      at += size;
      start += size;
    }
    bytes = bytes.subarray(at);
  }
  if (bytes.length === 0 || start >= places.end) return;
  throw new AppError('INPUT_TRUNCATED', 'the file ends in the middle of a block', {
    hint: 'The file or its index was not copied whole: store both anew.',
  });
}

/** Size of the block at `at`; undefined while its head is not there. */
function sizeOf(bytes: Buffer, at: number): number | undefined {
  if (bytes.length - at < HEAD_BYTES) return undefined;
  const isBlock =
    bytes.readUInt32BE(at) === 0x1f8b0804 &&
    bytes.readUInt32BE(at + EXTRA_AT) === 0x42430200 &&
    bytes.readUInt16LE(at + 10) === 6 &&
    bytes.readUInt16LE(at + 16) >= HEAD_BYTES + TRAILER_BYTES - 1;
  if (isBlock) return bytes.readUInt16LE(at + 16) + 1;
  throw new AppError('INPUT_MALFORMED', 'no block of BGZF begins where it should', {
    hint: 'Name the index of this very file; a VCF has to be compressed with bgzip.',
  });
}

function inflated(block: Buffer): Buffer {
  const trailer = block.length - TRAILER_BYTES;
  const size = block.readUInt32LE(trailer + 4);
  let content: Buffer | undefined;
  try {
    const body = block.subarray(HEAD_BYTES, trailer);
    content = inflateRawSync(body, { maxOutputLength: BGZF_BLOCK_BYTES_MAX });
  } catch {
    // Said below, like a checksum that is wrong.
  }
  if (content?.length === size && crc32(content) === block.readUInt32LE(trailer)) return content;
  throw new AppError('INPUT_MALFORMED', 'a block of the file is damaged', {
    hint: 'The file was damaged before it was stored: store it anew from a good copy.',
  });
}
