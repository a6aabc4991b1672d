import assert from 'node:assert/strict';
import { test } from 'node:test';
import { concatBytes, toHex } from '../bytes.ts';
import { openWithAny } from '../crypt4gh/body.ts';
import { SEGMENT_BYTES, sealSegment } from '../crypt4gh/segments.ts';
import { nodeCrypto } from '../crypto/node-crypto.ts';
import { digestFrom } from '../digest.ts';
import { collect, flipped, inChunks, isAppError, knownBytes } from '../testing/bytes.ts';
import { forgeSegment } from '../testing/poly1305-forgery.ts';
import { sealedObject } from '../testing/sealed-object.ts';
import { segmentTag } from './merkle.ts';
import { checkedBody, decryptObject, openVerified, verifyTags } from './verified-read.ts';

const plaintext = knownBytes(4 * SEGMENT_BYTES + 123);
const object = await sealedObject(plaintext);
const { manifest, segments, tree, open, tags, body } = object;
const other = await sealedObject(plaintext);

function fetched(index: number) {
  return { index, segment: segments[index] as Uint8Array, path: tree.path(index) };
}

test('a random read gives the plaintext of each segment', () => {
  for (const index of segments.keys()) {
    assert.deepEqual(
      openVerified(nodeCrypto, manifest, open, fetched(index)),
      plaintext.slice(index * SEGMENT_BYTES, (index + 1) * SEGMENT_BYTES),
    );
  }
});

test('a flipped byte anywhere in a segment is noticed', () => {
  const last = fetched(4);
  for (let at = 0; at < last.segment.length; at += 1) {
    const changed = { ...last, segment: flipped(last.segment, at) };
    // Nonce and tag are on the tree; the ciphertext is what the tag is for.
    assert.throws(
      () => openVerified(nodeCrypto, manifest, open, changed),
      isAppError(at < 12 || at >= last.segment.length - 16 ? 'CIPHERTEXT_INVALID' : 'KEY_NOT_HELD'),
      `byte ${at}`,
    );
  }
});

test('a segment of another place, length or object is refused', () => {
  const refused = [
    { ...fetched(1), index: 2 },
    { ...fetched(1), path: tree.path(2) },
    { ...fetched(1), path: new Uint8Array(0) },
    { ...fetched(1), segment: fetched(4).segment },
    { ...fetched(4), segment: fetched(4).segment.subarray(0, -1) },
    { ...fetched(4), index: 5 },
    { ...fetched(1), index: -1 },
    { ...fetched(1), index: 1.5 },
    { ...fetched(1), segment: other.segments[1] as Uint8Array, path: other.tree.path(1) },
  ];
  for (const read of refused) {
    const attempt = () => openVerified(nodeCrypto, manifest, open, read);
    assert.throws(attempt, isAppError('CIPHERTEXT_INVALID'));
  }
  const elsewhere = { ...manifest, network: digestFrom(knownBytes(64).subarray(32)) };
  assert.throws(
    () => openVerified(nodeCrypto, elsewhere, open, fetched(1)),
    isAppError('CIPHERTEXT_INVALID'),
  );
  const stranger = openWithAny(nodeCrypto, [nodeCrypto.random(32)]);
  assert.throws(
    () => openVerified(nodeCrypto, manifest, stranger, fetched(1)),
    isAppError('KEY_NOT_HELD'),
  );
});

test('a whole body decrypts, with and without the list of its tags', async () => {
  const known = verifyTags(nodeCrypto, manifest, tags);
  for (const keys of [{ open }, { open, tags: known }]) {
    const source = inChunks(body, 50_000);
    assert.deepEqual(await collect(decryptObject(nodeCrypto, manifest, source, keys)), plaintext);
  }
  const empty = await sealedObject(new Uint8Array(0));
  const nothing = decryptObject(nodeCrypto, empty.manifest, inChunks(empty.body, 1), { open });
  assert.deepEqual(await collect(nothing), new Uint8Array(0));
  const lie = { ...empty.manifest, segments: { ...manifest.segments, count: 0 } };
  const refused = checkedBody(nodeCrypto, lie, inChunks(empty.body, 1));
  await assert.rejects(collect(refused), isAppError('CIPHERTEXT_INVALID'));
});

test('a truncated, extended, reordered or mixed body is refused, and nothing after the lie is given', async () => {
  const [s0, s1, s2, s3, s4] = segments as [
    Uint8Array,
    Uint8Array,
    Uint8Array,
    Uint8Array,
    Uint8Array,
  ];
  const own = sealSegment(nodeCrypto, object.key, plaintext.subarray(0, SEGMENT_BYTES));
  const lies: readonly (readonly [number, readonly Uint8Array[]])[] = [
    [4, [s0, s1, s2, s3]],
    [4, [s0, s1, s2, s3, s4.subarray(0, -1)]],
    [4, [s0, s1, s2, s3, s4, s4]],
    [1, [s0, s2, s1, s3, s4]],
    [0, [own, s1, s2, s3, s4]],
    [2, [s0, s1, s1, s3, s4]],
    [0, []],
    [3, [s0, s1, s2, other.segments[3] as Uint8Array, s4]],
  ];
  for (const [lie, parts] of lies) {
    const source = () => inChunks(concatBytes(...parts), 30_000);
    const untold = decryptObject(nodeCrypto, manifest, source(), { open });
    await assert.rejects(collect(untold), isAppError('CIPHERTEXT_INVALID', 'KEY_NOT_HELD'));
    await assert.rejects(
      collect(checkedBody(nodeCrypto, manifest, source())),
      isAppError('CIPHERTEXT_INVALID'),
    );
    let given = 0;
    const told = decryptObject(nodeCrypto, manifest, source(), { open, tags });
    await assert.rejects(async () => {
      for await (const piece of told) given += piece.length;
    }, isAppError('CIPHERTEXT_INVALID'));
    assert.equal(given, lie * SEGMENT_BYTES);
  }
});

test('a list of tags that is not the one of the object is refused', () => {
  const wrong = [flipped(tags, 5), tags.subarray(28), concatBytes(tags, tags), other.tags];
  for (const list of wrong) {
    const verify = () => verifyTags(nodeCrypto, manifest, list);
    assert.throws(verify, isAppError('CIPHERTEXT_INVALID'));
  }
});

test('who holds the data key can forge a segment: the limit that the module states', () => {
  const genuine = fetched(1);
  const lie = knownBytes(SEGMENT_BYTES).fill(0x41, 0, 1000);
  const forged = forgeSegment(nodeCrypto, object.key, genuine.segment, lie);
  assert.equal(toHex(segmentTag(forged)), toHex(segmentTag(genuine.segment)));
  const read = openVerified(nodeCrypto, manifest, open, { ...genuine, segment: forged });
  assert.deepEqual(read.subarray(0, 1000), new Uint8Array(1000).fill(0x41));
});
