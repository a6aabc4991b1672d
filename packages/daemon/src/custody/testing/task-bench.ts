/** An owner's custody with one granted dataset, and the papers of an attempt at it. */
import assert from 'node:assert/strict';
import { mkdtempSync } from 'node:fs';
import { join } from 'node:path';
import type { AttemptId } from '@helixmesh/protocol';
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
  networkTaskId,
  nodeIdOf,
  signDocument,
  signWithKey,
  toHex,
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
} from '../../testing/sealed-dataset.ts';
import { openCustody } from '../custody.ts';
import type { ReleaseReason } from '../release-reasons.ts';
import type { TaskReleased, TaskReleaseRequest } from '../task-release.ts';

export const owner = walletNamed('owner');
export const requester = walletNamed('grantee');
export const keysOf = (secretKey: Uint8Array) => {
  const publicKey = crypto.ed25519PublicKey(secretKey);
  return { secretKey, publicKey, nodeId: nodeIdOf(toHex(publicKey)) };
};
export const custodian = keysOf(crypto.random(32));
export const coordinator = keysOf(crypto.random(32));
export const node = keysOf(crypto.random(32));
export const other = keysOf(crypto.random(32));
const address = formatNodeAddress(vault);
export const nodeKey = makeX25519KeyPair(crypto);

/** Of a job whose requester allows one operator, who has none of these nodes. */
export const OF_A_FRIEND: NetworkJob['constraints'] = {
  ...{ zones: null, operators: [walletNamed('friend').address] },
  ...{ isCommercial: false, needsStrongSandbox: true, onShortfall: 'wait' },
};

export interface Papers {
  readonly job?: Partial<NetworkJob>;
  readonly assignment?: Partial<Assignment>;
  readonly request?: Partial<TaskReleaseRequest>;
  readonly signer?: Uint8Array;
}

/** A dataset of the owner, granted to the requester, and papers for one attempt at it. */
export async function taskBench(root: string, changes: Partial<Manifest> = {}) {
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
    const { task = 'main' } = papers.assignment ?? {};
    const jobId = documentId(crypto, job);
    const wallet = job.requester === owner.address ? owner : requester;
    const assignment: Assignment = {
      type: ASSIGNMENT_TYPE,
      network,
      coordinator: job.coordinator,
      job: jobId,
      taskId: networkTaskId(crypto, { network: job.network, job: jobId, name: task }),
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
  const place = address;
  return { custody, clock, dataset, grant, revoke, request, reasonsFor, released, place, folder };
}
