/**
 * The body of a Crypt4GH file (GA4GH Crypt4GH 1.0 §3.4): plaintext cut into segments of 65,536
 * bytes, the last one shorter, each sealed by itself as nonce, ciphertext, tag.
 *
 * Invariants
 * S1  A nonce is random, and never chosen by the caller.
 * S2  A segment has at least one byte of plaintext; a plaintext of no bytes has no segments.
 * S3  Nothing of a segment is returned before its tag has matched.
 *
 * Left out: segments are not bound to their places. Dropped and reordered ones are found by the
 * object's Merkle tree (`objects/`), as Crypt4GH itself does not.
 */
import { AEAD_NONCE_BYTES, AEAD_TAG_BYTES, type Crypto } from '../crypto/port.ts';
import { AppError } from '../errors.ts';

/** Crypt4GH 1.0 §3.4.1. Another size and no other reader finds the second segment. */
export const SEGMENT_BYTES = 65_536;
/** Nonce before and tag behind each segment. */
export const SEGMENT_OVERHEAD_BYTES = AEAD_NONCE_BYTES + AEAD_TAG_BYTES;
export const ENCRYPTED_SEGMENT_BYTES = SEGMENT_BYTES + SEGMENT_OVERHEAD_BYTES;

/** Places in something counted from 0, half-open. */
export interface Range {
  readonly start: number;
  readonly end: number;
}

/** How many segments `plaintextBytes` bytes take. */
export function segmentCount(plaintextBytes: number): number {
  return Math.ceil(plaintextBytes / SEGMENT_BYTES);
}

/** Size of the body for a plaintext of that size. */
export function bodyBytesOf(plaintextBytes: number): number {
  return plaintextBytes + segmentCount(plaintextBytes) * SEGMENT_OVERHEAD_BYTES;
}

/** Size of the plaintext in a body of that size. Throws INPUT_TRUNCATED when no plaintext has such a body. */
export function plaintextBytesOf(bodyBytes: number): number {
  const segments = Math.ceil(bodyBytes / ENCRYPTED_SEGMENT_BYTES);
  const last = bodyBytes - (segments - 1) * ENCRYPTED_SEGMENT_BYTES;
  if (segments > 0 && last <= SEGMENT_OVERHEAD_BYTES) throw truncated(last);
  return bodyBytes - segments * SEGMENT_OVERHEAD_BYTES;
}

/** The segments that hold any of the bytes `range` of the plaintext. */
export function segmentsOfBytes(range: Range): Range {
  const start = Math.floor(range.start / SEGMENT_BYTES);
  return { start, end: range.end <= range.start ? start : segmentCount(range.end) };
}

/** Where segments lie in a body of `totalBytes` bytes. */
export function bodyRange(segments: Range, totalBytes: number): Range {
  return {
    start: Math.min(segments.start * ENCRYPTED_SEGMENT_BYTES, totalBytes),
    end: Math.min(segments.end * ENCRYPTED_SEGMENT_BYTES, totalBytes),
  };
}

/** One segment: `plaintext` of 1 to 65,536 bytes under `dataKey`. */
export function sealSegment(
  crypto: Crypto,
  dataKey: Uint8Array,
  plaintext: Uint8Array,
): Uint8Array {
  if (plaintext.length === 0 || plaintext.length > SEGMENT_BYTES) {
    throw new AppError('INTERNAL', `a segment of ${plaintext.length} bytes of plaintext`);
  }
  const segment = new Uint8Array(plaintext.length + SEGMENT_OVERHEAD_BYTES);
  const nonce = crypto.random(AEAD_NONCE_BYTES);
  segment.set(nonce);
  crypto.aeadSealInto(segment.subarray(AEAD_NONCE_BYTES), { key: dataKey, nonce, plaintext });
  return segment;
}

/** The plaintext of a segment; undefined when it was not sealed so with this key. */
export function openSegment(
  crypto: Crypto,
  dataKey: Uint8Array,
  segment: Uint8Array,
): Uint8Array | undefined {
  if (segment.length > ENCRYPTED_SEGMENT_BYTES) return undefined;
  if (segment.length <= SEGMENT_OVERHEAD_BYTES) return undefined;
  return crypto.aeadOpen({
    key: dataKey,
    nonce: segment.subarray(0, AEAD_NONCE_BYTES),
    sealed: segment.subarray(AEAD_NONCE_BYTES),
  });
}

export function truncated(lastBytes: number): AppError {
  return new AppError(
    'INPUT_TRUNCATED',
    `the last encrypted segment has ${lastBytes} bytes, expected more than ${SEGMENT_OVERHEAD_BYTES}`,
    { hint: 'Fetch the encrypted file again: its end is missing.' },
  );
}
