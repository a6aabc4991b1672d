/** What the tasks of a job hand to each other: for whom a custodian rewraps it, and for whom not. */
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { test } from 'node:test';
import type { Digest } from '@helixmesh/protocol';
import { nodeCrypto as crypto } from '@helixmesh/protocol/node';
import {
  documentId,
  makeX25519KeyPair,
  openHeader,
  parseNetworkJob,
  sealHeader,
} from '@helixmesh/protocol/sealing';
import { START_MS, walletNamed } from '../testing/sealed-dataset.ts';
import { temporaryFolder } from '../testing/temporary-folder.ts';
import { OPEN_POLICY, type OwnerPolicy } from './release-policy.ts';
import type { Rewrapped } from './rewrap.ts';
import {
  coordinator,
  nodeKey,
  OF_A_FRIEND,
  other,
  owner,
  type Papers,
  taskBench,
} from './testing/task-bench.ts';

const root = temporaryFolder('rewrap');
const SPREAD = { parameters: { spread: 3 }, nonce: '7'.repeat(32) };
const CALL = { task: 'call.2', datasets: [] };
const call: Papers = { job: SPREAD, assignment: CALL };

/** A custody, and requests for headers with the papers of a call of a job in three parts. */
async function bench() {
  const made = await taskBench(root);
  const { custody, request } = made;
  const answer = async (papers: Papers, headers: readonly Uint8Array[] = []) => {
    const { dataset: _, ...asked } = await request(papers);
    return custody.rewrapForTask({ ...asked, headers });
  };
  const rewrapped = async (papers: Papers, headers: readonly Uint8Array[] = []) => {
    const got = await answer(papers, headers);
    return got.status === 'released' ? got : assert.fail(got.reasons.join());
  };
  const reasonsFor = async (papers: Papers) => {
    // With a header, so that what would be released is more than a public key.
    const headers = [sealedTo(makeX25519KeyPair(crypto).publicKey).header];
    const got = await answer(papers, headers);
    return got.status === 'refused' ? got.reasons : assert.fail('it was released');
  };
  /** A file of the alignment, as its node seals it. */
  const handed = async () => {
    const align = { job: SPREAD, assignment: { task: 'align' } };
    const { recipient }: Rewrapped = await rewrapped(align);
    return sealedTo(recipient);
  };
  return { ...made, answer, rewrapped, reasonsFor, handed };
}

function sealedTo(recipient: Uint8Array) {
  const dataKey = crypto.random(32);
  return { dataKey, header: sealHeader(crypto, { dataKeys: [dataKey] }, [recipient]) };
}

test('what one task has sealed for the job the node of a later task can open', async () => {
  const { custody, handed, rewrapped, dataset } = await bench();
  const files = [await handed(), await handed()];
  const headers = files.map(({ header }) => header);
  const answer = await rewrapped(call, headers);
  assert.deepEqual(
    answer.headers.map((header) => openHeader(crypto, header, nodeKey).dataKeys),
    files.map(({ dataKey }) => [dataKey]),
  );
  await rewrapped(call, headers);
  assert.deepEqual(
    custody.accessLog().map((entry) => [entry.dataset, entry.task, entry.outcome]),
    [[dataset.id, 'call.2', 'released']],
  );
});

test('the key of a job is one, and neither the owner nor the store alone opens what is sealed to it', async () => {
  const { custody, handed, rewrapped, folder } = await bench();
  const { header } = await handed();
  const align = { job: SPREAD, assignment: { task: 'align' } };
  const again = await rewrapped(align);
  assert.deepEqual(again.recipient, (await rewrapped(call)).recipient);
  assert.notDeepEqual(again.recipient, custody.publicKey);
  const elsewhere = { job: { ...SPREAD, nonce: '8'.repeat(32) }, assignment: { task: 'align' } };
  assert.notDeepEqual((await rewrapped(elsewhere)).recipient, again.recipient);
  const store = new DatabaseSync(join(folder, 'custody', 'custody.sqlite'), { readOnly: true });
  const [{ sealed } = assert.fail()] = store
    .prepare('SELECT sealed FROM job_keys LIMIT 1')
    .all() as { sealed: Uint8Array }[];
  store.close();
  assert.throws(() => openHeader(crypto, sealed, nodeKey), { code: 'KEY_NOT_HELD' });
  const stranger = { job: { ...SPREAD, nonce: '8'.repeat(32) }, assignment: CALL };
  await assert.rejects(rewrapped(stranger, [header]), { code: 'KEY_NOT_HELD' });
});

const REFUSED: readonly (readonly [string, Papers])[] = [
  ['task:spread', { job: { nonce: SPREAD.nonce } }],
  ['task:assignment_malformed', { ...call, request: { assignment: new Uint8Array(3) } }],
  [
    'task:assignment_expired',
    { ...call, assignment: { ...CALL, issuedAtMs: START_MS - 9, expiresAtMs: START_MS } },
  ],
  [
    'task:assignment_job',
    { ...call, assignment: { ...CALL, job: `sha256:${'2'.repeat(64)}` as Digest } },
  ],
  ['task:assignment_signature', { ...call, signer: other.secretKey }],
  ['task:assignment_task', { ...call, assignment: { ...CALL, task: 'call.4' } }],
  ['task:assignment_operator', { ...call, job: { ...SPREAD, constraints: OF_A_FRIEND } }],
  ['task:node', { ...call, request: { caller: other.nodeId } }],
  ['grant:zone', { ...call, assignment: { ...CALL, zone: 'EU' } }],
  ['grant:pipeline', { ...call, job: { ...SPREAD, pipeline: { name: 'trio', version: 1 } } }],
];

for (const [reason, papers] of REFUSED) {
  test(`nothing is rewrapped: ${reason}`, async () => {
    const { reasonsFor } = await bench();
    assert.deepEqual(await reasonsFor(papers), [reason]);
  });
}

test('after a revocation nothing is rewrapped, and the refusal names the task', async () => {
  const { custody, revoke, reasonsFor } = await bench();
  await revoke();
  assert.deepEqual(await reasonsFor(call), ['grant:revoked']);
  const [entry = assert.fail()] = custody.accessLog();
  assert.deepEqual([entry.task, entry.outcome], ['call.2', 'refused']);
});

test('a later task at an operator or on a tier that the owner does not name gets nothing', async () => {
  const { custody, handed, rewrapped, reasonsFor } = await bench();
  const { header } = await handed();
  const gpu: Papers = { ...call, assignment: { ...CALL, tier: 'gpu' } };
  const operators = [walletNamed('friend').address];
  custody.setPolicy(owner.address, { ...OPEN_POLICY, operators });
  assert.deepEqual(await reasonsFor(gpu), ['policy:other_operator']);
  custody.setPolicy(owner.address, { ...OPEN_POLICY, tiers: ['ai', 'gpu'] });
  await rewrapped(gpu, [header]);
  assert.deepEqual(await reasonsFor(call), ['policy:tier']);
});

test('operators of later tasks count for the cap of the owner', async () => {
  const { custody, released, handed, rewrapped, reasonsFor } = await bench();
  const terms = { pipelines: null, commercialUse: true, zones: null };
  const policy: OwnerPolicy = { terms, isPaused: false, plaintextOperatorsMax: 1 };
  custody.setPolicy(owner.address, policy);
  await released({ job: SPREAD, assignment: { task: 'align' } });
  const { header } = await handed();
  const another = { ...CALL, operator: walletNamed('another operator').address };
  const papers = { job: SPREAD, assignment: another };
  assert.deepEqual(await reasonsFor(papers), ['policy:operators']);
  custody.setPolicy(owner.address, { ...policy, plaintextOperatorsMax: 2 });
  await rewrapped(papers, [header]);
  const third = { ...CALL, operator: walletNamed('a third operator').address };
  assert.deepEqual(await reasonsFor({ ...papers, assignment: third }), ['policy:operators']);
});

test('when its coordinator ends a job its key is gone for good, and from the file', async () => {
  const { custody, handed, rewrapped, reasonsFor, request, folder } = await bench();
  const { header } = await handed();
  const { document } = parseNetworkJob((await request(call)).job);
  const jobId = documentId(crypto, document);
  custody.endJob(jobId, other.nodeId);
  await rewrapped(call, [header]);
  custody.endJob(jobId, coordinator.nodeId);
  custody.endJob(jobId, coordinator.nodeId);
  assert.deepEqual(await reasonsFor(call), ['task:over']);
  const store = new DatabaseSync(join(folder, 'custody', 'custody.sqlite'), { readOnly: true });
  const rows = store.prepare('SELECT sealed FROM job_keys').all();
  store.close();
  assert.deepEqual(
    rows.map(({ sealed }) => sealed),
    [null],
  );
});
