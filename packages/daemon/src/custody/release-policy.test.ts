import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Digest } from '@helixmesh/protocol';
import { nodeCrypto } from '@helixmesh/protocol/node';
import { encodeDocument, type Grant, toHex } from '@helixmesh/protocol/sealing';
import fc from 'fast-check';
import {
  encryptionKeyOf,
  network,
  START_MS,
  sealedDataset,
  signedGrant,
  signedHead,
  walletNamed,
} from '../testing/sealed-dataset.ts';
import { judgeRelease, OPEN_POLICY, type ReleaseEvidence } from './release-policy.ts';
import { type ReleaseReason, TOLD_REASONS, type ToldReason } from './release-reasons.ts';

const owner = walletNamed('owner');
const grantee = walletNamed('grantee');
const stranger = walletNamed('stranger');
const otherNetwork = `sha256:${'1'.repeat(64)}` as Digest;
const custodianKey = nodeCrypto.ed25519PublicKey(nodeCrypto.random(32));
const custodyKey = nodeCrypto.x25519PublicKey(nodeCrypto.random(32));
const nowMs = START_MS + 1_000_000;

const plain = await sealedDataset(owner, custodyKey);
const grouped = await sealedDataset(owner, custodyKey, { hasGroups: true });
const key = await encryptionKeyOf(grantee);
const head = await signedHead(owner, { custodian: toHex(custodianKey) });
const granted = await signedGrant(owner, { dataset: plain.id });

const good: ReleaseEvidence = {
  network,
  nowMs,
  requester: { account: grantee.address, scopes: ['read'] },
  dataset: plain.id,
  purpose: { pipeline: 'read', isCommercial: false, zone: 'MX' },
  encryptionKey: key.bytes,
  latestKeyMs: undefined,
  held: { manifest: encodeDocument(plain.manifest), state: 'stored' },
  grants: [{ bytes: encodeDocument(granted.signed), byteRanges: undefined }],
  head: encodeDocument(head.signed),
  seenHeadNumber: 1,
  custodianKey,
  policy: OPEN_POLICY,
};

const judge = (changes: Partial<ReleaseEvidence>) =>
  judgeRelease(nodeCrypto, { ...good, ...changes });

function refusal(changes: Partial<ReleaseEvidence>) {
  const answer = judge(changes);
  assert.equal(answer.status, 'refused');
  return answer.status === 'refused' ? answer : assert.fail();
}

async function withGrant(changes: Partial<Grant>, signer = owner) {
  const { signed } = await signedGrant(signer, { dataset: plain.id, ...changes });
  return { grants: [{ bytes: encodeDocument(signed), byteRanges: undefined }] };
}

async function withKey(changes: object, signer = grantee) {
  return { encryptionKey: (await encryptionKeyOf(signer, changes)).bytes };
}

async function withHead(changes: object, signer = owner) {
  const custodian = toHex(custodianKey);
  const { signed } = await signedHead(signer, { custodian, ...changes });
  return { head: encodeDocument(signed) };
}

async function withManifest(changes: object) {
  const other = await sealedDataset(owner, custodyKey, { changes });
  const { signed } = await signedGrant(owner, { dataset: other.id });
  return {
    dataset: other.id,
    held: { manifest: encodeDocument(other.manifest), state: 'stored' } as const,
    grants: [{ bytes: encodeDocument(signed), byteRanges: undefined }],
  };
}

/** The manifest as it stands, with another signature. */
function forged(): Partial<ReleaseEvidence> {
  const signed = { ...plain.manifest, signature: granted.signed.signature };
  return { held: { manifest: encodeDocument(signed), state: 'stored' } };
}

const regions = [{ refName: 'chr1', start: 0, end: 10 }];
const terms = { pipelines: null, commercialUse: true, zones: null };
const readOnly = { pipelines: ['germline'], commercialUse: true, zones: null };
const noRegion = await signedGrant(owner, { dataset: grouped.id, regions });
const oneKeyRegion = await signedGrant(owner, { dataset: plain.id, regions });
const commercial = { purpose: { pipeline: 'read', isCommercial: true, zone: 'MX' } };
const noCommerce = { ...terms, commercialUse: false };
const europe = { ...terms, zones: ['EU'] };
const smallOrder = '0'.repeat(64);

type Fault = readonly [
  reasons: readonly ReleaseReason[],
  told: ToldReason,
  changes: Partial<ReleaseEvidence>,
];

/** One thing that is wrong, all that it is called in the log, and what the grantee hears. */
const FAULTS: readonly Fault[] = [
  [
    ['session:scope'],
    'session_scope',
    { requester: { account: grantee.address, scopes: ['list'] } },
  ],
  [['dataset:unknown'], 'refused', { held: undefined }],
  [['dataset:pending'], 'unavailable', { held: { ...good.held, state: 'pending' } as never }],
  [['dataset:shredded'], 'unavailable', { held: { ...good.held, state: 'shredded' } as never }],
  [['dataset:manifest'], 'refused', forged()],
  [['dataset:manifest'], 'refused', { dataset: grouped.id }],
  [['key:malformed'], 'encryption_key', { encryptionKey: new Uint8Array(10) }],
  [['key:network'], 'encryption_key', await withKey({ network: otherNetwork })],
  [['key:signature'], 'encryption_key', await withKey({ account: grantee.address }, stranger)],
  [['key:signature'], 'encryption_key', await withKey({ account: stranger.address }, stranger)],
  [['key:not_yet'], 'encryption_key', await withKey({ issuedAtMs: nowMs + 61_000 })],
  [['key:superseded'], 'encryption_key', { latestKeyMs: START_MS + 1 }],
  [['key:unusable'], 'encryption_key', await withKey({ publicKey: smallOrder })],
  [['grant:missing'], 'refused', { grants: [] }],
  [['grant:malformed'], 'refused', { grants: [{ bytes: new Uint8Array(3), byteRanges: [] }] }],
  [['grant:network'], 'refused', await withGrant({ network: otherNetwork })],
  [['grant:signature'], 'refused', await withGrant({}, grantee)],
  [['grant:dataset'], 'refused', await withGrant({ dataset: grouped.id })],
  [['grant:owner'], 'refused', await withGrant({ owner: grantee.address })],
  [['grant:grantee'], 'refused', await withGrant({ grantee: stranger.address })],
  [['grant:not_yet'], 'grant_expired', await withGrant({ issuedAtMs: nowMs + 61_000 })],
  [['grant:expired'], 'grant_expired', await withGrant({ untilMs: nowMs })],
  [['grant:pipeline'], 'purpose', await withGrant({ terms: readOnly })],
  [
    ['grant:commercial_use'],
    'purpose',
    { ...(await withGrant({ terms: noCommerce })), ...commercial },
  ],
  [['grant:zone'], 'purpose', await withGrant({ terms: europe })],
  [['grant:revoked'], 'grant_revoked', await withHead({ revoked: [granted.id] })],
  [['head:unknown'], 'unavailable', { head: undefined }],
  [['head:malformed'], 'unavailable', { head: new Uint8Array(5) }],
  [['head:network'], 'unavailable', await withHead({ network: otherNetwork })],
  [['head:signature'], 'unavailable', await withHead({}, stranger)],
  [['head:signature'], 'unavailable', await withHead({ owner: stranger.address })],
  [['head:other_custodian'], 'unavailable', await withHead({ custodian: '2'.repeat(64) })],
  [['head:behind'], 'unavailable', { seenHeadNumber: 2 }],
  [['object:pipeline'], 'purpose', await withManifest({ terms: readOnly })],
  [
    ['object:commercial_use'],
    'purpose',
    { ...(await withManifest({ terms: noCommerce })), ...commercial },
  ],
  [['object:zone'], 'purpose', await withManifest({ terms: europe })],
  [['object:residency'], 'purpose', await withManifest({ residency: ['EU'] })],
  [['policy:pipeline'], 'purpose', { policy: { terms: readOnly, isPaused: false } }],
  [
    ['policy:commercial_use'],
    'purpose',
    { policy: { terms: noCommerce, isPaused: false }, ...commercial },
  ],
  [['policy:zone'], 'purpose', { policy: { terms: europe, isPaused: false } }],
  [['policy:paused'], 'unavailable', { policy: { terms, isPaused: true } }],
  [
    ['grant:regions_unknown'],
    'unavailable',
    {
      dataset: grouped.id,
      held: { manifest: encodeDocument(grouped.manifest), state: 'stored' },
      grants: [{ bytes: encodeDocument(noRegion.signed), byteRanges: undefined }],
    },
  ],
  [
    ['grant:regions_not_grouped'],
    'unavailable',
    {
      grants: [{ bytes: encodeDocument(oneKeyRegion.signed), byteRanges: [{ start: 0, end: 1 }] }],
    },
  ],
];

test('keys go to the key that the grantee has stated, under a grant that holds', () => {
  const answer = judge({});
  assert.equal(answer.status, 'released');
  if (answer.status !== 'released') return;
  assert.deepEqual(answer.recipient, key.key.publicKey);
  assert.equal(answer.grant?.id, granted.id);
  assert.equal(answer.grant?.byteRanges, null);
});

for (const [reasons, told, changes] of FAULTS) {
  test(`refused for ${reasons.join()}, and the grantee is told ${told}`, () => {
    assert.deepEqual(refusal(changes), { status: 'refused', reasons, told });
  });
}

test('every reason is named at once', () => {
  const answer = refusal({
    requester: { account: grantee.address, scopes: [] },
    latestKeyMs: START_MS + 1,
    seenHeadNumber: 9,
    policy: { terms: readOnly, isPaused: true },
  });
  assert.deepEqual([...answer.reasons].sort(), [
    'head:behind',
    'key:superseded',
    'policy:paused',
    'policy:pipeline',
    'session:scope',
  ]);
});

test('of any two faults none lets keys out, and what is told is of the closed set', () => {
  const fault = fc.constantFrom(...FAULTS);
  fc.assert(
    fc.property(fault, fault, (one, two) => {
      const answer = refusal({ ...one[2], ...two[2] });
      assert.ok(answer.reasons.length > 0);
      assert.ok(TOLD_REASONS.includes(answer.told));
    }),
    { numRuns: 60 },
  );
});

test('a stranger is told the same whatever is wrong', async () => {
  const asStranger = {
    requester: { account: stranger.address, scopes: ['read'] },
    encryptionKey: (await encryptionKeyOf(stranger)).bytes,
  };
  const lies = [
    {},
    { held: undefined },
    { grants: [] },
    { head: undefined },
    { held: { ...good.held, state: 'shredded' } as never },
    { policy: { terms, isPaused: true } },
    { ...(await withHead({ revoked: [granted.id] })) },
  ];
  for (const lie of lies) assert.equal(refusal({ ...asStranger, ...lie }).told, 'refused');
});

test('the owner needs neither grant nor head, but a key of their own and keys that are there', async () => {
  const own = {
    requester: { account: owner.address, scopes: ['read'] },
    encryptionKey: (await encryptionKeyOf(owner)).bytes,
    grants: [],
    head: undefined,
    policy: { terms: readOnly, isPaused: true },
  };
  assert.equal(judge(own).status, 'released');
  assert.equal(
    judge({ ...own, held: { ...good.held, state: 'pending' } as never }).status,
    'released',
  );
  assert.deepEqual(refusal({ ...own, encryptionKey: key.bytes }).reasons, ['key:signature']);
  const shredded = { ...good.held, state: 'shredded' } as never;
  assert.deepEqual(refusal({ ...own, held: shredded }).reasons, ['dataset:shredded']);
});

test('whom the owner lets do tasks, and on which nodes, does not bind people', () => {
  const policy = { terms, isPaused: false, operators: [stranger.address], tiers: ['ai'] as const };
  assert.equal(judge({ policy }).status, 'released');
});

test('of several grants one that holds is enough', async () => {
  const expired = await signedGrant(owner, { dataset: plain.id, untilMs: START_MS });
  const both = [{ bytes: encodeDocument(expired.signed), byteRanges: undefined }, ...good.grants];
  const answer = judge({ grants: both });
  assert.equal(answer.status === 'released' && answer.grant?.id, granted.id);
});

test('any bytes in place of a document are refused and throw nothing', () => {
  const field = fc.constantFrom('encryptionKey', 'head', 'grant', 'manifest');
  fc.assert(
    fc.property(field, fc.uint8Array({ maxLength: 300 }), (name, bytes) => {
      const changes: Partial<ReleaseEvidence> =
        name === 'grant'
          ? { grants: [{ bytes, byteRanges: undefined }] }
          : name === 'manifest'
            ? { held: { manifest: bytes, state: 'stored' } }
            : { [name]: bytes };
      refusal(changes);
    }),
    { numRuns: 60 },
  );
});
