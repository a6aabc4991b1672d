/**
 * Whole bodies as streams, and random reads. Memory is a few segments, whatever the size of the
 * body.
 */
import { joinBytes } from '../bytes.ts';
import type { Crypto } from '../crypto/port.ts';
import { AppError } from '../errors.ts';
import { CRYPT4GH_TRIAL_KEYS_MAX, READ_SEGMENTS_MAX } from '../limits.ts';
import { type ByteSource, inPieces, takeFrom } from '../streams.ts';
import { keptRanges } from './edit-list.ts';
import { walkHeader } from './header.ts';
import {
  bodyRange,
  ENCRYPTED_SEGMENT_BYTES,
  openSegment,
  plaintextBytesOf,
  type Range,
  SEGMENT_BYTES,
  SEGMENT_OVERHEAD_BYTES,
  sealSegment,
  segmentsOfBytes,
  truncated,
} from './segments.ts';

/** Opens the segment with that index in the object; undefined when no key at hand does. */
export type SegmentOpener = (segment: Uint8Array, index: number) => Uint8Array | undefined;

/** The data key of the segment with that index. */
export type SegmentKey = (index: number) => Uint8Array;

/** The body of a plaintext: one encrypted segment at a time. */
export async function* encryptBody(
  crypto: Crypto,
  source: ByteSource,
  keyOf: SegmentKey,
): AsyncGenerator<Uint8Array> {
  let index = 0;
  for await (const plaintext of inPieces(source, SEGMENT_BYTES)) {
    yield sealSegment(crypto, keyOf(index), plaintext);
    index += 1;
  }
}

export interface DecryptOptions {
  readonly open: SegmentOpener;
  readonly editList?: readonly number[];
  /** Index in the object of the first segment of the source; 0 unless said. */
  readonly firstSegment?: number;
}

/**
 * The plaintext of a body, segment by segment; with an edit list what it keeps, and segments of
 * which it keeps nothing are not opened. Throws CIPHERTEXT_INVALID for a segment that no key opens,
 * INPUT_TRUNCATED for a body that ends within one. A body that ends between two segments goes
 * unnoticed here: `objects/` knows how many there are.
 */
export async function* decryptBody(
  source: ByteSource,
  options: DecryptOptions,
): AsyncGenerator<Uint8Array> {
  const first = options.firstSegment ?? 0;
  const kept = keptRanges(options.editList ?? []);
  let range = 0;
  let at = 0;
  for await (const segment of inPieces(source, ENCRYPTED_SEGMENT_BYTES)) {
    if (segment.length <= SEGMENT_OVERHEAD_BYTES) throw truncated(segment.length);
    const end = at + segment.length - SEGMENT_OVERHEAD_BYTES;
    let plaintext: Uint8Array | undefined;
    for (;;) {
      const wanted = kept[range];
      if (wanted === undefined) return;
      if (wanted.start < end) {
        plaintext ??= opened(options.open, segment, first + Math.floor(at / SEGMENT_BYTES));
        yield plaintext.subarray(Math.max(wanted.start - at, 0), wanted.end - at);
      }
      if (wanted.end > end) break;
      range += 1;
    }
    at = end;
  }
}

/** A body that can be read anywhere. */
export interface BodyReader {
  /** Size of the whole body. */
  readonly bodyBytes: number;
  /** The bytes of the body at `range`; as many as were asked for. */
  read(range: Range): Promise<Uint8Array>;
}

/**
 * The bytes `range` of the plaintext, read segment-wise, at most 1 MiB at once. Throws USAGE for a
 * range beyond the end, and as `decryptBody`.
 */
export async function* readPlaintext(
  body: BodyReader,
  open: SegmentOpener,
  range: Range,
): AsyncGenerator<Uint8Array> {
  const total = plaintextBytesOf(body.bodyBytes);
  if (range.start < 0 || range.end < range.start || range.end > total) {
    throw new AppError('USAGE', `no bytes ${range.start} to ${range.end} of ${total}`, {
      hint: 'Ask for a range within the file.',
    });
  }
  const segments = segmentsOfBytes(range);
  for (let index = segments.start; index < segments.end; index += READ_SEGMENTS_MAX) {
    const end = Math.min(index + READ_SEGMENTS_MAX, segments.end);
    const part = bodyRange({ start: index, end }, body.bodyBytes);
    const bytes = await body.read(part);
    if (bytes.length !== part.end - part.start) throw truncated(bytes.length);
    for (let i = index; i < end; i += 1) {
      const at = (i - index) * ENCRYPTED_SEGMENT_BYTES;
      const plaintext = opened(open, bytes.subarray(at, at + ENCRYPTED_SEGMENT_BYTES), i);
      const offset = i * SEGMENT_BYTES;
      yield plaintext.subarray(Math.max(range.start - offset, 0), range.end - offset);
    }
  }
}

/**
 * Tries the keys of a header, the one that opened the last segment first and its successor next.
 * Throws USAGE for so many keys that a forged segment would cost seconds.
 */
export function openWithAny(crypto: Crypto, dataKeys: readonly Uint8Array[]): SegmentOpener {
  if (dataKeys.length > CRYPT4GH_TRIAL_KEYS_MAX) {
    throw new AppError('USAGE', `${dataKeys.length} data keys and no word which one is right`, {
      hint: 'Open the object by its manifest, which says where each key belongs.',
    });
  }
  let last = 0;
  return (segment) => {
    for (let i = 0; i < dataKeys.length; i += 1) {
      const at = (last + i) % dataKeys.length;
      const key = dataKeys[at];
      const plaintext = key && openSegment(crypto, key, segment);
      if (plaintext === undefined) continue;
      last = at;
      return plaintext;
    }
    return undefined;
  };
}

/**
 * A file with its header before the body, taken apart. Throws INPUT_TRUNCATED where it ends within
 * the header, and as `openHeader` for what is no header.
 */
export async function takeHeader(
  source: ByteSource,
): Promise<{ readonly header: Uint8Array; readonly body: ByteSource }> {
  const taker = takeFrom(source);
  const walk = walkHeader();
  const parts: Uint8Array[] = [];
  let step = walk.next();
  while (step.done !== true) {
    const part = await taker.take(step.value);
    if (part === undefined) {
      throw new AppError('INPUT_TRUNCATED', 'the file ends within its Crypt4GH header', {
        hint: 'Fetch the encrypted file again: its end is missing.',
      });
    }
    parts.push(part);
    step = walk.next(part);
  }
  return { header: joinBytes(parts), body: taker.rest() };
}

function opened(open: SegmentOpener, segment: Uint8Array, index: number): Uint8Array {
  const plaintext = open(segment, index);
  if (plaintext !== undefined) return plaintext;
  throw new AppError('CIPHERTEXT_INVALID', `no key at hand opens segment ${index}`, {
    hint: 'Check that the grant covers this region, and fetch the data again from another vault.',
    details: { segment: index },
  });
}
