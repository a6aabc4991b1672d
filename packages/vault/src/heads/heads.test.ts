import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Digest } from '@helixmesh/protocol';
import { nodeCrypto } from '@helixmesh/protocol/node';
import { documentId, type RevocationHead, type Signed } from '@helixmesh/protocol/sealing';
import { flipped } from '@helixmesh/protocol/testing/bytes';
import { someBytes } from '../testing/bytes.ts';
import { custodianKit } from '../testing/custodian.ts';
import { network, owner, stranger } from '../testing/sealed-object.ts';
import { memoryHeadStore } from './head-store.ts';
import { openHeads } from './heads.ts';

const NOW = 1_800_000_000_000;
const kit = custodianKit(network, owner, nodeCrypto.sha256(someBytes(3)));
const grants = ['a', 'b', 'c'].map((digit) => `sha256:${digit.repeat(64)}` as Digest);
const statement = await kit.statement();
const first = await kit.head({ revoked: grants.slice(0, 1) });
const second = await after(first, { revoked: grants.slice(0, 2) });

function after(head: Signed<RevocationHead>, changes: Partial<RevocationHead>) {
  const previous = documentId(nodeCrypto, head.document);
  return kit.head({ number: head.document.number + 1, previous, ...changes });
}

async function vaultOf(records = new Map<string, Uint8Array>()) {
  const clock = { nowMs: NOW };
  const store = memoryHeadStore(records);
  const open = () => openHeads({ crypto: nodeCrypto, network, store, now: () => clock.nowMs });
  return { heads: await open(), open, clock, records };
}

const attested = (head: Signed<RevocationHead>) => kit.attest(head, { atMs: NOW });

test('a head counts once its custodian is known and has attested it', async () => {
  const { heads } = await vaultOf();
  const attestation = attested(first);
  assert.equal((await heads.push({ attestation })).refused, 'custodian_unknown');
  const withStatement = { custodian: statement, attestation };
  assert.equal((await heads.push(withStatement)).refused, 'head_unknown');
  assert.equal(heads.stateOf(owner.address), undefined);
  assert.deepEqual(await heads.push({ head: first, attestation }), {
    number: 1,
    refused: undefined,
  });
  assert.deepEqual(heads.stateOf(owner.address)?.known.head, first.document);
  assert.deepEqual(heads.custodianOf(owner.address), statement.document);
});

test('heads outlive a restart, so that it brings no old one back; attestations do not', async () => {
  const { heads, open } = await vaultOf();
  await heads.push({ custodian: statement, head: second, attestation: attested(second) });
  const again = await open();
  assert.equal(again.stateOf(owner.address), undefined);
  const old = await again.push({ head: first, attestation: attested(first) });
  assert.deepEqual(old, { number: 2, refused: 'rollback' });
  assert.equal((await again.push({ attestation: attested(second) })).refused, undefined);
  assert.deepEqual(again.stateOf(owner.address)?.known.head.revoked, grants.slice(0, 2));
});

test('another history, and one that forgets a revocation, are refused', async () => {
  const { heads } = await vaultOf();
  await heads.push({ custodian: statement, head: first, attestation: attested(first) });
  const other = await kit.head({ revoked: grants.slice(0, 1), issuedAtMs: 1 });
  const forgetful = await after(first, { revoked: grants.slice(1) });
  const refusal = async (head: Signed<RevocationHead>) =>
    (await heads.push({ head, attestation: attested(head) })).refused;
  assert.equal(await refusal(other), 'fork');
  assert.equal(await refusal(await after(other, { revoked: grants })), 'fork');
  assert.equal(await refusal(forgetful), 'unrevoked');
  assert.equal(heads.stateOf(owner.address)?.known.head.number, 1);
});

test('a new head is kept even where its attestation is late, and ends what was attested', async () => {
  const { heads } = await vaultOf();
  await heads.push({ custodian: statement, head: first, attestation: attested(first) });
  const late = kit.attest(second, { atMs: NOW - 60_001 });
  assert.deepEqual(await heads.push({ head: second, attestation: late }), {
    number: 2,
    refused: 'stale',
  });
  assert.equal(heads.stateOf(owner.address), undefined);
});

test('an attestation counts for the last head only, and an older one changes nothing', async () => {
  const { heads, clock } = await vaultOf();
  await heads.push({ custodian: statement, head: second, attestation: attested(second) });
  assert.equal((await heads.push({ attestation: attested(first) })).refused, 'stale');
  clock.nowMs += 10_000;
  const older = kit.attest(second, { atMs: NOW - 5_000 });
  assert.equal((await heads.push({ attestation: older })).refused, undefined);
  assert.equal(heads.stateOf(owner.address)?.attestation.atMs, NOW);
});

test('what others have signed is refused', async () => {
  const { heads } = await vaultOf();
  const theirs = custodianKit(network, stranger, nodeCrypto.sha256(someBytes(4)));
  const other = `sha256:${'9'.repeat(64)}` as Digest;
  const abroad = custodianKit(other, owner, nodeCrypto.sha256(someBytes(3)));
  const attestation = attested(first);
  const push = async (update: Parameters<typeof heads.push>[0]) =>
    (await heads.push(update)).refused;
  assert.equal(await push({ custodian: await theirs.statement(), attestation }), 'owner');
  assert.equal(await push({ head: await theirs.head(), attestation }), 'owner');
  const forged = await theirs.head({
    owner: owner.address,
    number: 9,
    previous: grants[0] ?? null,
  });
  assert.equal(await push({ head: forged, attestation }), 'signature');
  assert.equal(await push({ custodian: await abroad.statement(), attestation }), 'network');
  await push({ custodian: statement, head: first, attestation });
  const notHis = theirs.attest(first, { atMs: NOW });
  assert.equal(await push({ attestation: notHis }), 'signature');
  const renamed = await theirs.statement({ owner: owner.address });
  assert.equal(await push({ custodian: renamed, attestation }), 'signature');
});

test('a new custodian needs the statement and the head, and the old one is not taken back', async () => {
  const { heads } = await vaultOf();
  await heads.push({ custodian: statement, head: first, attestation: attested(first) });
  const next = custodianKit(network, owner, nodeCrypto.sha256(someBytes(5)));
  const moved = await next.statement({ issuedAtMs: statement.document.issuedAtMs + 1 });
  const head = await after(first, { revoked: grants.slice(0, 1), custodian: next.key });
  const attestation = next.attest(head, { atMs: NOW });
  assert.equal((await heads.push({ head, attestation })).refused, 'custodian_other');
  assert.equal(heads.stateOf(owner.address), undefined);
  assert.equal((await heads.push({ custodian: moved, attestation })).refused, undefined);
  const back = await heads.push({ custodian: statement, attestation });
  assert.equal(back.refused, 'custodian_older');
  assert.equal(heads.custodianOf(owner.address)?.nodeId, moved.document.nodeId);
});

test('where what was kept of an owner is damaged, no head of theirs is taken', async () => {
  const { heads, open, records } = await vaultOf();
  await heads.push({ custodian: statement, head: first, attestation: attested(first) });
  const record = records.get(owner.address) ?? new Uint8Array(0);
  for (const damaged of [flipped(record, 200), record.subarray(0, -1), new Uint8Array(0)]) {
    records.set(owner.address, damaged);
    const again = await open();
    assert.deepEqual(again.damaged, [owner.address]);
    const update = { custodian: statement, head: first, attestation: attested(first) };
    assert.equal((await again.push(update)).refused, 'damaged');
    assert.equal(again.stateOf(owner.address), undefined);
  }
});

test('of two heads that come at once both count, in their order', async () => {
  const { heads } = await vaultOf();
  const [, last] = await Promise.all([
    heads.push({ custodian: statement, head: first, attestation: attested(first) }),
    heads.push({ head: second, attestation: attested(second) }),
  ]);
  assert.deepEqual(last, { number: 2, refused: undefined });
  assert.equal(heads.stateOf(owner.address)?.known.head.number, 2);
});
