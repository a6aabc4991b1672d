/**
 * Reading a sealed object from those who are not trusted: each segment is checked against the
 * owner's manifest before it is opened, and opened before a byte of it is handed out.
 *
 * Invariants
 * V1  A segment is taken for the one at its index only: other places, other objects and other
 *     lengths are refused.
 * V2  A body that ends early or goes on is refused, at the latest when it ends.
 */
import { decryptBody, type SegmentOpener } from '../crypt4gh/body.ts';
import {
  bodyBytesOf,
  ENCRYPTED_SEGMENT_BYTES,
  SEGMENT_OVERHEAD_BYTES,
} from '../crypt4gh/segments.ts';
import type { Crypto } from '../crypto/port.ts';
import { AppError } from '../errors.ts';
import { type ByteSource, inPieces } from '../streams.ts';
import type { Manifest } from './manifest.ts';
import { buildSegmentTree, isOnTree, segmentTag, tagAt } from './merkle.ts';

/** What reading needs of a manifest whose signature has been verified. */
export type ObjectFacts = Pick<Manifest, 'network' | 'plaintextBytes' | 'segments'>;

export interface FetchedSegment {
  readonly index: number;
  readonly segment: Uint8Array;
  /** Hashes of 32 bytes, lowest first. */
  readonly path: Uint8Array;
}

/**
 * The plaintext of one segment, verified by its path and its tag. Throws CIPHERTEXT_INVALID when it
 * is not the segment of that object, KEY_NOT_HELD when it is and no key at hand opens it.
 */
export function openVerified(
  crypto: Crypto,
  facts: ObjectFacts,
  open: SegmentOpener,
  { index, segment, path }: FetchedSegment,
): Uint8Array {
  const tag = checkedTag(facts, index, segment);
  if (!isOnTree(crypto, facts.network, facts.segments, { index, tag, path })) {
    throw notOfObject(index, 'path');
  }
  return openedGenuine(open, segment, index);
}

/**
 * The nonces and tags of all segments, 28 bytes each, once they are known to be the object's. With
 * them a whole body is checked segment by segment, without paths. Throws CIPHERTEXT_INVALID.
 */
export function verifyTags(crypto: Crypto, facts: ObjectFacts, tags: Uint8Array): Uint8Array {
  const { count, root } = facts.segments;
  if (tags.length !== count * SEGMENT_OVERHEAD_BYTES) throw notOfObject(undefined, 'count');
  const tree = buildSegmentTree(crypto);
  for (let index = 0; index < count; index += 1) tree.append(tagAt(tags, index));
  if (tree.root(facts.network).root !== root) throw notOfObject(undefined, 'root');
  return tags;
}

/**
 * The plaintext of a whole body. With `tags` (from `verifyTags`) each segment is known to be genuine
 * when it is handed out; without, only after the last one, and nothing may be relied on before the
 * end. Throws CIPHERTEXT_INVALID, INPUT_TRUNCATED or KEY_NOT_HELD.
 */
export async function* decryptObject(
  crypto: Crypto,
  facts: ObjectFacts,
  source: ByteSource,
  keys: { readonly open: SegmentOpener; readonly tags?: Uint8Array },
): AsyncGenerator<Uint8Array> {
  yield* decryptBody(checkedBody(crypto, facts, source, keys.tags), {
    open: (segment, index) => openedGenuine(keys.open, segment, index),
  });
}

/** The encrypted body as it came, checked as `decryptObject` does: for vaults and replicas. */
export async function* checkedBody(
  crypto: Crypto,
  facts: ObjectFacts,
  source: ByteSource,
  tags?: Uint8Array,
): AsyncGenerator<Uint8Array> {
  const tree = buildSegmentTree(crypto);
  let index = 0;
  for await (const segment of inPieces(source, ENCRYPTED_SEGMENT_BYTES)) {
    const tag = checkedTag(facts, index, segment);
    if (tags !== undefined && !isSame(tag, tagAt(tags, index))) throw notOfObject(index, 'tag');
    tree.append(tag);
    index += 1;
    // The last segment is held back until the whole is known to be the object.
    if (index === facts.segments.count) checkRoot(tree.root(facts.network).root, facts);
    yield segment;
  }
  if (index !== facts.segments.count) throw notOfObject(index, 'truncated');
  if (index === 0) checkRoot(tree.root(facts.network).root, facts);
}

function checkRoot(root: string, facts: ObjectFacts): void {
  if (root !== facts.segments.root) throw notOfObject(undefined, 'root');
}

/** Nonce and tag of a segment of the length that one at that index has. */
function checkedTag(facts: ObjectFacts, index: number, segment: Uint8Array): Uint8Array {
  const start = index * ENCRYPTED_SEGMENT_BYTES;
  const left = bodyBytesOf(facts.plaintextBytes) - start;
  const isPlace = Number.isSafeInteger(index) && index >= 0 && left > 0;
  if (!isPlace) throw notOfObject(index, 'index');
  if (segment.length !== Math.min(ENCRYPTED_SEGMENT_BYTES, left)) {
    throw notOfObject(index, 'length');
  }
  return segmentTag(segment);
}

function openedGenuine(open: SegmentOpener, segment: Uint8Array, index: number): Uint8Array {
  const plaintext = open(segment, index);
  if (plaintext !== undefined) return plaintext;
  throw new AppError('KEY_NOT_HELD', `no key at hand opens segment ${index}`, {
    hint: 'Ask the owner of the data for a grant to this region; if you have one, fetch the data from another vault.',
    details: { segment: index },
  });
}

function isSame(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && a.every((byte, i) => byte === b[i]);
}

function notOfObject(segment: number | undefined, why: string): AppError {
  const which = segment === undefined ? 'the body' : `segment ${segment}`;
  return new AppError('CIPHERTEXT_INVALID', `${which} is not the one that the owner signed`, {
    hint: 'Fetch it from another vault, and report this one to its operator.',
    details: { why, ...(segment === undefined ? {} : { segment }) },
  });
}
