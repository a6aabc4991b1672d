/** Bodies that are not what their owner signed, and objects that may not come in. Over TLS. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { nodeCrypto } from '@helixmesh/protocol/node';
import {
  concatBytes,
  encodeDocument,
  ENCRYPTED_SEGMENT_BYTES as SEGMENT,
} from '@helixmesh/protocol/sealing';
import { flipped } from '@helixmesh/protocol/testing/bytes';
import { owner, sealedObject, stranger, tombstoneOf } from '@helixmesh/vault/testing/sealed-object';
import {
  allOf,
  type Bench,
  type Caller,
  inPieces,
  isError,
  messagesOf,
  put,
  startVault,
} from './testing/bench.ts';

const object = await sealedObject(20 * 65_536);
const { body } = object;
const segmentAt = (index: number) => body.subarray(index * SEGMENT, (index + 1) * SEGMENT);

const NOT_THE_BODY = {
  'garbage of the right length': nodeCrypto.random(body.length),
  'a body that ends between two segments': body.subarray(0, -SEGMENT),
  'a body that ends within a segment': body.subarray(0, -100),
  'a body of no bytes': new Uint8Array(0),
  'a body that goes on': concatBytes(body, segmentAt(0)),
  'segments in another order': concatBytes(segmentAt(1), segmentAt(0), body.subarray(2 * SEGMENT)),
  'a flipped bit in a tag': flipped(body, 5 * SEGMENT - 1),
  'a flipped bit in a nonce': flipped(body, 5 * SEGMENT),
  // Nonces and tags are genuine: the CID alone tells.
  'a flipped bit in the ciphertext': flipped(body, 5 * SEGMENT + 1_000),
};

for (const [what, bytes] of Object.entries(NOT_THE_BODY)) {
  test(`${what} under the manifest of another body is refused, and nothing of it is seen`, async () => {
    const vault = await startVault();
    const mine = await vault.login(owner);
    await assert.rejects(put(mine, object, inPieces(bytes)), isError('CIPHERTEXT_INVALID'));
    assert.deepEqual(await allOf(mine.list({})), []);
    await assert.rejects(mine.open({ objectId: object.id }), isError('OBJECT_NOT_FOUND'));
    // The genuine body may still come, on the same connection.
    assert.equal(await put(mine, object), object.id);
  });
}

test('an upload that breaks off leaves nothing, and can be made again', async () => {
  const vault = await startVault();
  const mine = await vault.login(owner);
  const { stateId } = await mine.openPut({ manifest: encodeDocument(object.signed) });
  const leaving = new AbortController();
  async function* brokenOff() {
    yield body.subarray(0, 300_000);
    leaving.abort();
    yield body.subarray(300_000, 400_000);
  }
  const { signal } = leaving;
  await assert.rejects(mine.write(messagesOf(stateId, brokenOff()), { signal }));
  assert.deepEqual(await allOf(mine.list({})), []);
  await untilPut(mine);
});

/** What broke off is noticed by the vault when the connection says so. */
async function untilPut(mine: Caller): Promise<void> {
  for (;;) {
    try {
      assert.equal(await put(mine, object), object.id);
      return;
    } catch (error) {
      isError('BUSY', /in already/)(error);
    }
  }
}

test('a state id of an upload is good once, for its own key', async () => {
  const vault = await startVault();
  const mine = await vault.login(owner);
  const other = await vault.login(owner);
  const { stateId } = await mine.openPut({ manifest: encodeDocument(object.signed) });
  const write = (caller: Caller) => caller.write(messagesOf(stateId, inPieces(body)));
  await assert.rejects(write(other), isError('LEASE_EXPIRED'));
  assert.equal((await write(mine)).objectId, object.id);
  await assert.rejects(write(mine), isError('LEASE_EXPIRED'));
});

test('an announced object has to come within a minute', async () => {
  const vault = await startVault();
  const mine = await vault.login(owner);
  const { stateId } = await mine.openPut({ manifest: encodeDocument(object.signed) });
  vault.clock.nowMs += 60_000;
  await assert.rejects(mine.write(messagesOf(stateId, inPieces(body))), isError('LEASE_EXPIRED'));
});

test('a body without a state id, or with one in its middle, is refused', async () => {
  const vault = await startVault();
  const mine = await vault.login(owner);
  const none = new Uint8Array(0);
  await assert.rejects(mine.write(messagesOf(none, inPieces(body))), isError('USAGE'));
  const { stateId } = await mine.openPut({ manifest: encodeDocument(object.signed) });
  async function* twice() {
    yield { stateId, data: body.subarray(0, 10) };
    yield { stateId, data: body.subarray(10) };
  }
  await assert.rejects(mine.write(twice()), isError('USAGE'));
  async function* huge() {
    yield { stateId: await announced(mine), data: new Uint8Array(0) };
    yield { data: new Uint8Array(2 ** 20 + 1) };
  }
  await assert.rejects(mine.write(huge()), isError('USAGE', /1048577 bytes/));
});

async function announced(mine: Caller): Promise<Uint8Array> {
  return (await mine.openPut({ manifest: encodeDocument(object.signed) })).stateId;
}

test('a grantee who holds the signed manifest cannot put, and learns nothing by trying', async () => {
  const vault = await startVault();
  const theirs = await vault.login(stranger);
  const refused = isError('ACCESS_REFUSED', /another owner/);
  await assert.rejects(put(theirs, object), refused);
  await put(await vault.login(owner), object);
  await assert.rejects(put(theirs, object), refused);
  const tombstone = encodeDocument(await tombstoneOf(object, stranger));
  const removing = theirs.remove({ objectId: object.id, tombstone });
  await assert.rejects(removing, isError('OBJECT_NOT_FOUND'));
  assert.deepEqual(await allOf(theirs.list({})), []);
  await assert.rejects(theirs.stat({ objectId: object.id }), isError('OBJECT_NOT_FOUND'));
});

test('a manifest that its owner has not signed is refused', async () => {
  const vault = await startVault();
  const forged = await sealedObject(1_000, { owner: owner.address }, stranger);
  await assert.rejects(
    put(await vault.login(owner), forged),
    isError('ACCESS_REFUSED', /not signed by its owner/),
  );
});

test('nothing is kept beyond a quota, for strangers, or where copies may not lie', async () => {
  const quotaOf = (who: string) =>
    who === owner.address ? { bytes: body.length - 1, objects: 5 } : undefined;
  const vault = await startVault({ quotaOf });
  const mine = await vault.login(owner);
  await assert.rejects(put(mine, object), isError('QUOTA_EXCEEDED', /larger/));
  const theirs = await sealedObject(1_000, {}, stranger);
  const refused = isError('QUOTA_EXCEEDED', /nothing for this account/);
  await assert.rejects(put(await vault.login(stranger), theirs), refused);
  const abroad = await sealedObject(1_000, { residency: ['MX', 'US'] });
  await assert.rejects(put(mine, abroad), isError('ACCESS_REFUSED', /copies lie/));
  const here = await sealedObject(1_000, { residency: ['EU'] });
  assert.equal(await put(mine, here), here.id);
  await assertNowhere(await startVault({ zone: undefined }), here);
});

async function assertNowhere(vault: Bench, here: typeof object): Promise<void> {
  const mine = await vault.login(owner);
  await assert.rejects(put(mine, here), isError('ACCESS_REFUSED', /copies lie/));
}
