import assert from 'node:assert/strict';
import { mkdtempSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { test } from 'node:test';
import type { Digest } from '@helixmesh/protocol';
import { nodeCrypto } from '@helixmesh/protocol/node';
import {
  encodeDocument,
  GROUP_SEGMENTS,
  groupOf,
  openHeader,
  openPart,
  openSegment,
  openWithGroups,
  parseGrantSegments,
  parseManifest,
  SEGMENT_BYTES,
  toHex,
  verifyWithKey,
} from '@helixmesh/protocol/sealing';
import {
  type DatasetOptions,
  encryptionKeyOf,
  network,
  START_MS,
  sealedDataset,
  signedGrant,
  signedHead,
  vault,
  walletNamed,
} from '../testing/sealed-dataset.ts';
import { temporaryFolder } from '../testing/temporary-folder.ts';
import { openCustody } from './custody.ts';
import type { Released, ReleaseRequest } from './release.ts';

const root = temporaryFolder('release');
const owner = walletNamed('owner');
const grantee = walletNamed('grantee');
const secretKey = nodeCrypto.random(32);
const custodian = { secretKey, publicKey: nodeCrypto.ed25519PublicKey(secretKey) };
const custodianHex = toHex(custodian.publicKey);
const purpose = { pipeline: 'read', isCommercial: false, zone: 'MX' };

/** A custody with one stored dataset and the owner's first head. */
async function custodyWith(options: DatasetOptions = {}) {
  const clock = { nowMs: START_MS };
  const folder = mkdtempSync(join(root, 'data-'));
  const now = () => clock.nowMs;
  const custody = await openCustody({ folder, crypto: nodeCrypto, network, now });
  const dataset = await sealedDataset(owner, custody.publicKey, options);
  custody.addDataset(dataset);
  custody.markStored(dataset.id);
  const first = await signedHead(owner, { custodian: custodianHex });
  custody.addHead(first.signed);
  const { bytes, key } = await encryptionKeyOf(grantee);
  const request = (changes: Partial<ReleaseRequest> = {}): ReleaseRequest => ({
    requester: { account: grantee.address, scopes: ['read'] },
    dataset: dataset.id,
    grant: null,
    purpose,
    encryptionKey: bytes,
    custodian,
    ...changes,
  });
  const revoke = async (id: Digest) => {
    const head = { number: 2, previous: first.id, revoked: [id], custodian: custodianHex };
    custody.addHead((await signedHead(owner, head)).signed);
  };
  return { custody, clock, folder, dataset, key, request, revoke };
}

function released(
  answer: ReturnType<Awaited<ReturnType<typeof openCustody>>['release']>,
): Released {
  return answer.status === 'released' ? answer : assert.fail(answer.reasons.join());
}

test('a grantee gets the keys of the whole, and the log says so', async () => {
  const { custody, dataset, key, request } = await custodyWith();
  const grant = await signedGrant(owner, { dataset: dataset.id });
  const bytes = encodeDocument(grant.signed);
  const answer = released(custody.release(request({ grant: bytes })));
  assert.deepEqual(openHeader(nodeCrypto, answer.header, key).dataKeys, dataset.keys);
  const [partKey = assert.fail()] = openHeader(
    nodeCrypto,
    answer.partHeader ?? assert.fail(),
    key,
  ).dataKeys;
  const manifest = parseManifest(answer.manifest).document;
  const object = { network, segments: manifest.segments };
  assert.deepEqual(openPart(nodeCrypto, partKey, manifest.sealedPart, object), dataset.part);
  assert.deepEqual(answer.vaults, [`${vault.nodeId}@127.0.0.1:7401`]);
  assert.equal(answer.segments, null);
  assert.deepEqual(custody.accessLog(), [
    {
      sequence: 1,
      atMs: START_MS,
      who: grantee.address,
      dataset: dataset.id,
      grant: grant.id,
      purpose,
      task: null,
      outcome: 'released',
      reasons: [],
      node: null,
    },
  ]);
  custody.close();
});

test('a grant that is kept here needs not be sent; one that is not kept holds by its signature', async () => {
  const { custody, dataset, request } = await custodyWith();
  const refused = custody.release(request());
  assert.deepEqual(refused, { status: 'refused', reasons: ['grant:missing'], told: 'refused' });
  const grant = await signedGrant(owner, { dataset: dataset.id });
  custody.addGrant({ grant: grant.signed, byteRanges: null });
  assert.equal(custody.release(request()).status, 'released');
  const log = custody.accessLog();
  assert.deepEqual(
    log.map(({ outcome, reasons }) => [outcome, reasons]),
    [
      ['released', []],
      ['refused', ['grant:missing']],
    ],
  );
  assert.deepEqual(custody.accessLog({ limit: 1 }), log.slice(0, 1));
  assert.deepEqual(custody.accessLog({ before: 2, dataset: dataset.id }), log.slice(1));
  assert.deepEqual(custody.accessLog({ dataset: grant.id }), []);
  custody.close();
});

test('revoked, expired, shredded: what held a moment ago is judged anew', async () => {
  const { custody, clock, dataset, request, revoke } = await custodyWith();
  const untilMs = START_MS + 1_000;
  const grant = await signedGrant(owner, { dataset: dataset.id, untilMs });
  const bytes = encodeDocument(grant.signed);
  const told = () => {
    const answer = custody.release(request({ grant: bytes }));
    return answer.status === 'refused' ? answer.told : answer.status;
  };
  assert.equal(told(), 'released');
  clock.nowMs = untilMs;
  assert.equal(told(), 'grant_expired');
  clock.nowMs = START_MS;
  assert.equal(told(), 'released');
  await revoke(grant.id);
  assert.equal(told(), 'grant_revoked');
  custody.shred(dataset.id);
  assert.equal(told(), 'grant_revoked');
  const reasons = custody.accessLog().map((entry) => entry.reasons.join());
  assert.deepEqual(reasons, [
    'dataset:shredded,grant:revoked',
    'grant:revoked',
    '',
    'grant:expired',
    '',
  ]);
  custody.close();
});

test('once keys went to a key, an earlier key of that account gets nothing', async () => {
  const { custody, dataset, request } = await custodyWith();
  const grant = await signedGrant(owner, { dataset: dataset.id });
  custody.addGrant({ grant: grant.signed, byteRanges: null });
  const later = await encryptionKeyOf(grantee, { issuedAtMs: START_MS + 1 });
  assert.equal(custody.release(request()).status, 'released');
  assert.equal(custody.release(request({ encryptionKey: later.bytes })).status, 'released');
  const answer = custody.release(request());
  assert.equal(answer.status === 'refused' && answer.told, 'encryption_key');
  custody.close();
});

test('a header for regions opens the groups of the regions, and no other segment', async () => {
  const plaintext = nodeCrypto.random((2 * GROUP_SEGMENTS + 3) * SEGMENT_BYTES);
  const { custody, dataset, key, request } = await custodyWith({ plaintext, hasGroups: true });
  const regions = [{ refName: 'chr2', start: 5, end: 6 }];
  const grant = await signedGrant(owner, { dataset: dataset.id, regions });
  const bytes = encodeDocument(grant.signed);
  const unknown = custody.release(request({ grant: bytes }));
  assert.deepEqual(unknown.status === 'refused' && unknown.reasons, ['grant:regions_unknown']);

  const start = GROUP_SEGMENTS * SEGMENT_BYTES + 70_000;
  custody.addGrant({ grant: grant.signed, byteRanges: [{ start, end: start + 10 }] });
  const answer = released(custody.release(request({ grant: bytes })));
  const segment = GROUP_SEGMENTS + 1;
  assert.deepEqual(answer.segments, [{ start: segment, end: segment + 1 }]);
  assert.equal(answer.partHeader, null);
  const { dataKeys } = openHeader(nodeCrypto, answer.header, key);
  assert.deepEqual(dataKeys, [dataset.keys[1]]);
  const open = openWithGroups(nodeCrypto, dataKeys, [{ start: 1, end: 2 }]);
  for (const [index, sealed] of dataset.segments.entries()) {
    const isGranted = groupOf(index) === 1;
    assert.equal(open(sealed, index) !== undefined, isGranted);
    const withAny: boolean = dataKeys.some(
      (each) => openSegment(nodeCrypto, each, sealed) !== undefined,
    );
    assert.equal(withAny, isGranted, `segment ${index}`);
  }
  const statement = parseGrantSegments(answer.grantSegments ?? assert.fail());
  const signer = { network, publicKey: custodian.publicKey };
  assert.equal(verifyWithKey(nodeCrypto, statement, signer).status, 'valid');
  assert.deepEqual(
    { ...statement.document, type: undefined, network: undefined },
    {
      type: undefined,
      network: undefined,
      grant: grant.id,
      object: dataset.id,
      segments: answer.segments,
      atMs: START_MS,
    },
  );
  custody.close();
});

test('what cannot be logged is not released', async () => {
  const { custody, folder, dataset, request } = await custodyWith();
  const grant = await signedGrant(owner, { dataset: dataset.id });
  custody.addGrant({ grant: grant.signed, byteRanges: null });
  const sqlite = new DatabaseSync(join(folder, 'custody', 'custody.sqlite'));
  sqlite.exec(
    "CREATE TRIGGER full BEFORE INSERT ON access_log BEGIN SELECT RAISE(ABORT, 'full'); END",
  );
  assert.throws(() => custody.release(request()), { code: 'INTERNAL' });
  sqlite.exec('DROP TRIGGER full');
  sqlite.close();
  assert.equal(custody.release(request()).status, 'released');
  assert.equal(custody.accessLog().length, 1);
  custody.close();
});

test('a vault that holds a later head than is here stops releases until the owner has signed one', async () => {
  const { custody, dataset, request } = await custodyWith();
  const grant = await signedGrant(owner, { dataset: dataset.id });
  custody.addGrant({ grant: grant.signed, byteRanges: null });
  const seen = await signedHead(owner, { number: 3, previous: dataset.id });
  assert.ok(custody.noteSeenHead(owner.address, encodeDocument(seen.signed)));
  const answer = custody.release(request());
  assert.deepEqual(answer.status === 'refused' && answer.reasons, ['head:behind']);
  const previous = `sha256:${'3'.repeat(64)}` as Digest;
  const next = await signedHead(owner, { number: 4, previous, custodian: custodianHex });
  custody.addHead(next.signed);
  assert.equal(custody.release(request()).status, 'released');
  custody.close();
});
