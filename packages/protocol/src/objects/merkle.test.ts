import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { test } from 'node:test';
import fc from 'fast-check';
import { concatBytes, fromHex, toHex } from '../bytes.ts';
import { nodeCrypto } from '../crypto/node-crypto.ts';
import { digestFrom } from '../digest.ts';
import type { Digest } from '../ids.ts';
import { flipped, knownBytes, vectorText } from '../testing/bytes.ts';
import { buildSegmentTree, isOnTree, segmentTree, tagAt } from './merkle.ts';

const network = digestFrom(knownBytes(32));
const tagsOf = (count: number) => knownBytes(28 * count);

/** RFC 6962 §2.1, word for word, with our tags. */
function topOf(tags: readonly Uint8Array[]): Buffer {
  const hash = (tag: string, ...fields: readonly Uint8Array[]) => {
    const hasher = createHash('sha256');
    for (const field of [Buffer.from(tag), ...fields]) {
      const length = Buffer.alloc(4);
      length.writeUInt32BE(field.length);
      hasher.update(length).update(field);
    }
    return hasher.digest();
  };
  if (tags.length === 0) return hash('helixmesh/segment-empty/v1');
  if (tags.length === 1) return hash('helixmesh/segment-leaf/v1', tags[0] as Uint8Array);
  let split = 1;
  while (split * 2 < tags.length) split *= 2;
  const [left, right] = [topOf(tags.slice(0, split)), topOf(tags.slice(split))];
  return hash('helixmesh/segment-node/v1', left, right);
}

function expectedRoot(count: number): Digest {
  const tags = Array.from({ length: count }, (_, i) => tagAt(tagsOf(count), i));
  const size = Buffer.alloc(8);
  size.writeBigUInt64BE(BigInt(count));
  const fields = ['helixmesh/segment-root/v1', knownBytes(32), size, topOf(tags)];
  const hasher = createHash('sha256');
  for (const field of fields.map((value) => Buffer.from(value as Uint8Array))) {
    const length = Buffer.alloc(4);
    length.writeUInt32BE(field.length);
    hasher.update(length).update(field);
  }
  return digestFrom(hasher.digest());
}

test('the tree has the shape of RFC 6962, built at once or as segments go by', () => {
  for (let count = 0; count <= 70; count += 1) {
    const tags = tagsOf(count);
    const builder = buildSegmentTree(nodeCrypto);
    for (let i = 0; i < count; i += 1) builder.append(tagAt(tags, i));
    assert.deepEqual(builder.root(network), { count, root: expectedRoot(count) });
    assert.deepEqual(segmentTree(nodeCrypto, tags).root(network), builder.root(network));
  }
});

test('each path leads to the root, from its own segment and index only', () => {
  for (const count of [1, 2, 3, 7, 8, 9, 21, 64, 65]) {
    const tags = tagsOf(count);
    const tree = segmentTree(nodeCrypto, tags);
    const root = tree.root(network);
    for (let index = 0; index < count; index += 1) {
      const proof = { index, tag: tagAt(tags, index), path: tree.path(index) };
      assert.ok(isOnTree(nodeCrypto, network, root, proof), `${index} of ${count}`);
      for (let other = 0; other < count + 2; other += 1) {
        if (other === index) continue;
        assert.ok(!isOnTree(nodeCrypto, network, root, { ...proof, index: other }));
      }
    }
  }
});

test('no path is accepted when anything about it differs', () => {
  const tags = tagsOf(21);
  const tree = segmentTree(nodeCrypto, tags);
  const root = tree.root(network);
  const proof = { index: 20, tag: tagAt(tags, 20), path: tree.path(20) };
  const isRefused = (change: object, facts = root, where = network) =>
    assert.ok(!isOnTree(nodeCrypto, where, facts, { ...proof, ...change }));
  for (let at = 0; at < 28; at += 1) isRefused({ tag: flipped(proof.tag, at) });
  for (let at = 0; at < proof.path.length; at += 1) isRefused({ path: flipped(proof.path, at) });
  isRefused({ path: proof.path.subarray(32) });
  isRefused({ path: proof.path.subarray(0, -32) });
  isRefused({ path: proof.path.subarray(0, -1) });
  isRefused({ path: concatBytes(proof.path, new Uint8Array(32)) });
  isRefused({ tag: proof.tag.subarray(1) });
  isRefused({ index: -1 });
  isRefused({ index: 20.5 });
  isRefused({ index: Number.NaN });
  isRefused({}, { ...root, count: 20 });
  isRefused({}, { ...root, count: 22 });
  isRefused({}, root, digestFrom(knownBytes(64).subarray(32)));
});

test('paths of another number of leaves are not accepted', () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 300 }), fc.nat(299), fc.nat(400), (count, i, claimed) => {
      fc.pre(i < count && claimed !== count);
      const tags = tagsOf(count);
      const tree = segmentTree(nodeCrypto, tags);
      const proof = { index: i, tag: tagAt(tags, i), path: tree.path(i) };
      const { root } = tree.root(network);
      assert.ok(!isOnTree(nodeCrypto, network, { count: claimed, root }, proof));
    }),
    { numRuns: 60 },
  );
});

interface MerkleVectors {
  readonly network: Digest;
  readonly roots: readonly { readonly tags: readonly string[]; readonly root: Digest }[];
  readonly paths: readonly {
    readonly count: number;
    readonly root: Digest;
    readonly index: number;
    readonly tag: string;
    readonly path: readonly string[];
    readonly isValid: boolean;
    readonly why: string;
  }[];
}

test('the vectors of another implementation hold', () => {
  const vectors = JSON.parse(vectorText('merkle.json')) as MerkleVectors;
  assert.ok(vectors.roots.length >= 8 && vectors.paths.some((path) => !path.isValid));
  for (const { tags, root } of vectors.roots) {
    const bytes = fromHex(tags.join(''), { what: 'tags', bytes: 28 * tags.length });
    assert.equal(segmentTree(nodeCrypto, bytes).root(vectors.network).root, root);
  }
  for (const { count, root, index, tag, path, isValid, why } of vectors.paths) {
    const proof = {
      index,
      tag: fromHex(tag, { what: 'a tag', bytes: tag.length / 2 }),
      path: fromHex(path.join(''), { what: 'a path', bytes: path.join('').length / 2 }),
    };
    assert.equal(isOnTree(nodeCrypto, vectors.network, { count, root }, proof), isValid, why);
  }
  assert.equal(toHex(tagAt(tagsOf(1), 0)), vectors.roots[1]?.tags[0]);
});
