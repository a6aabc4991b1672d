import assert from 'node:assert/strict';
import {
  chmodSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { test } from 'node:test';
import { nodeCrypto } from '@helixmesh/protocol/node';
import {
  concatBytes,
  encodeDocument,
  formatNodeAddress,
  INVITATION_TYPE,
  makeX25519KeyPair,
  openHeader,
  openPart,
  sealHeader,
  toHex,
} from '@helixmesh/protocol/sealing';
import {
  network,
  START_MS,
  sealedDataset,
  signedCustodian,
  signedGrant,
  signedHead,
  vault,
  walletNamed,
} from '../testing/sealed-dataset.ts';
import { temporaryFolder } from '../testing/temporary-folder.ts';
import { openCustody } from './custody.ts';

const root = temporaryFolder('custody');
const newFolder = () => mkdtempSync(join(root, 'data-'));
const owner = walletNamed('owner');
const me = makeX25519KeyPair(nodeCrypto);

async function custodyIn(folder = newFolder()) {
  const clock = { nowMs: START_MS };
  const options = { folder, crypto: nodeCrypto, network, now: () => clock.nowMs };
  const custody = await openCustody(options);
  return { custody, folder, clock, again: () => openCustody(options) };
}

test('a dataset is kept with its keys, and opens for the owner only by the keys of its manifest', async () => {
  const { custody, again } = await custodyIn();
  const dataset = await sealedDataset(owner, custody.publicKey);
  assert.equal(custody.addDataset(dataset), dataset.id);
  assert.equal(custody.addDataset(dataset), dataset.id, 'adding it again does nothing more');
  custody.close();

  const later = await again();
  assert.deepEqual(later.listDatasets(), [
    {
      id: dataset.id,
      manifest: dataset.manifest,
      state: 'pending',
      vaults: [vault],
      addedAtMs: START_MS,
      storedAtMs: null,
      shreddedAtMs: null,
    },
  ]);
  assert.deepEqual(later.listVaults(), [vault]);
  const { header, partHeader } = later.openOwn(dataset.id, me.publicKey);
  assert.deepEqual(openHeader(nodeCrypto, header, me).dataKeys, dataset.keys);
  const [partKey = new Uint8Array()] = openHeader(nodeCrypto, partHeader, me).dataKeys;
  const object = { network, segments: dataset.manifest.document.segments };
  const { sealedPart } = dataset.manifest.document;
  assert.deepEqual(openPart(nodeCrypto, partKey, sealedPart, object), dataset.part);
  later.close();
});

test('a dataset is stored once a vault has confirmed it', async () => {
  const { custody, clock } = await custodyIn();
  const dataset = await sealedDataset(owner, custody.publicKey);
  assert.throws(() => custody.markStored(dataset.id), { code: 'NOT_FOUND' });
  custody.addDataset(dataset);
  clock.nowMs += 5;
  const second = { ...vault, port: 7409 };
  custody.markStored(dataset.id, second);
  clock.nowMs += 5;
  custody.markStored(dataset.id);
  const { state, storedAtMs, vaults } = custody.getDataset(dataset.id) ?? assert.fail();
  assert.deepEqual({ state, storedAtMs }, { state: 'stored', storedAtMs: START_MS + 5 });
  assert.deepEqual(vaults, [vault, second]);
  custody.close();
});

test('keys that are not those of the manifest are refused before they are relied on', async () => {
  const { custody } = await custodyIn();
  const { publicKey } = custody;
  const dataset = await sealedDataset(owner, publicKey);
  const other = await sealedDataset(owner, me.publicKey);
  const two = { dataKeys: [nodeCrypto.random(32), nodeCrypto.random(32)] };
  const edited = { dataKeys: dataset.keys, editList: [0, 1] };
  const wrong: readonly (readonly [object, string])[] = [
    [{ header: other.header }, 'KEY_NOT_HELD'],
    [{ header: sealHeader(nodeCrypto, two, [publicKey]) }, 'INPUT_MALFORMED'],
    [{ header: sealHeader(nodeCrypto, edited, [publicKey]) }, 'INPUT_MALFORMED'],
    [{ partHeader: dataset.header }, 'KEY_NOT_HELD'],
    [{ partHeader: sealHeader(nodeCrypto, two, [publicKey]) }, 'INPUT_MALFORMED'],
    [{ manifest: { ...dataset.manifest, signature: other.manifest.signature } }, 'INPUT_MALFORMED'],
  ];
  for (const [changes, code] of wrong) {
    assert.throws(() => custody.addDataset({ ...dataset, ...changes }), { code });
  }
  assert.deepEqual(custody.listDatasets(), []);
  custody.close();
});

test('only the account of the folder may read store and key, and the store alone holds no key', async () => {
  const { custody, folder, again } = await custodyIn();
  const dataset = await sealedDataset(owner, custody.publicKey);
  custody.addDataset(dataset);
  const store = join(folder, 'custody');
  for (const name of readdirSync(store)) {
    assert.equal(statSync(join(store, name)).mode & 0o077, 0, name);
  }
  assert.equal(statSync(join(folder, 'identity', 'encryption.key')).mode & 0o077, 0);
  const bytes = bytesOf(store);
  const [key = new Uint8Array()] = dataset.keys;
  assert.ok(has(bytes, dataset.header), 'the header is there');
  for (const secret of [key, dataset.partKey, Buffer.from(dataset.part.fileName)]) {
    assert.ok(!has(bytes, secret) && !bytes.includes(toHex(secret)));
  }
  custody.close();
  chmodSync(join(folder, 'identity', 'encryption.key'), 0o640);
  await assert.rejects(again(), { code: 'CONFIG_INVALID' });
});

test('shredding takes the keys out of the files and leaves a tombstone for good', async () => {
  const { custody, folder, again } = await custodyIn();
  const sealed = await sealedDataset(owner, custody.publicKey);
  // Long enough to lie on pages of its own, which SQLite gives back as they are unless told.
  const others = Array.from({ length: 60 }, () => makeX25519KeyPair(nodeCrypto).publicKey);
  const readers = [custody.publicKey, ...others];
  const header = sealHeader(nodeCrypto, { dataKeys: sealed.keys }, readers);
  const dataset = { ...sealed, header };
  const kept = await sealedDataset(owner, custody.publicKey);
  custody.addDataset(dataset);
  custody.addDataset(kept);
  custody.shred(dataset.id);
  custody.shred(dataset.id);
  const files = bytesOf(join(folder, 'custody'));
  for (const gone of [dataset.header, dataset.partHeader]) {
    // Not even a packet of it: what overwrites a row may leave its end.
    for (let at = 16; at + 32 <= gone.length; at += 32) {
      assert.ok(!has(files, gone.subarray(at, at + 32)));
    }
  }
  assert.throws(() => custody.openOwn(dataset.id, me.publicKey), { code: 'KEY_NOT_HELD' });
  assert.throws(() => custody.addDataset(dataset), { code: 'CONFLICT' });
  assert.throws(() => custody.markStored(dataset.id), { code: 'CONFLICT' });
  custody.close();
  const later = await again();
  assert.equal(later.getDataset(dataset.id)?.state, 'shredded');
  assert.equal(later.getDataset(dataset.id)?.shreddedAtMs, START_MS);
  assert.deepEqual(
    openHeader(nodeCrypto, later.openOwn(kept.id, me.publicKey).header, me).dataKeys,
    kept.keys,
  );
  later.close();
});

test('a grant is kept once, with the bytes that its regions are', async () => {
  const { custody } = await custodyIn();
  const plain = await sealedDataset(owner, custody.publicKey);
  const grouped = await sealedDataset(owner, custody.publicKey, { hasGroups: true });
  const whole = await signedGrant(owner, { dataset: plain.id });
  assert.throws(() => custody.addGrant({ grant: whole.signed, byteRanges: null }), {
    code: 'NOT_FOUND',
  });
  custody.addDataset(plain);
  custody.addDataset(grouped);
  custody.addGrant({ grant: whole.signed, byteRanges: null });
  custody.addGrant({ grant: whole.signed, byteRanges: null });
  const regions = [{ refName: 'chr1', start: 0, end: 10 }];
  const part = await signedGrant(owner, { dataset: grouped.id, regions });
  custody.addGrant({ grant: part.signed, byteRanges: [{ start: 1, end: 3 }] });
  assert.deepEqual(
    custody
      .listGrants()
      .map(({ id, byteRanges }) => ({ id, byteRanges }))
      .sort((a) => (a.byteRanges ? 1 : -1)),
    [
      { id: whole.id, byteRanges: null },
      { id: part.id, byteRanges: [{ start: 1, end: 3 }] },
    ],
  );
  assert.equal(custody.listGrants(plain.id).length, 1);

  const stranger = await signedGrant(walletNamed('stranger'), { dataset: plain.id });
  const oneKey = await signedGrant(owner, { dataset: plain.id, regions });
  const wrong = [
    [{ grant: stranger.signed, byteRanges: null }, 'INPUT_MALFORMED'],
    [{ grant: part.signed, byteRanges: null }, 'USAGE'],
    [{ grant: part.signed, byteRanges: [] }, 'USAGE'],
    [{ grant: part.signed, byteRanges: [{ start: 0, end: 5 }] }, 'USAGE'],
    [{ grant: whole.signed, byteRanges: [{ start: 0, end: 1 }] }, 'USAGE'],
    [{ grant: oneKey.signed, byteRanges: [{ start: 0, end: 1 }] }, 'USAGE'],
  ] as const;
  for (const [grant, code] of wrong) assert.throws(() => custody.addGrant(grant), { code });
  custody.close();
});

test('an invitation is kept when one owner has signed all of it', async () => {
  const { custody } = await custodyIn();
  const dataset = await sealedDataset(owner, me.publicKey);
  const grant = await signedGrant(owner, { dataset: dataset.id });
  const invitation = {
    type: INVITATION_TYPE,
    grant: grant.signed,
    manifest: dataset.manifest,
    custodian: await signedCustodian(owner, {}),
    vaults: [formatNodeAddress(vault)],
  } as const;
  assert.equal(custody.addInvitation(invitation), grant.id);
  assert.equal(custody.addInvitation(invitation), grant.id);
  assert.deepEqual(
    custody.listInvitations().map(({ id }) => id),
    [grant.id],
  );
  assert.deepEqual(custody.getInvitation(dataset.id)?.invitation, invitation);
  const custodian = await signedCustodian(walletNamed('stranger'), {});
  assert.throws(() => custody.addInvitation({ ...invitation, custodian }), {
    code: 'INPUT_MALFORMED',
  });
  custody.close();
});

test('heads follow one another, and never go back', async () => {
  const { custody } = await custodyIn();
  const first = await signedHead(owner, {});
  const revoked = [first.id];
  const second = await signedHead(owner, { number: 2, previous: first.id, revoked });
  assert.equal(custody.currentHead(owner.address), undefined);
  const marks = [custody.headsMark()];
  assert.equal(custody.addHead(first.signed), 'accepted');
  marks.push(custody.headsMark());
  assert.equal(custody.addHead(second.signed), 'accepted');
  marks.push(custody.headsMark());
  assert.equal(custody.addHead(second.signed), 'known');
  assert.equal(new Set([...marks, custody.headsMark()]).size, 3);
  assert.equal(custody.currentHead(owner.address)?.id, second.id);
  const fork = await signedHead(owner, { number: 2, previous: first.id });
  const unrevoked = await signedHead(owner, { number: 3, previous: second.id });
  for (const bad of [first, fork, unrevoked]) {
    assert.throws(() => custody.addHead(bad.signed), { code: 'CONFLICT' });
  }
  const forged = { ...fork.signed, signature: first.signed.signature };
  assert.throws(() => custody.addHead(forged), { code: 'INPUT_MALFORMED' });
  assert.deepEqual(custody.headOwners(), [owner.address]);
  custody.close();
});

test('a later head that a vault holds is remembered when the owner has signed it, and not else', async () => {
  const { custody } = await custodyIn();
  const first = await signedHead(owner, {});
  custody.addHead(first.signed);
  const thief = walletNamed('thief');
  const headOf = async (number: number, signer = owner) => {
    const previous = number === 1 ? null : first.id;
    const { signed } = await signedHead(signer, { owner: owner.address, number, previous });
    return encodeDocument(signed);
  };
  const seen = () => custody.currentHead(owner.address)?.seenNumber;
  for (const [bytes, isNoted, expected] of [
    [await headOf(1), false, 0],
    [await headOf(9, thief), false, 0],
    [encodeDocument((await signedHead(thief, { number: 9, previous: first.id })).signed), false, 0],
    [new Uint8Array(9), false, 0],
    [await headOf(5), true, 5],
    [await headOf(3), true, 5],
  ] as const) {
    assert.equal(custody.noteSeenHead(owner.address, bytes), isNoted);
    assert.equal(seen(), expected);
  }
  custody.close();
});

test('of two statements of the custodian the later one holds', async () => {
  const { custody } = await custodyIn();
  const early = await signedCustodian(owner, {});
  const late = await signedCustodian(owner, { issuedAtMs: START_MS + 1 });
  custody.setCustodian(late);
  custody.setCustodian(early);
  assert.deepEqual(custody.custodianOf(owner.address), late);
  const forged = { ...early, signature: late.signature };
  assert.throws(() => custody.setCustodian(forged), { code: 'INPUT_MALFORMED' });
  custody.close();
});

test('two processes share the store; a newer or broken one is not touched', async () => {
  const { custody, folder, again } = await custodyIn();
  const second = await again();
  const dataset = await sealedDataset(owner, second.publicKey);
  second.addDataset(dataset);
  assert.equal(custody.getDataset(dataset.id)?.state, 'pending');
  second.shred(dataset.id);
  assert.equal(custody.getDataset(dataset.id)?.state, 'shredded');
  custody.close();
  custody.close();
  second.close();

  const path = join(folder, 'custody', 'custody.sqlite');
  const sqlite = new DatabaseSync(path);
  sqlite.exec('PRAGMA user_version = 99');
  sqlite.close();
  await assert.rejects(again(), { code: 'CONFIG_INVALID' });
  for (const suffix of ['-wal', '-shm']) rmSync(`${path}${suffix}`, { force: true });
  writeFileSync(path, 'this is not a database, and longer than the header of one'.repeat(10));
  await assert.rejects(again(), { code: 'INPUT_MALFORMED' });
});

test('a policy is kept, and one that is none is refused', async () => {
  const { custody } = await custodyIn();
  assert.equal(custody.policyOf(owner.address).isPaused, false);
  const policy = {
    terms: { pipelines: ['germline'], commercialUse: false, zones: ['EU'] },
    isPaused: true,
  };
  custody.setPolicy(owner.address, policy);
  assert.deepEqual(custody.policyOf(owner.address), policy);
  const [first, second] = [`0x${'1'.repeat(40)}`, `0x${'2'.repeat(40)}`];
  const tiers = ['ai', 'gpu'] as const;
  const limited = { ...policy, operators: [first, second], tiers };
  custody.setPolicy(owner.address, limited);
  assert.deepEqual(custody.policyOf(owner.address), limited);
  const wrong: readonly object[] = [
    { terms: { ...policy.terms, zones: ['nowhere'] } },
    { operators: [] },
    { operators: [second, first] },
    { operators: ['0x12'] },
    { tiers: [] },
    { tiers: ['gpu', 'ai'] },
    { tiers: ['huge'] },
  ];
  for (const change of wrong) {
    const bad = { ...policy, ...change };
    assert.throws(() => custody.setPolicy(owner.address, bad), { code: 'USAGE' });
  }
  assert.deepEqual(custody.policyOf(owner.address), limited);
  custody.close();
});

test('a policy that was stored before operators and tiers could be named allows any', async () => {
  const { custody, folder } = await custodyIn();
  const terms = { pipelines: null, commercialUse: false, zones: ['EU'] };
  const before = { terms, isPaused: false, plaintextOperatorsMax: 2 };
  const store = new DatabaseSync(join(folder, 'custody', 'custody.sqlite'));
  const insert = store.prepare('INSERT INTO policies VALUES (?, ?)');
  insert.run(owner.address, JSON.stringify(before));
  store.close();
  assert.deepEqual(custody.policyOf(owner.address), before);
  custody.close();
});

/** All bytes of the files of a folder. */
function bytesOf(folder: string): Buffer {
  return Buffer.from(
    concatBytes(
      ...readdirSync(folder).map((name) => new Uint8Array(readFileSync(join(folder, name)))),
    ),
  );
}

function has(bytes: Buffer, part: Uint8Array): boolean {
  return bytes.includes(Buffer.from(part));
}
