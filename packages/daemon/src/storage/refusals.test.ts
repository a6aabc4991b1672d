/** Who may not read, in each of the ways in which one may not. Over TLS. */
import assert from 'node:assert/strict';
import { readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import type { Digest } from '@helixmesh/protocol';
import { nodeCrypto } from '@helixmesh/protocol/node';
import {
  documentId,
  encodeDocument,
  type Grant,
  ENCRYPTED_SEGMENT_BYTES as SEGMENT,
  type Signed,
  walletOf,
} from '@helixmesh/protocol/sealing';
import { owner, sealedObject, stranger } from '@helixmesh/vault/testing/sealed-object';
import { bytesOf, type Caller, grantTo, isError, put, startVault, wire } from './testing/bench.ts';

const object = await sealedObject(40 * 65_536, {
  residency: ['EU', 'MX'],
  terms: { pipelines: ['annotate', 'read'], commercialUse: false, zones: null },
});
const size = object.body.length;
const objectId = object.id;
const mallory = walletOf(nodeCrypto, nodeCrypto.sha256(Uint8Array.of(9)));
const purpose = { pipeline: 'read', isCommercial: false, zone: 'EU' };

/** A vault with the object, and the stranger's session; no custodian has spoken yet. */
async function vaultWithObject() {
  const vault = await startVault();
  const mine = await vault.login(owner);
  await put(mine, object);
  const custodian = await vault.custodian();
  return { vault, mine, custodian, theirs: await vault.login(stranger) };
}

/** The same, with a head that was attested now. */
async function vaultWithHead(revoked: readonly Digest[] = []) {
  const made = await vaultWithObject();
  const head = await made.custodian.head({ revoked: [...revoked].sort() });
  await made.custodian.bionfs.pushHead(made.custodian.update(head));
  return { ...made, head };
}

type Asked = Exclude<Parameters<Caller['open']>[0], { $typeName: string }>;

function openWith(caller: Caller, grant: Signed<Grant>, more: Asked = {}) {
  return caller.open({ objectId, purpose, grants: [encodeDocument(grant)], ...more });
}

const notFound = isError('OBJECT_NOT_FOUND');

test('an expired grant is refused', async () => {
  const { vault, theirs } = await vaultWithHead();
  const grant = await grantTo(stranger, object, { untilMs: vault.clock.nowMs + 1_000 });
  const { leaseMs } = await openWith(theirs, grant);
  assert.equal(leaseMs, 1_000);
  vault.clock.nowMs += 1_000;
  await assert.rejects(openWith(theirs, grant), isError('ACCESS_REFUSED', /expired/));
});

test('a revoked grant is refused', async () => {
  const grant = await grantTo(stranger, object);
  const { theirs } = await vaultWithHead([documentId(nodeCrypto, grant.document)]);
  await assert.rejects(openWith(theirs, grant), isError('ACCESS_REFUSED', /revoked/));
  await openWith(theirs, await grantTo(stranger, object));
});

test('who was revoked while reading reads no further than their lease', async () => {
  const { vault, theirs, custodian, head } = await vaultWithHead();
  const grant = await grantTo(stranger, object);
  const { stateId } = await openWith(theirs, grant);
  const reading = theirs.read({ stateId, range: wire(0, size) })[Symbol.asyncIterator]();
  assert.equal((await reading.next()).done, false);
  const next = await custodian.head({
    number: 2,
    previous: documentId(nodeCrypto, head.document),
    revoked: [documentId(nodeCrypto, grant.document)],
  });
  await custodian.bionfs.pushHead(custodian.update(next));
  await assert.rejects(theirs.renew({ stateId }), isError('ACCESS_REFUSED', /revoked/));
  await assert.rejects(openWith(theirs, grant), isError('ACCESS_REFUSED', /revoked/));
  vault.clock.nowMs += 60_000;
  await assert.rejects(
    bytesOf(theirs.read({ stateId, range: wire(0, 100) })),
    isError('LEASE_EXPIRED'),
  );
  await reading.return?.(undefined);
});

test('a body that is being sent ends with its lease', async () => {
  const large = await sealedObject(12 * 2 ** 20);
  const { vault, theirs, mine } = await vaultWithHead();
  await put(mine, large);
  const grants = [encodeDocument(await grantTo(stranger, large))];
  const { stateId } = await theirs.open({ objectId: large.id, grants });
  const range = wire(0, large.body.length);
  await assert.rejects(async () => {
    for await (const _ of theirs.read({ stateId, range })) vault.clock.nowMs += 10_000;
  }, isError('LEASE_EXPIRED'));
});

test('without a head, and with one that was not attested within a minute, no grant counts', async () => {
  const { vault, theirs, custodian, mine } = await vaultWithObject();
  const grant = await grantTo(stranger, object);
  await assert.rejects(openWith(theirs, grant), isError('CUSTODIAN_OFFLINE', /not known/));
  const head = await custodian.head();
  const late = custodian.update(head, vault.clock.nowMs - 60_001);
  await assert.rejects(custodian.bionfs.pushHead(late), isError('CONFLICT', /not of this minute/));
  await assert.rejects(openWith(theirs, grant), isError('CUSTODIAN_OFFLINE'));
  await custodian.bionfs.pushHead(custodian.update(head));
  const { stateId } = await openWith(theirs, grant);
  vault.clock.nowMs += 60_001;
  await assert.rejects(openWith(theirs, grant), isError('CUSTODIAN_OFFLINE', /attested/));
  await assert.rejects(theirs.renew({ stateId }), isError('LEASE_EXPIRED'));
  // Nobody revokes what is their own.
  await mine.open({ objectId });
});

test('who guesses an id is told the same whether it is there or not', async () => {
  const { vault, theirs } = await vaultWithHead();
  const absent = `sha256:${'0'.repeat(64)}`;
  const malloryHolds = await grantTo(stranger, object, {}, mallory);
  const expired = await grantTo(stranger, object, { untilMs: vault.clock.nowMs - 1 });
  const elsewhere = { ...expired.document, dataset: absent as Digest };
  const custodian = await vault.custodian(mallory);
  const head = await custodian.head({ owner: mallory.address });
  await custodian.bionfs.pushHead(custodian.update(head));
  const attempts: readonly [string, Asked, Asked][] = [
    ['without a grant', { objectId }, { objectId: absent }],
    [
      'with a grant that somebody else has signed for their own',
      { objectId, grants: [encodeDocument(malloryHolds)] },
      {
        objectId: absent,
        grants: [
          encodeDocument(await grantTo(stranger, object, { dataset: absent as Digest }, mallory)),
        ],
      },
    ],
    [
      'with a grant that has expired',
      { objectId, grants: [encodeDocument(expired)] },
      { objectId: absent, grants: [encodeDocument(await grantTo(stranger, object, elsewhere))] },
    ],
  ];
  for (const [what, there, notThere] of attempts) {
    const answers = await Promise.all(
      [there, notThere].map((ask) =>
        theirs.open(ask).then(
          () => assert.fail(what),
          ({ code, message, hint }) => ({ code, message, hint }),
        ),
      ),
    );
    assert.deepEqual(answers[0], answers[1], what);
  }
  await assert.rejects(theirs.open({ objectId }), notFound);
  await assert.rejects(theirs.stat({ objectId }), notFound);
});

test('a state id is good for the key that opened it alone', async () => {
  const { vault, mine, theirs } = await vaultWithHead();
  const { stateId } = await mine.open({ objectId });
  const range = wire(0, 100);
  const refused = isError('LEASE_EXPIRED');
  for (const other of [theirs, await vault.login(owner)]) {
    await assert.rejects(bytesOf(other.read({ stateId, range })), refused);
    await assert.rejects(bytesOf(other.readTags({ stateId })), refused);
    await assert.rejects(other.renew({ stateId }), refused);
    await other.close({ stateId });
  }
  assert.equal((await bytesOf(mine.read({ stateId, range }))).length, 100);
  await mine.close({ stateId });
  await assert.rejects(bytesOf(mine.read({ stateId, range })), refused);
  const guessed = nodeCrypto.random(16);
  await assert.rejects(bytesOf(mine.read({ stateId: guessed, range })), refused);
});

test('a lease that was not renewed has ended', async () => {
  const { vault, mine } = await vaultWithObject();
  const { stateId } = await mine.open({ objectId });
  vault.clock.nowMs += 40_000;
  assert.equal((await mine.renew({ stateId })).leaseMs, 60_000);
  vault.clock.nowMs += 59_999;
  await bytesOf(mine.read({ stateId, range: wire(0, 1) }));
  vault.clock.nowMs += 1;
  const refused = isError('LEASE_EXPIRED');
  await assert.rejects(bytesOf(mine.read({ stateId, range: wire(0, 1) })), refused);
  await assert.rejects(mine.renew({ stateId }), refused);
});

test('a grant of regions opens its segments and no others', async () => {
  const { theirs, custodian, vault } = await vaultWithHead();
  const regions = [{ refName: 'chr1', start: 0, end: 1_000 }];
  const grant = await grantTo(stranger, object, { regions });
  const grantSegments = [custodian.segments(grant, [{ start: 3, end: 5 }])];
  const granted = wire(3 * SEGMENT, 5 * SEGMENT);
  await assert.rejects(
    openWith(theirs, grant, { ranges: [granted] }),
    isError('ACCESS_REFUSED', /which segments/),
  );
  const opened = await openWith(theirs, grant, { ranges: [granted], grantSegments });
  const { stateId } = opened;
  const bytes = await bytesOf(theirs.read({ stateId, range: granted }));
  assert.deepEqual(bytes, object.body.subarray(3 * SEGMENT, 5 * SEGMENT));
  for (const [start, end] of [
    [3 * SEGMENT - 1, 5 * SEGMENT],
    [3 * SEGMENT, 5 * SEGMENT + 1],
    [0, 100],
  ] as const) {
    const ranges = [wire(start, end)];
    const range = wire(start, end);
    const beyond = isError('ACCESS_REFUSED', /do not cover/);
    await assert.rejects(openWith(theirs, grant, { ranges, grantSegments }), beyond);
    const notOpened = isError('ACCESS_REFUSED', /not all of these bytes were opened/);
    await assert.rejects(bytesOf(theirs.read({ stateId, range })), notOpened);
  }
  await assert.rejects(openWith(theirs, grant, { grantSegments }), isError('ACCESS_REFUSED'));
  // What another custodian says of the segments counts for nothing.
  const impostor = await vault.custodian();
  const forged = [impostor.segments(grant, [{ start: 0, end: 40 }])];
  await assert.rejects(
    openWith(theirs, grant, { grantSegments: forged }),
    isError('ACCESS_REFUSED', /which segments/),
  );
});

test('a grant counts for its grantee, its dataset and its owner alone', async () => {
  const { vault, theirs } = await vaultWithHead();
  const malloryLogin = await vault.login(mallory);
  const grant = await grantTo(stranger, object);
  await assert.rejects(openWith(malloryLogin, grant), isError('ACCESS_REFUSED', /somebody else/));
  const other = await grantTo(stranger, object, { dataset: `sha256:${'1'.repeat(64)}` as Digest });
  await assert.rejects(openWith(theirs, other), isError('ACCESS_REFUSED', /another dataset/));
  const { document } = await grantTo(mallory, object, {}, mallory);
  const forged = { ...grant, document: { ...document, owner: owner.address } };
  await assert.rejects(openWith(malloryLogin, forged), isError('ACCESS_REFUSED', /signature/));
});

test('terms of the object bind what a grant allows', async () => {
  const { theirs } = await vaultWithHead();
  const grant = await grantTo(stranger, object);
  const attempts = [
    [{ ...purpose, pipeline: 'germline' }, /pipeline/],
    [{ ...purpose, isCommercial: true }, /commercial/],
    [{ ...purpose, zone: 'US' }, /copies may lie/],
  ] as const;
  for (const [other, message] of attempts) {
    const refused = isError('ACCESS_REFUSED', message);
    await assert.rejects(openWith(theirs, grant, { purpose: other }), refused);
  }
  await openWith(theirs, grant, { purpose: { ...purpose, pipeline: 'annotate', zone: 'MX-CMX' } });
});

test('ranges that no body has are refused', async () => {
  const { mine } = await vaultWithObject();
  const ranges = [wire(0, size + 1)];
  await assert.rejects(mine.open({ objectId, ranges }), isError('ACCESS_REFUSED', /bytes/));
  for (const range of [wire(5, 5), wire(6, 5), { start: 0n, end: 2n ** 64n - 1n }]) {
    await assert.rejects(mine.open({ objectId, ranges: [range] }), isError('USAGE'));
  }
  const many = Array.from({ length: 2_000 }, (_, i) => wire(i, i + 1));
  await assert.rejects(mine.open({ objectId, ranges: many }), isError('USAGE', /too many/));
});

test('heads are taken from the custodian or the owner, for owners of this vault', async () => {
  const quotaOf = (who: string) =>
    who === owner.address ? { bytes: 2 ** 30, objects: 9 } : undefined;
  const vault = await startVault({ quotaOf });
  const custodian = await vault.custodian();
  const update = custodian.update(await custodian.head());
  const refused = isError('ACCESS_REFUSED', /heads/);
  const others = [await vault.login(stranger), (await vault.custodian()).bionfs];
  for (const other of others) await assert.rejects(other.pushHead(update), refused);
  await assert.rejects(vault.nobody().pushHead(update), isError('UNAUTHENTICATED'));
  assert.equal((await (await vault.login(owner)).pushHead(update)).number, 1n);
  const unknown = await vault.custodian(stranger);
  const theirs = unknown.update(await unknown.head());
  await assert.rejects(unknown.bionfs.pushHead(theirs), refused);
});

test('a damaged block is never sent, and another one is', async () => {
  const { vault, mine } = await vaultWithObject();
  const { stateId } = await mine.open({ objectId });
  const blocks = join(vault.folder, 'blocks');
  const names = await readdir(blocks, { recursive: true, withFileTypes: true });
  let damaged = 0;
  for (const entry of names) {
    const path = join(entry.parentPath, entry.name);
    const bytes = entry.isFile() ? await readFile(path) : undefined;
    if (bytes?.length !== 2 ** 20 || damaged > 0) continue;
    bytes[500] = (bytes[500] ?? 0) ^ 1;
    await writeFile(path, bytes);
    damaged += 1;
  }
  assert.equal(damaged, 1);
  const reads = await Promise.allSettled(
    [0, 2 ** 20].map((start) =>
      bytesOf(mine.read({ stateId, range: wire(start, start + 2 ** 20) })),
    ),
  );
  const failed = reads.filter((read) => read.status === 'rejected');
  assert.equal(failed.length, 1);
  isError('CIPHERTEXT_INVALID')(failed[0]?.reason);
});
