import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Digest } from '@helixmesh/protocol';
import { nodeCrypto } from '@helixmesh/protocol/node';
import { type ByteSource, concatBytes, verifyTags } from '@helixmesh/protocol/sealing';
import { collect, flipped, inChunks, isAppError } from '@helixmesh/protocol/testing/bytes';
import * as fc from 'fast-check';
import type { Cid } from '../blocks/cid.ts';
import { BLOCK_BYTES_MAX, PUTS_MAX } from '../limits.ts';
import { someBytes } from '../testing/bytes.ts';
import {
  memoryVault,
  owner,
  sealedObject,
  stranger,
  type TestObject,
  tombstoneOf,
} from '../testing/sealed-object.ts';
import { collectGarbage } from '../upkeep/collect.ts';
import { openCatalogue } from './catalogue.ts';
import { decodeRecord } from './record.ts';

const small = await sealedObject(200_000);
const large = await sealedObject(2_500_000);

function put({ catalogue }: Awaited<ReturnType<typeof memoryVault>>, object: TestObject) {
  return catalogue.put(object.signed, inChunks(object.body, 50_000));
}

test('an object is read as it was put, also by who opens the catalogue later', async () => {
  const vault = await memoryVault();
  const empty = await sealedObject(0);
  for (const object of [small, large, empty]) {
    assert.deepEqual(await put(vault, object), { status: 'stored', id: object.id });
    for (const catalogue of [vault.catalogue, await openCatalogue(vault.options)]) {
      const opened = await catalogue.open(object.id);
      assert.ok(opened !== undefined);
      const whole = { start: 0, end: object.body.length };
      assert.deepEqual(await collect(opened.read(whole)), object.body);
      const tags = await collect(opened.tags());
      assert.deepEqual(verifyTags(nodeCrypto, opened.signed.document, tags), object.tags);
      assert.deepEqual(opened.signed, object.signed);
      assert.equal(catalogue.stat(object.id)?.bodyBytes, object.body.length);
    }
  }
  assert.equal(vault.catalogue.list().length, 3);
  assert.equal(vault.catalogue.list(owner.address).length, 3);
  assert.deepEqual(vault.catalogue.list(stranger.address), []);
});

test('a ranged read gives its bytes from the leaves that hold them, and reads no others', async () => {
  const vault = await memoryVault();
  await put(vault, large);
  const leavesRead: Cid[] = [];
  const blocks = {
    ...vault.blocks,
    read(cid: Cid, range: { start: number; end: number }) {
      leavesRead.push(cid);
      return vault.blocks.read(cid, range);
    },
  };
  const counted = await openCatalogue({ ...vault.options, blocks });
  const opened = await counted.open(large.id);
  const size = large.body.length;
  await fc.assert(
    fc.asyncProperty(fc.nat(size), fc.nat(size), async (a, b) => {
      const [start, end] = [Math.min(a, b), Math.max(a, b)];
      leavesRead.length = 0;
      const bytes = await collect(opened?.read({ start, end }) as ByteSource);
      assert.ok(Buffer.from(bytes).equals(large.body.subarray(start, end)));
      const first = Math.floor(start / BLOCK_BYTES_MAX);
      const leaves = start === end ? 0 : Math.ceil(end / BLOCK_BYTES_MAX) - first;
      assert.equal(leavesRead.length, leaves);
    }),
    { numRuns: 6 },
  );
  for (const [start, end] of [
    [-1, 2],
    [3, 2],
    [0, size + 1],
    [0.5, 2],
  ] as const) {
    assert.throws(() => opened?.read({ start, end }), isAppError('USAGE'));
  }
});

test('a body that is not the one of its manifest is refused and never seen', async () => {
  const { body } = small;
  const bodies: Record<string, Uint8Array> = {
    truncated: body.subarray(0, -1),
    'without a segment': body.subarray(65_564),
    longer: concatBytes(body, Uint8Array.of(0)),
    empty: new Uint8Array(0),
    'another object': (await sealedObject(200_000)).body,
    // The tree does not see ciphertext, the CID does.
    'another ciphertext': flipped(body, 5_000),
    'another nonce': flipped(body, 3),
    'another tag': flipped(body, body.length - 1),
  };
  for (const [what, wrong] of Object.entries(bodies)) {
    const vault = await memoryVault();
    const attempt = vault.catalogue.put(small.signed, inChunks(wrong, 50_000));
    await assert.rejects(attempt, isAppError('CIPHERTEXT_INVALID'), what);
    assert.deepEqual([vault.catalogue.list(), vault.kept.size], [[], 0], what);
    assert.equal(await vault.catalogue.open(small.id), undefined, what);
    assert.equal(vault.catalogue.used(owner.address).objects, 0, what);
    assert.deepEqual(await put(vault, small), { status: 'stored', id: small.id }, what);
  }
});

test('a put that breaks off, at any place, shows nothing and can be done again', async () => {
  const vault = await memoryVault();
  for (const bytes of [0, 60_000, 150_000, 200_000]) {
    async function* broken() {
      yield* inChunks(small.body.subarray(0, bytes), 10_000);
      throw new Error('the peer is gone');
    }
    await assert.rejects(vault.catalogue.put(small.signed, broken()), /peer is gone/);
    assert.deepEqual([vault.catalogue.list(), vault.kept.size], [[], 0]);
  }
  assert.equal((await put(vault, small)).status, 'stored');
  const unread: ByteSource = {
    [Symbol.asyncIterator]: () => assert.fail('the body of a known object was read'),
  };
  const again = await vault.catalogue.put(small.signed, unread);
  assert.deepEqual(again, { status: 'known', id: small.id });
  assert.deepEqual(vault.catalogue.used(owner.address), { bytes: small.body.length, objects: 1 });
});

test('a manifest of another network, or that its owner has not signed, is refused', async () => {
  const vault = await memoryVault();
  const other = { network: `sha256:${'8'.repeat(64)}` as Digest };
  const elsewhere = await sealedObject(1_000, other);
  const forged = { ...small, signed: { ...small.signed, signature: elsewhere.signed.signature } };
  const stolen = await sealedObject(1_000, { owner: owner.address }, stranger);
  const expected = [
    [elsewhere, 'network'],
    [forged, 'signature'],
    [stolen, 'signature'],
  ] as const;
  for (const [object, reason] of expected) {
    assert.deepEqual(await put(vault, object), { status: 'refused', reason });
  }
  assert.equal(vault.held.size, 0);
});

test('quotas hold for each owner, with what comes in, and nothing beyond them is kept', async () => {
  const bytes = small.body.length + 2_000;
  const quotas: Record<string, { bytes: number; objects: number }> = {
    [owner.address]: { bytes, objects: 2 },
  };
  const vault = await memoryVault({ quotaOf: (of) => quotas[of] });
  const tiny = await sealedObject(500);
  const more = await sealedObject(600);
  const foreign = await sealedObject(500, {}, stranger);
  const refused = (reason: string) => ({ status: 'refused', reason });
  assert.deepEqual(await put(vault, large), refused('bytes'));
  assert.deepEqual(await put(vault, foreign), refused('not_admitted'));
  assert.equal(vault.held.size, 0);
  const both = await Promise.all([put(vault, small), put(vault, await sealedObject(200_000))]);
  assert.deepEqual(
    both.map(({ status }) => status),
    ['stored', 'refused'],
  );
  assert.equal((await put(vault, tiny)).status, 'stored');
  assert.deepEqual(await put(vault, more), refused('objects'));
  assert.equal(await vault.catalogue.delete(await tombstoneOf(tiny)), 'deleted');
  assert.equal((await put(vault, more)).status, 'stored');
  const used = { bytes: small.body.length + more.body.length, objects: 2 };
  assert.deepEqual(vault.catalogue.used(owner.address), used);
  assert.deepEqual((await openCatalogue(vault.options)).used(owner.address), used);
});

test('what is left of bodies that failed counts until it is swept, and once for who goes on', async () => {
  const quota = { bytes: large.body.length + 500_000, objects: 10 };
  const vault = await memoryVault({ quotaOf: () => quota });
  const { catalogue, clock, blocks } = vault;
  const other = await sealedObject(1_000_000);
  const kept = Math.floor(large.body.length / 2 ** 20) * 2 ** 20;
  async function* broken(from: number, bytes = large.body) {
    yield* inChunks(bytes.subarray(from, kept + 70_000), 70_000);
    assert.fail('gone');
  }
  const usedBytes = () => catalogue.used(owner.address).bytes;
  const refused = { status: 'refused', reason: 'bytes' };
  await assert.rejects(catalogue.put(large.signed, broken(0)), /gone/);
  assert.equal(usedBytes(), kept);
  assert.deepEqual(await put(vault, other), refused);
  assert.equal(catalogue.forecast(large.signed).status, 'ready', 'it can be gone on with');
  assert.deepEqual(await put(vault, large), refused, 'but not begun anew');
  await assert.rejects(catalogue.put(large.signed, broken(kept), kept), /gone/);
  assert.equal(usedBytes(), kept);
  const lie = flipped(large.body, large.body.length - 1).subarray(kept);
  const lying = catalogue.put(large.signed, inChunks(lie, 70_000), kept);
  await assert.rejects(lying, isAppError('CIPHERTEXT_INVALID'));
  assert.equal(usedBytes(), kept);
  assert.deepEqual(await put(vault, other), refused);
  clock.nowMs += 1_000;
  await collectGarbage({ catalogue, blocks, now: () => clock.nowMs, graceMs: 500 });
  assert.deepEqual([usedBytes(), vault.held.size], [0, 0]);
  assert.equal((await put(vault, large)).status, 'stored');
  assert.equal(usedBytes(), large.body.length);
});

test('only its owner deletes an object, and a deleted one does not come back', async () => {
  const vault = await memoryVault();
  await put(vault, small);
  const { catalogue } = vault;
  const lies = [
    await tombstoneOf(small, stranger),
    // Signed by another one in the owner's name, for another network, and for another object.
    { ...(await tombstoneOf(small)), signature: (await tombstoneOf(small, stranger)).signature },
    await tombstoneOf(small, owner, { network: small.id }),
    { ...(await tombstoneOf(large)), document: (await tombstoneOf(small)).document },
  ];
  for (const lie of lies) assert.equal(await catalogue.delete(lie), 'not_owner');
  assert.equal(await catalogue.delete(await tombstoneOf(large)), 'absent');
  assert.ok(await catalogue.open(small.id));
  const tombstone = await tombstoneOf(small);
  assert.equal(await catalogue.delete(tombstone), 'deleted');
  const kept = await vault.options.records.read(small.id);
  const record = decodeRecord(nodeCrypto, small.id, kept ?? assert.fail());
  assert.deepEqual(record.signed, tombstone, 'what the owner has signed stays');
  for (const each of [catalogue, await openCatalogue(vault.options)]) {
    assert.equal(await each.open(small.id), undefined);
    assert.deepEqual([each.stat(small.id), each.list()], [undefined, []]);
    assert.equal(await each.delete(tombstone), 'absent');
    const again = await each.put(small.signed, inChunks(small.body, 50_000));
    assert.deepEqual(again, { status: 'refused', reason: 'deleted' });
  }
});

test('one body of an object comes in at a time, and only so many at all', async () => {
  const vault = await memoryVault();
  const gate = Promise.withResolvers<void>();
  async function* slow(object: TestObject) {
    await gate.promise;
    yield object.body;
  }
  const objects = await Promise.all(
    Array.from({ length: PUTS_MAX + 1 }, (_, i) => sealedObject(10, { issuedAtMs: i })),
  );
  const first = objects
    .slice(0, PUTS_MAX)
    .map((each) => vault.catalogue.put(each.signed, slow(each)));
  const twice = await put(vault, objects[0] as TestObject);
  assert.deepEqual(twice, { status: 'refused', reason: 'in_progress' });
  const last = objects[PUTS_MAX] as TestObject;
  assert.deepEqual(await put(vault, last), { status: 'refused', reason: 'busy' });
  gate.resolve();
  assert.ok((await Promise.all(first)).every(({ status }) => status === 'stored'));
  assert.equal((await put(vault, last)).status, 'stored');
});

test('what was damaged in the vault is an error for the reader, never other bytes', async () => {
  const vault = await memoryVault();
  await put(vault, large);
  const opened = await vault.catalogue.open(large.id);
  const whole = { start: 0, end: large.body.length };
  for (const [cid, { block, putAtMs }] of [...vault.held]) {
    if (block.length === large.tags.length) continue;
    for (const change of ['flip', 'drop']) {
      if (change === 'drop') vault.held.delete(cid);
      else vault.held.set(cid, { block: flipped(block, 9), putAtMs });
      const read = collect(opened?.read(whole) as ByteSource);
      await assert.rejects(read, isAppError('CIPHERTEXT_INVALID'));
    }
    vault.held.set(cid, { block, putAtMs });
  }
  assert.equal((await collect(opened?.read(whole) as ByteSource)).length, whole.end);
  vault.kept.set(large.id, someBytes(10));
  await assert.rejects(vault.catalogue.open(large.id), isAppError('INPUT_MALFORMED'));
  const later = await openCatalogue(vault.options);
  assert.deepEqual([later.damaged, later.list()], [[large.id], []]);
  // Putting it again heals the record.
  await later.put(large.signed, inChunks(large.body, 50_000));
  assert.deepEqual([later.damaged, later.list().length], [[], 1]);
});

test('what a put would answer is known before its body is read', async () => {
  const vault = await memoryVault({ quotaOf: () => ({ bytes: 500_000, objects: 9 }) });
  const { catalogue } = vault;
  const { id } = small;
  assert.deepEqual(catalogue.forecast(small.signed), { status: 'ready', id });
  const reason = 'bytes';
  assert.deepEqual(catalogue.forecast(large.signed), { status: 'refused', reason });
  assert.deepEqual(catalogue.used(owner.address), { bytes: 0, objects: 0 });
  await put(vault, small);
  assert.deepEqual(catalogue.forecast(small.signed), { status: 'known', id });
  await catalogue.delete(await tombstoneOf(small));
  assert.deepEqual(catalogue.forecast(small.signed), { status: 'refused', reason: 'deleted' });
});
