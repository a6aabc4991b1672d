import assert from 'node:assert/strict';
import { mkdtempSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import type { AttemptId, Digest, TaskId } from '@helixmesh/protocol';
import { nodeCrypto as crypto } from '@helixmesh/protocol/node';
import {
  ASSIGNMENT_TYPE,
  type Assignment,
  documentId,
  encodeDocument,
  formatNodeAddress,
  type Manifest,
  makeX25519KeyPair,
  NETWORK_JOB_TYPE,
  type NetworkJob,
  nodeIdOf,
  openHeader,
  parseNodeRelease,
  signDocument,
  signWithKey,
  toHex,
  verifyWithKey,
} from '@helixmesh/protocol/sealing';
import {
  network,
  newNonce,
  START_MS,
  sealedDataset,
  signedGrant,
  signedHead,
  vault,
  walletNamed,
} from '../testing/sealed-dataset.ts';
import { temporaryFolder } from '../testing/temporary-folder.ts';
import { openCustody } from './custody.ts';
import type { OwnerPolicy } from './release-policy.ts';
import type { ReleaseReason } from './release-reasons.ts';
import type { TaskReleased, TaskReleaseRequest } from './task-release.ts';

const root = temporaryFolder('task-release');
const owner = walletNamed('owner');
const requester = walletNamed('grantee');
const keysOf = (secretKey: Uint8Array) => {
  const publicKey = crypto.ed25519PublicKey(secretKey);
  return { secretKey, publicKey, nodeId: nodeIdOf(toHex(publicKey)) };
};
const custodian = keysOf(crypto.random(32));
const coordinator = keysOf(crypto.random(32));
const node = keysOf(crypto.random(32));
const other = keysOf(crypto.random(32));
const address = formatNodeAddress(vault);
const nodeKey = makeX25519KeyPair(crypto);

interface Papers {
  readonly job?: Partial<NetworkJob>;
  readonly assignment?: Partial<Assignment>;
  readonly request?: Partial<TaskReleaseRequest>;
  readonly signer?: Uint8Array;
}

/** A dataset of the owner, granted to the requester, and papers for one attempt at it. */
async function bench(changes: Partial<Manifest> = {}) {
  const clock = { nowMs: START_MS };
  const folder = mkdtempSync(join(root, 'data-'));
  const custody = await openCustody({ folder, crypto, network, now: () => clock.nowMs });
  const dataset = await sealedDataset(owner, custody.publicKey, { changes });
  custody.addDataset(dataset);
  custody.markStored(dataset.id);
  const head = await signedHead(owner, { custodian: toHex(custodian.publicKey) });
  custody.addHead(head.signed);
  const grant = await signedGrant(owner, {
    dataset: dataset.id,
    grantee: requester.address,
    terms: { pipelines: ['germline'], commercialUse: false, zones: ['MX'] },
  });
  custody.addGrant({ grant: grant.signed, byteRanges: null });
  const revoke = async () => {
    const custodianHex = toHex(custodian.publicKey);
    const next = { number: 2, previous: head.id, revoked: [grant.id], custodian: custodianHex };
    custody.addHead((await signedHead(owner, next)).signed);
  };

  async function request(papers: Papers = {}): Promise<TaskReleaseRequest> {
    const place = { custodian: address, vaults: [address] };
    const job: NetworkJob = {
      type: NETWORK_JOB_TYPE,
      network,
      requester: requester.address,
      coordinator: coordinator.nodeId,
      chainId: null,
      nonce: newNonce(),
      issuedAtMs: START_MS,
      expiresAtMs: START_MS + 3_600_000,
      datasets: [{ dataset: dataset.id, grant: grant.id, ...place }],
      pipeline: { name: 'germline', version: 1 },
      parameters: {},
      constraints: {
        zones: null,
        operators: null,
        isCommercial: false,
        needsStrongSandbox: true,
        onShortfall: 'wait',
      },
      redundancy: 1,
      replicasMax: 1,
      maxPriceMicroUsd: '0',
      outputCustodian: {
        owner: requester.address,
        nodeId: other.nodeId,
        encryptionKey: toHex(nodeKey.publicKey),
      },
      ...papers.job,
    };
    const wallet = job.requester === owner.address ? owner : requester;
    const assignment: Assignment = {
      type: ASSIGNMENT_TYPE,
      network,
      coordinator: job.coordinator,
      job: documentId(crypto, job),
      taskId: `task_${'0'.repeat(32)}` as TaskId,
      attemptId: `att_${'0'.repeat(16)}` as AttemptId,
      fencingToken: 1,
      nodeId: node.nodeId,
      operator: walletNamed('operator').address,
      zone: 'MX',
      datasets: [dataset.id],
      issuedAtMs: START_MS,
      expiresAtMs: START_MS + 60_000,
      ...papers.assignment,
    };
    const signed = signWithKey(crypto, papers.signer ?? coordinator.secretKey, assignment);
    return {
      caller: node.nodeId,
      dataset: dataset.id,
      job: encodeDocument(await signDocument(wallet, job)),
      assignment: encodeDocument(signed),
      encryptionKey: nodeKey.publicKey,
      custodian,
      coordinators: [coordinator.nodeId],
      ...papers.request,
    };
  }

  const reasonsFor = async (papers: Papers): Promise<readonly ReleaseReason[]> => {
    const answer = custody.releaseForTask(await request(papers));
    return answer.status === 'refused' ? answer.reasons : [];
  };
  const released = async (papers: Papers = {}): Promise<TaskReleased> => {
    const answer = custody.releaseForTask(await request(papers));
    return answer.status === 'released' ? answer : assert.fail(answer.reasons.join());
  };
  return { custody, clock, dataset, grant, revoke, request, reasonsFor, released, place: address };
}

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
});

const FAULTS: readonly (readonly [ReleaseReason, Papers])[] = [
  ['task:job_malformed', { request: { job: new Uint8Array(9) } }],
  ['task:job_coordinator', { request: { coordinators: [other.nodeId] } }],
  ['task:job_expired', { job: { expiresAtMs: START_MS }, assignment: {} }],
  ['task:job_network', { job: { network: `sha256:${'1'.repeat(64)}` as Digest } }],
  ['task:assignment_malformed', { request: { assignment: new Uint8Array(3) } }],
  ['task:assignment_signature', { signer: other.secretKey }],
  ['task:assignment_job', { assignment: { job: `sha256:${'2'.repeat(64)}` as Digest } }],
  ['task:assignment_expired', { assignment: { issuedAtMs: START_MS - 9, expiresAtMs: START_MS } }],
  [
    'task:assignment_datasets',
    { assignment: { datasets: [`sha256:${'3'.repeat(64)}` as Digest] } },
  ],
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
