/**
 * The Merkle tree over the segments of a body: the shape of RFC 6962 §2.1 (an odd node is carried
 * up, never doubled) with SHA-256 and domain tags in place of its 0x00 and 0x01.
 *
 *   leaf  = H(LP('helixmesh/segment-leaf/v1', nonce ‖ tag of the segment, 28 bytes))
 *   node  = H(LP('helixmesh/segment-node/v1', left, right))
 *   empty = H(LP('helixmesh/segment-empty/v1'))
 *   root  = H(LP('helixmesh/segment-root/v1', network, number of leaves u64 big-endian, top node))
 *
 * Invariants
 * M1  A path is accepted for one index, one number of leaves and one network only.
 * M2  Truncated, extended and reordered bodies have other roots.
 *
 * What it does not do: the leaf holds 28 bytes of a segment, not its ciphertext. Who does not know
 * the data key cannot make another ciphertext with the same nonce and tag; who knows it can
 * (Poly1305 is no hash). Against grantees, the body's CID is the commitment.
 */
import { concatBytes, u64be } from '../bytes.ts';
import { SEGMENT_OVERHEAD_BYTES } from '../crypt4gh/segments.ts';
import { AEAD_NONCE_BYTES, AEAD_TAG_BYTES, type Crypto } from '../crypto/port.ts';
import { digestBytes, digestOf } from '../digest.ts';
import type { Digest } from '../ids.ts';
import { lengthPrefixed } from '../length-prefix.ts';

const LEAF_TAG = 'helixmesh/segment-leaf/v1';
const NODE_TAG = 'helixmesh/segment-node/v1';
const EMPTY_TAG = 'helixmesh/segment-empty/v1';
const ROOT_TAG = 'helixmesh/segment-root/v1';
const HASH_BYTES = 32;

/** Nonce and tag of an encrypted segment: 28 bytes. */
export function segmentTag(segment: Uint8Array): Uint8Array {
  return concatBytes(segment.subarray(0, AEAD_NONCE_BYTES), segment.subarray(-AEAD_TAG_BYTES));
}

export function segmentLeaf(crypto: Crypto, tag: Uint8Array): Uint8Array {
  return crypto.sha256(lengthPrefixed(LEAF_TAG, tag));
}

/** What a manifest states of the tree. */
export interface SegmentsRoot {
  readonly count: number;
  readonly root: Digest;
}

/** Builds the tree while segments go by; memory is one hash for each level. */
export interface SegmentTreeBuilder {
  /** The next segment, by its nonce and tag. */
  append(tag: Uint8Array): void;
  root(network: Digest): SegmentsRoot;
}

export function buildSegmentTree(crypto: Crypto): SegmentTreeBuilder {
  /** Complete subtrees, large to small: the one at place i holds 2^level leaves. */
  const peaks: { level: number; hash: Uint8Array }[] = [];
  let count = 0;
  return {
    append(tag) {
      let peak = { level: 0, hash: segmentLeaf(crypto, tag) };
      for (let left = peaks.at(-1); left?.level === peak.level; left = peaks.at(-1)) {
        peak = { level: peak.level + 1, hash: nodeHash(crypto, left.hash, peak.hash) };
        peaks.pop();
      }
      peaks.push(peak);
      count += 1;
    },
    root(network) {
      const hashes = peaks.map(({ hash }) => hash);
      const top =
        hashes.length === 0
          ? crypto.sha256(lengthPrefixed(EMPTY_TAG))
          : hashes.reduceRight((right, left) => nodeHash(crypto, left, right));
      return { count, root: rootOf(crypto, { network, count, top }) };
    },
  };
}

/** A tree with all of its nodes: 64 bytes a segment. */
export interface SegmentTree {
  readonly count: number;
  root(network: Digest): SegmentsRoot;
  /** The hashes beside the way from segment `index` up, lowest first. */
  path(index: number): Uint8Array;
}

/** The tree over `tags`, 28 bytes a segment, one after the other. */
export function segmentTree(crypto: Crypto, tags: Uint8Array): SegmentTree {
  const count = Math.floor(tags.length / SEGMENT_OVERHEAD_BYTES);
  let level = new Uint8Array(count * HASH_BYTES);
  for (let i = 0; i < count; i += 1) {
    level.set(segmentLeaf(crypto, tagAt(tags, i)), i * HASH_BYTES);
  }
  const levels = [level];
  while (level.length > HASH_BYTES) {
    level = parentsOf(crypto, level);
    levels.push(level);
  }
  const top = count === 0 ? crypto.sha256(lengthPrefixed(EMPTY_TAG)) : level;
  return {
    count,
    root: (network) => ({ count, root: rootOf(crypto, { network, count, top }) }),
    path(index) {
      let at = index;
      const beside = levels.slice(0, -1).map((hashes) => {
        const sibling = at % 2 === 0 ? at + 1 : at - 1;
        at = Math.floor(at / 2);
        return hashAt(hashes, sibling);
      });
      return concatBytes(...beside);
    },
  };
}

/** The 28 bytes of segment `index` in a list of them. */
export function tagAt(tags: Uint8Array, index: number): Uint8Array {
  return tags.subarray(index * SEGMENT_OVERHEAD_BYTES, (index + 1) * SEGMENT_OVERHEAD_BYTES);
}

export interface SegmentPath {
  readonly index: number;
  /** Nonce and tag, 28 bytes. */
  readonly tag: Uint8Array;
  /** Hashes of 32 bytes, lowest first. */
  readonly path: Uint8Array;
}

/** True when the path leads from that segment to the root (RFC 9162 §2.1.3.2). */
export function isOnTree(
  crypto: Crypto,
  network: Digest,
  tree: SegmentsRoot,
  { index, tag, path }: SegmentPath,
): boolean {
  if (!Number.isSafeInteger(index) || index < 0 || index >= tree.count) return false;
  if (tag.length !== SEGMENT_OVERHEAD_BYTES || path.length % HASH_BYTES !== 0) return false;
  let at = index;
  let last = tree.count - 1;
  let top = segmentLeaf(crypto, tag);
  for (let i = 0; i < path.length; i += HASH_BYTES) {
    if (last === 0) return false;
    const beside = path.subarray(i, i + HASH_BYTES);
    if (at % 2 === 1 || at === last) {
      top = nodeHash(crypto, beside, top);
      // An odd node is carried up to the level where it has a left neighbour.
      while (at % 2 === 0 && at !== 0) {
        at /= 2;
        last = Math.floor(last / 2);
      }
    } else {
      top = nodeHash(crypto, top, beside);
    }
    at = Math.floor(at / 2);
    last = Math.floor(last / 2);
  }
  return last === 0 && rootOf(crypto, { network, count: tree.count, top }) === tree.root;
}

function parentsOf(crypto: Crypto, level: Uint8Array): Uint8Array<ArrayBuffer> {
  const pairs = Math.ceil(level.length / (2 * HASH_BYTES));
  const parents = new Uint8Array(pairs * HASH_BYTES);
  for (let i = 0; i < pairs; i += 1) {
    const left = hashAt(level, 2 * i);
    const right = hashAt(level, 2 * i + 1);
    const parent = right.length === 0 ? left : nodeHash(crypto, left, right);
    parents.set(parent, i * HASH_BYTES);
  }
  return parents;
}

/** Empty where the level has no such hash. */
function hashAt(level: Uint8Array, index: number): Uint8Array {
  return level.subarray(index * HASH_BYTES, (index + 1) * HASH_BYTES);
}

function nodeHash(crypto: Crypto, left: Uint8Array, right: Uint8Array): Uint8Array {
  return crypto.sha256(lengthPrefixed(NODE_TAG, left, right));
}

interface Top {
  readonly network: Digest;
  readonly count: number;
  readonly top: Uint8Array;
}

function rootOf(crypto: Crypto, { network, count, top }: Top): Digest {
  return digestOf(crypto, ROOT_TAG, digestBytes(network), u64be(count), top);
}
