import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Digest, TaskId } from '@helixmesh/protocol';
import { nodeCrypto as crypto } from '@helixmesh/protocol/node';
import {
  encodeDocument,
  type Manifest,
  makeX25519KeyPair,
  openHeader,
  parseNodeRelease,
  verifyWithKey,
} from '@helixmesh/protocol/sealing';
import { network, START_MS, walletNamed } from '../testing/sealed-dataset.ts';
import { temporaryFolder } from '../testing/temporary-folder.ts';
import { OPEN_POLICY, type OwnerPolicy } from './release-policy.ts';
import type { ReleaseReason } from './release-reasons.ts';
import {
  custodian,
  node,
  nodeKey,
  OF_A_FRIEND,
  other,
  owner,
  type Papers,
  requester,
  taskBench,
} from './testing/task-bench.ts';

const root = temporaryFolder('task-release');
const bench = (changes: Partial<Manifest> = {}) => taskBench(root, changes);

test('the node of an attempt gets the keys, and a statement for the vault', async () => {
  const { custody, dataset, grant, released } = await bench();
  const answer = await released();
  assert.deepEqual(openHeader(crypto, answer.header, nodeKey).dataKeys, dataset.keys);
  const stranger = makeX25519KeyPair(crypto);
  assert.throws(() => openHeader(crypto, answer.header, stranger), { code: 'KEY_NOT_HELD' });
  const statement = parseNodeRelease(answer.release);
  const { publicKey } = custodian;
  assert.equal(verifyWithKey(crypto, statement, { network, publicKey }).status, 'valid');
  const { object, node: named, account, grant: basis } = statement.document;
  assert.deepEqual(
    [object, named, account, basis],
    [dataset.id, node.nodeId, requester.address, grant.id],
  );
  assert.deepEqual(answer.grant, encodeDocument(grant.signed));
  const [entry] = custody.accessLog();
  assert.deepEqual(
    [entry?.who, entry?.outcome, entry?.purpose.pipeline],
    [requester.address, 'released', 'germline'],
  );
  assert.deepEqual(entry?.node, {
    nodeId: node.nodeId,
    operator: walletNamed('operator').address,
  });
});

const FAULTS: readonly (readonly [ReleaseReason, Papers])[] = [
  ['task:job_malformed', { request: { job: new Uint8Array(9) } }],
  ['task:job_coordinator', { request: { coordinators: [other.nodeId] } }],
  ['task:job_expired', { job: { expiresAtMs: START_MS }, assignment: {} }],
  ['task:job_network', { job: { network: `sha256:${'1'.repeat(64)}` as Digest } }],
  ['task:assignment_malformed', { request: { assignment: new Uint8Array(3) } }],
  ['task:assignment_signature', { signer: other.secretKey }],
  ['task:assignment_job', { assignment: { job: `sha256:${'2'.repeat(64)}` as Digest } }],
  ['task:assignment_task', { assignment: { taskId: `task_${'0'.repeat(32)}` as TaskId } }],
  ['task:assignment_task', { assignment: { task: 'align' } }],
  ['task:assignment_expired', { assignment: { issuedAtMs: START_MS - 9, expiresAtMs: START_MS } }],
  [
    'task:assignment_datasets',
    { assignment: { datasets: [`sha256:${'3'.repeat(64)}` as Digest] } },
  ],
  ['task:assignment_operator', { job: { constraints: OF_A_FRIEND } }],
  ['task:node', { request: { caller: other.nodeId } }],
  ['task:dataset', { request: { dataset: `sha256:${'4'.repeat(64)}` as Digest } }],
  ['grant:pipeline', { job: { pipeline: { name: 'trio', version: 1 } } }],
  ['grant:zone', { assignment: { zone: 'EU' } }],
  ['grant:zone', { assignment: { zone: null } }],
  ['key:unusable', { request: { encryptionKey: new Uint8Array(32) } }],
];

for (const [reason, papers] of FAULTS) {
  test(`nothing is released: ${reason} (${JSON.stringify(Object.keys(papers))})`, async () => {
    const { reasonsFor } = await bench();
    const early = reason === 'task:job_expired' ? { issuedAtMs: START_MS - 9 } : {};
    const job = papers.job === undefined ? {} : { job: { ...papers.job, ...early } };
    assert.deepEqual(await reasonsFor({ ...papers, ...job }), [reason]);
  });
}

test('a job that names no grant, or one that was revoked, gets nothing', async () => {
  const { dataset, revoke, reasonsFor, place } = await bench();
  const places = { custodian: place, vaults: [place] };
  const none = { job: { datasets: [{ dataset: dataset.id, grant: null, ...places }] } };
  assert.deepEqual(await reasonsFor(none), ['grant:missing']);
  await revoke();
  assert.deepEqual(await reasonsFor({}), ['grant:revoked']);
});

test('the residency of a dataset binds the tasks of its owner too', async () => {
  const { dataset, reasonsFor, released, place } = await bench({ residency: ['MX'] });
  const places = { custodian: place, vaults: [place] };
  const own = {
    requester: owner.address,
    datasets: [{ dataset: dataset.id, grant: null, ...places }],
  };
  assert.equal((await released({ job: own })).grant, null);
  const abroad = { job: own, assignment: { zone: 'EU' } };
  assert.deepEqual(await reasonsFor(abroad), ['object:residency']);
});

const named = (operator: string): OwnerPolicy => ({
  ...OPEN_POLICY,
  operators: [walletNamed(operator).address],
});

test('nothing is released to a node of an operator whom the owner does not name', async () => {
  const { custody, dataset, reasonsFor, released, place } = await bench();
  custody.setPolicy(owner.address, named('friend'));
  assert.deepEqual(await reasonsFor({}), ['policy:other_operator']);
  const [entry] = custody.accessLog();
  assert.deepEqual([entry?.outcome, entry?.reasons], ['refused', ['policy:other_operator']]);
  await released({ assignment: { operator: walletNamed('friend').address } });
  // Nor for a task of the owner's own.
  const places = { custodian: place, vaults: [place] };
  const datasets = [{ dataset: dataset.id, grant: null, ...places }];
  const own = { job: { requester: owner.address, datasets } };
  assert.deepEqual(await reasonsFor(own), ['policy:other_operator']);
  custody.setPolicy(owner.address, named('operator'));
  await released(own);
});

test('nothing is released to a node of a tier that the owner does not name, or of none', async () => {
  const { custody, reasonsFor, released } = await bench();
  custody.setPolicy(owner.address, { ...OPEN_POLICY, tiers: ['ai', 'gpu'] });
  assert.deepEqual(await reasonsFor({ assignment: { tier: 'basic' } }), ['policy:tier']);
  assert.deepEqual(await reasonsFor({}), ['policy:tier'], 'an assignment without a tier');
  await released({ assignment: { tier: 'gpu' } });
  custody.setPolicy(owner.address, { ...named('friend'), tiers: ['ai'] });
  const both = await reasonsFor({ assignment: { tier: 'gpu' } });
  assert.deepEqual(both, ['policy:other_operator', 'policy:tier'], 'the log names both');
});

test('no more operators are given keys than the owner allows', async () => {
  const { custody, reasonsFor, released } = await bench();
  const terms = { pipelines: null, commercialUse: true, zones: null };
  const policy: OwnerPolicy = { terms, isPaused: false, plaintextOperatorsMax: 1 };
  custody.setPolicy(owner.address, policy);
  await released();
  await released();
  const second = { assignment: { operator: walletNamed('another operator').address } };
  assert.deepEqual(await reasonsFor(second), ['policy:operators']);
  custody.setPolicy(owner.address, { ...policy, plaintextOperatorsMax: 2 });
  await released(second);
});
