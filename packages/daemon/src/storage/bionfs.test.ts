/** What BioNFS serves, over TLS and files. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { nodeCrypto } from '@helixmesh/protocol/node';
import { documentId, encodeDocument, verifyTags } from '@helixmesh/protocol/sealing';
import {
  network,
  owner,
  sealedObject,
  stranger,
  tombstoneOf,
} from '@helixmesh/vault/testing/sealed-object';
import { allOf, bytesOf, grantTo, isError, put, startVault, wire } from './testing/bench.ts';

const object = await sealedObject(3_000_000);
const size = object.body.length;

test('what an owner puts is listed, and read whole and in ranges as it was put', async () => {
  const vault = await startVault();
  const mine = await vault.login(owner);
  assert.equal(await put(mine, object), object.id);
  assert.equal(await put(mine, object), object.id);
  const [facts, ...others] = await allOf(mine.list({}));
  assert.deepEqual(others, []);
  assert.equal(facts?.objectId, object.id);
  assert.equal(facts?.bodyBytes, BigInt(size));
  assert.deepEqual(await mine.stat({ objectId: object.id }), facts);

  const opened = await mine.open({ objectId: object.id });
  assert.deepEqual(opened.manifest, encodeDocument(object.signed));
  assert.equal(opened.leaseMs, 60_000);
  const { stateId } = opened;
  assert.deepEqual(await bytesOf(mine.read({ stateId, range: wire(0, size) })), object.body);
  const middle = await bytesOf(mine.read({ stateId, range: wire(1_000_000, 1_100_000) }));
  assert.deepEqual(middle, object.body.subarray(1_000_000, 1_100_000));
  const tags = await bytesOf(mine.readTags({ stateId }));
  assert.deepEqual(verifyTags(nodeCrypto, object.signed.document, tags), object.tags);
});

test('objects and heads outlive a restart of the vault', async () => {
  const before = await startVault();
  await put(await before.login(owner), object);
  const custodian = await before.custodian();
  const head = await custodian.head({ number: 7, previous: object.id });
  assert.equal((await custodian.bionfs.pushHead(custodian.update(head))).number, 7n);
  await before.stop();
  const again = await startVault({ folder: before.folder });
  const mine = await again.login(owner);
  const { stateId } = await mine.open({ objectId: object.id });
  assert.deepEqual(await bytesOf(mine.read({ stateId, range: wire(0, size) })), object.body);
  const old = await custodian.head({ number: 6, previous: object.id });
  const session = await again.login(owner, ['custody']);
  assert.equal((await session.pushHead(custodian.update(old))).number, 7n, 'a later one is known');
});

test('a grantee reads with a grant while the custodian attests the head', async () => {
  const vault = await startVault();
  await put(await vault.login(owner), object);
  const custodian = await vault.custodian();
  await custodian.bionfs.pushHead(custodian.update(await custodian.head()));
  const theirs = await vault.login(stranger);
  const grants = [encodeDocument(await grantTo(stranger, object))];
  const { stateId, ranges, leaseMs } = await theirs.open({ objectId: object.id, grants });
  assert.deepEqual(
    ranges.map(({ start, end }) => [start, end]),
    [[0n, BigInt(size)]],
  );
  assert.equal(leaseMs, 60_000);
  assert.deepEqual(await bytesOf(theirs.read({ stateId, range: wire(0, size) })), object.body);
});

test('anybody may ask who answers, and nothing else', async () => {
  const vault = await startVault();
  const nobody = vault.nobody();
  const answer = await nobody.discover({});
  assert.deepEqual(
    [answer.nodeId, answer.network, answer.roles, answer.zone],
    [vault.identity.nodeId, network, ['storage'], 'EU'],
  );
  const objectId = object.id;
  await assert.rejects(nobody.stat({ objectId }), isError('UNAUTHENTICATED'));
  await assert.rejects(nobody.open({ objectId }), isError('UNAUTHENTICATED'));
  await assert.rejects(put(nobody, object), isError('UNAUTHENTICATED'));
  const scopes = await vault.login(owner, ['list']);
  await assert.rejects(scopes.open({ objectId }), isError('ACCESS_REFUSED', /scope/));
  await assert.rejects(put(scopes, object), isError('ACCESS_REFUSED', /scope/));
  const tombstone = encodeDocument(await tombstoneOf(object));
  await assert.rejects(scopes.remove({ objectId, tombstone }), isError('ACCESS_REFUSED', /scope/));
});

test('the custodian learns by the number what a vault lacks', async () => {
  const vault = await startVault();
  const custodian = await vault.custodian();
  const head = await custodian.head();
  const { attestation, ...rest } = custodian.update(head);
  assert.equal((await custodian.bionfs.pushHead({ attestation })).number, 0n);
  assert.equal((await custodian.bionfs.pushHead({ attestation, ...rest })).number, 1n);
  const previous = documentId(nodeCrypto, head.document);
  const next = await custodian.head({ number: 2, previous });
  const later = custodian.update(next);
  assert.equal((await custodian.bionfs.pushHead({ attestation: later.attestation })).number, 1n);
  await custodian.bionfs.pushHead(later);
  const behind = await custodian.bionfs.pushHead({ attestation });
  assert.equal(behind.number, 2n);
  assert.deepEqual(Buffer.from(behind.head), Buffer.from(encodeDocument(next)));
});

test('an object is removed on the word of its owner alone, whoever brings it', async () => {
  const vault = await startVault();
  const mine = await vault.login(owner);
  await put(mine, object);
  const objectId = object.id;
  const said = encodeDocument(await tombstoneOf(object));
  const gone = isError('OBJECT_NOT_FOUND');
  const theirs = await vault.login(stranger);
  const own = encodeDocument(await tombstoneOf(object, stranger));
  await assert.rejects(theirs.remove({ objectId, tombstone: own }), gone, 'of another owner');
  await assert.rejects(theirs.remove({ objectId, tombstone: said }), gone, "another's session");
  const { bionfs: node } = await vault.custodian();
  await assert.rejects(node.remove({ objectId, tombstone: own }), gone);
  const named = encodeDocument(await tombstoneOf(object, owner, { network: object.id }));
  await assert.rejects(node.remove({ objectId, tombstone: named }), gone, 'of another network');
  const other = { id: network };
  const elsewhere = encodeDocument(await tombstoneOf(other));
  await assert.rejects(node.remove({ objectId, tombstone: elsewhere }), gone, 'of another object');
  const none = isError('INPUT_MALFORMED');
  for (const bionfs of [mine, node]) await assert.rejects(bionfs.remove({ objectId }), none);
  assert.equal((await mine.stat({ objectId })).objectId, objectId);
  await node.remove({ objectId, tombstone: said });
  await assert.rejects(mine.stat({ objectId }), gone);
});

test('a removed object is gone for all and does not come back', async () => {
  const vault = await startVault();
  const mine = await vault.login(owner);
  await put(mine, object);
  const { stateId } = await mine.open({ objectId: object.id });
  const removal = { objectId: object.id, tombstone: encodeDocument(await tombstoneOf(object)) };
  await mine.remove(removal);
  const gone = isError('OBJECT_NOT_FOUND');
  await assert.rejects(bytesOf(mine.read({ stateId, range: wire(0, size) })), gone);
  await assert.rejects(mine.renew({ stateId }), gone);
  await assert.rejects(mine.open({ objectId: object.id }), gone);
  await assert.rejects(mine.remove(removal), gone);
  await assert.rejects(put(mine, object), isError('OBJECT_REMOVED'));
});
