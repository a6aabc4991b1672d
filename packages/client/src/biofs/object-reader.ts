/**
 * Reading a sealed object from one vault or several that are not trusted: every segment is compared
 * with the list that the owner has signed, and opened, before a byte of it is handed out.
 *
 * Invariants
 * E1  What one vault gets wrong another one is asked for; a segment that was verified is not fetched
 *     again.
 * E2  A piece is given up after a bounded number of tries without a verified segment.
 */
import { AppError } from '@helixmesh/protocol';
import {
  bodyBytesOf,
  bodyRange,
  type Crypto,
  ENCRYPTED_SEGMENT_BYTES,
  inPieces,
  joinBytes,
  type Manifest,
  openSegment,
  type Range,
  SEGMENT_OVERHEAD_BYTES,
  segmentTag,
  tagAt,
  verifyTags,
} from '@helixmesh/protocol/sealing';
import type { KeyOf } from './object-keys.ts';
import { makePlaces, type Places, type PlacesOptions } from './places.ts';
import type { OpenBody } from './vault-port.ts';
import { watched } from './watched.ts';

export interface ObjectSource extends PlacesOptions {
  readonly crypto: Crypto;
  /** Its signature has been verified. */
  readonly manifest: Manifest;
  readonly keyOf: KeyOf;
}

export interface VerifiedSegment {
  readonly index: number;
  readonly plaintext: Uint8Array;
}

export interface SegmentReader {
  readonly crypto: Crypto;
  readonly manifest: Manifest;
  readonly keyOf: KeyOf;
  readonly signal: AbortSignal;
  /** Those segments in order, each verified. Throws what the last try has thrown. */
  segments(range: Range): AsyncGenerator<VerifiedSegment>;
  close(): Promise<void>;
}

export interface ObjectReader extends SegmentReader {
  /** Nonce and tag of every segment, 28 bytes each, verified. */
  readonly tags: Uint8Array;
}

/**
 * Opens an object at the first vault that gives the right list of its segments. Throws
 * ACCESS_REFUSED, CIPHERTEXT_INVALID, and what the connections throw.
 */
export async function openObject(source: ObjectSource): Promise<ObjectReader> {
  const places = makePlaces(source);
  const tags = await places
    .use((body) => verifiedTags(source, body))
    .catch(async (error) => {
      await places.close();
      throw error;
    });
  return { ...readerOf(source, places, tags), tags };
}

/**
 * As `openObject`, for vaults that compare every byte with the CID of the body that the owner has signed
 * before they give it: no list of segments is fetched, and no vault is asked before the first read.
 */
export function openComparedObject(source: ObjectSource): SegmentReader {
  return readerOf(source, makePlaces(source), null);
}

function readerOf(source: ObjectSource, places: Places, tags: Uint8Array | null): SegmentReader {
  const { crypto, manifest, keyOf, signal } = source;
  return {
    crypto,
    manifest,
    keyOf,
    signal,
    async *segments(range) {
      let next = range.start;
      let tries = 0;
      while (next < range.end) {
        const place = places.current();
        try {
          const rest = { start: next, end: range.end };
          for await (const segment of verifiedSegments(source, tags, await place.body, rest)) {
            next += 1;
            tries = 0;
            yield segment;
          }
        } catch (error) {
          tries += 1;
          await places.recover(place, error, tries);
        }
      }
    },
    close: places.close,
  };
}

async function verifiedTags(source: ObjectSource, body: OpenBody): Promise<Uint8Array> {
  const { crypto, manifest, signal } = source;
  const expected = manifest.segments.count * SEGMENT_OVERHEAD_BYTES;
  const parts: Uint8Array[] = [];
  let bytes = 0;
  for await (const part of watched((both) => body.tags(both), signal)) {
    bytes += part.length;
    if (bytes > expected) break;
    parts.push(part);
  }
  return verifyTags(crypto, manifest, joinBytes(parts));
}

async function* verifiedSegments(
  { crypto, manifest, keyOf, signal }: ObjectSource,
  tags: Uint8Array | null,
  body: OpenBody,
  range: Range,
): AsyncGenerator<VerifiedSegment> {
  const bodyBytes = bodyBytesOf(manifest.plaintextBytes);
  const wanted = bodyRange(range, bodyBytes);
  const bytes = watched((both) => body.read(wanted, both), signal);
  let index = range.start;
  for await (const segment of inPieces(bytes, ENCRYPTED_SEGMENT_BYTES)) {
    const expected = bodyBytes - index * ENCRYPTED_SEGMENT_BYTES;
    const isWhole = segment.length === Math.min(ENCRYPTED_SEGMENT_BYTES, expected);
    if (index >= range.end || !isWhole) throw notOfObject(index, 'length');
    const isGenuine = tags === null || isSame(segmentTag(segment), tagAt(tags, index));
    if (!isGenuine) throw notOfObject(index, 'tag');
    const key = keyOf(index);
    const plaintext = key && openSegment(crypto, key, segment);
    if (plaintext === undefined) throw notOpened(index);
    yield { index, plaintext };
    index += 1;
  }
  if (index < range.end) throw notOfObject(index, 'truncated');
}

/** Neither is a secret: both came from the vault. */
function isSame(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && a.every((byte, i) => byte === b[i]);
}

function notOfObject(segment: number, why: string): AppError {
  return new AppError('CIPHERTEXT_INVALID', `segment ${segment} is not the one that was signed`, {
    hint: 'Read from another vault, and report this one to its operator.',
    details: { segment, why },
  });
}

function notOpened(segment: number): AppError {
  return new AppError('KEY_NOT_HELD', `no key at hand opens segment ${segment}`, {
    hint: 'Ask the owner for a grant to this region; if you have one, read from another vault.',
    details: { segment },
  });
}
