import assert from 'node:assert/strict';
import { mkdtempSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import type { Digest } from '@helixmesh/protocol';
import { nodeCrypto } from '@helixmesh/protocol/node';
import {
  formatNodeAddress,
  INVITATION_TYPE,
  makeX25519KeyPair,
  openHeader,
  toHex,
} from '@helixmesh/protocol/sealing';
import {
  network,
  START_MS,
  sealedDataset,
  signedCustodian,
  signedGrant,
  signedHead,
  signedTombstone,
  vault,
  walletNamed,
} from '../testing/sealed-dataset.ts';
import { temporaryFolder } from '../testing/temporary-folder.ts';
import { openCustody } from './custody.ts';

const root = temporaryFolder('backup');
const owner = walletNamed('owner');
const me = makeX25519KeyPair(nodeCrypto);
const PASSPHRASE = 'correct horse battery staple';

function newCustody(ofNetwork: Digest = network) {
  const folder = mkdtempSync(join(root, 'data-'));
  return openCustody({ folder, crypto: nodeCrypto, network: ofNetwork, now: () => START_MS });
}

/** A custody with one of everything; the second dataset is shredded. */
async function filled() {
  const custody = await newCustody();
  const dataset = await sealedDataset(owner, custody.publicKey);
  const gone = await sealedDataset(owner, custody.publicKey);
  custody.addDataset(dataset);
  custody.markStored(dataset.id);
  custody.addDataset(gone);
  custody.addTombstone(await signedTombstone(owner, gone.id));
  custody.shred(gone.id);
  const grant = await signedGrant(owner, { dataset: dataset.id });
  custody.addGrant({ grant: grant.signed, byteRanges: null });
  const first = await signedHead(owner, {});
  const second = await signedHead(owner, { number: 2, previous: first.id, revoked: [grant.id] });
  custody.addHead(first.signed);
  custody.addHead(second.signed);
  custody.setCustodian(await signedCustodian(owner, {}));
  custody.addInvitation({
    type: INVITATION_TYPE,
    grant: grant.signed,
    manifest: dataset.manifest,
    custodian: await signedCustodian(owner, {}),
    vaults: [formatNodeAddress(vault)],
  });
  const policy = {
    terms: { pipelines: null, commercialUse: false, zones: ['EU'] },
    isPaused: false,
  };
  custody.setPolicy(owner.address, policy);
  return { custody, dataset, gone, grant, first, second, policy };
}

test('all that cannot be had again comes back on another machine, sealed to its key', async () => {
  const { custody, dataset, gone, second, policy } = await filled();
  const bytes = await custody.backup(PASSPHRASE);
  const other = await newCustody();
  assert.notDeepEqual(other.publicKey, custody.publicKey);
  const restored = await other.restore(bytes, PASSPHRASE);
  assert.deepEqual(restored, { datasets: 2, grants: 1, invitations: 1 });
  const { header } = other.openOwn(dataset.id, me.publicKey);
  assert.deepEqual(openHeader(nodeCrypto, header, me).dataKeys, dataset.keys);
  assert.deepEqual(other.listDatasets(), custody.listDatasets());
  assert.equal(other.getDataset(gone.id)?.state, 'shredded');
  assert.equal(other.listRemovals().length, gone.vaults.length, 'vaults are told all the same');
  assert.deepEqual(other.listGrants(), custody.listGrants());
  assert.deepEqual(other.listInvitations(), custody.listInvitations());
  assert.equal(other.currentHead(owner.address)?.id, second.id);
  assert.deepEqual(other.custodianOf(owner.address), custody.custodianOf(owner.address));
  assert.deepEqual(other.policyOf(owner.address), policy);
  assert.deepEqual(other.listVaults(), [vault]);
  const again = await other.restore(bytes, PASSPHRASE);
  assert.deepEqual(again, { datasets: 0, grants: 0, invitations: 0 });
  custody.close();
  other.close();
});

test('a backup shows nothing, and opens with its passphrase alone', async () => {
  const { custody, dataset } = await filled();
  const bytes = await custody.backup(PASSPHRASE);
  const text = Buffer.from(bytes).toString('latin1');
  for (const secret of [owner.address, dataset.id, toHex(dataset.keys[0] ?? assert.fail())]) {
    assert.ok(!text.includes(secret));
  }
  await assert.rejects(custody.restore(bytes, `${PASSPHRASE} `), { code: 'KEY_NOT_HELD' });
  for (const at of [30, 50, 60, bytes.length - 1]) {
    const changed = bytes.slice();
    changed[at] = (changed[at] ?? 0) ^ 1;
    await assert.rejects(custody.restore(changed, PASSPHRASE), { code: 'KEY_NOT_HELD' });
  }
  const cut = bytes.subarray(0, bytes.length - 1);
  await assert.rejects(custody.restore(cut, PASSPHRASE), { code: 'KEY_NOT_HELD' });
  const none = new Uint8Array(200);
  await assert.rejects(custody.restore(none, PASSPHRASE), { code: 'INPUT_WRONG_FORMAT' });
  await assert.rejects(custody.backup('short'), { code: 'USAGE' });
  custody.close();
});

test('a backup of another network adds nothing', async () => {
  const { custody } = await filled();
  const bytes = await custody.backup(PASSPHRASE);
  const other = await newCustody(`sha256:${'4'.repeat(64)}` as Digest);
  await assert.rejects(other.restore(bytes, PASSPHRASE), { code: 'INPUT_MALFORMED' });
  assert.deepEqual(other.listDatasets(), []);
  custody.close();
  other.close();
});

test('an older backup brings back neither a shredded dataset nor an older head or policy', async () => {
  const { custody, dataset, second } = await filled();
  const bytes = await custody.backup(PASSPHRASE);
  const third = await signedHead(owner, {
    number: 3,
    previous: second.id,
    revoked: second.signed.document.revoked,
  });
  custody.addHead(third.signed);
  custody.shred(dataset.id);
  const policy = { terms: { pipelines: null, commercialUse: false, zones: null }, isPaused: true };
  custody.setPolicy(owner.address, policy);
  await custody.restore(bytes, PASSPHRASE);
  assert.equal(custody.getDataset(dataset.id)?.state, 'shredded');
  assert.equal(custody.currentHead(owner.address)?.id, third.id);
  assert.deepEqual(custody.policyOf(owner.address), policy);
  custody.close();
});

test('a tombstone in a backup destroys no keys that are here', async () => {
  const { custody, gone } = await filled();
  const bytes = await custody.backup(PASSPHRASE);
  const other = await newCustody();
  const keys = { header: gone.header, partHeader: gone.partHeader };
  assert.throws(() => other.addDataset({ ...gone, ...keys }), { code: 'KEY_NOT_HELD' });
  const alive = await sealedDataset(owner, other.publicKey);
  other.addDataset(alive);
  await other.restore(bytes, PASSPHRASE);
  assert.equal(other.getDataset(alive.id)?.state, 'pending');
  assert.ok(other.openOwn(alive.id, me.publicKey).header.length > 0);
  custody.close();
  other.close();
});

test('two histories of heads: the keys come back, and nothing is released before the next head', async () => {
  const { custody, dataset } = await filled();
  const bytes = await custody.backup(PASSPHRASE);
  const other = await newCustody();
  const first = await signedHead(owner, { revoked: [`sha256:${'5'.repeat(64)}` as Digest] });
  other.addHead(first.signed);
  await other.restore(bytes, PASSPHRASE);
  assert.equal(other.currentHead(owner.address)?.id, first.id);
  assert.equal(other.currentHead(owner.address)?.seenNumber, 2);
  assert.equal(other.getDataset(dataset.id)?.state, 'stored');
  custody.close();
  other.close();
});
