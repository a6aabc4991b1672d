/**
 * Releases the keys of a dataset to the node that works on a task, for one attempt: the papers of the
 * task (`task-policy.ts`), then everything that is asked of a requester (`release-policy.ts`), then
 * the owner's cap on operators; sealed to the node, with a statement for the vault.
 *
 * The log entry is durable before a header leaves this module, as for releases to people.
 */
import assert from 'node:assert/strict';
import type { Digest, NodeId } from '@helixmesh/protocol';
import {
  encodeDocument,
  type KeyPair,
  NODE_RELEASE_MS_MAX,
  NODE_RELEASE_TYPE,
  type NodeRelease,
  rewrapHeader,
  signWithKey,
} from '@helixmesh/protocol/sealing';
import { logAccess } from './access-log.ts';
import type { CustodyParts } from './custody.ts';
import { type StoredDataset, storedDataset } from './datasets.ts';
import { policyOf } from './heads.ts';
import { evidenceOf, offeredGrants } from './release.ts';
import { judgeRelease, type ReleaseAnswer } from './release-policy.ts';
import { type Refusal, type ReleaseReason, refused } from './release-reasons.ts';
import { judgeTask, type TaskInOrder } from './task-policy.ts';

export interface TaskReleaseRequest {
  /** The node whose key has signed the request. */
  readonly caller: NodeId;
  readonly dataset: Digest;
  /** Canonical bytes of the signed documents. */
  readonly job: Uint8Array;
  readonly assignment: Uint8Array;
  /** X25519 public key of the caller. */
  readonly encryptionKey: Uint8Array;
  /** Ed25519 keys of the custodian that answers. */
  readonly custodian: KeyPair;
  /** As the network's genesis document names them. */
  readonly coordinators: readonly NodeId[];
}

export interface TaskReleased {
  readonly status: 'released';
  /** Canonical bytes of the signed manifest. */
  readonly manifest: Uint8Array;
  readonly header: Uint8Array;
  readonly partHeader: Uint8Array;
  /** Canonical bytes of the signed statement for the vault. */
  readonly release: Uint8Array;
  /** Canonical bytes of the signed grant; null for the requester's own dataset. */
  readonly grant: Uint8Array | null;
}

export interface TaskReleases {
  /** Answers one request for keys, and has logged it. */
  releaseForTask(request: TaskReleaseRequest): TaskReleased | Refusal;
}

export type Allowed = Extract<ReleaseAnswer, { status: 'released' }>;

export function taskReleases(parts: CustodyParts): TaskReleases {
  const { database, crypto, network, now } = parts;
  return {
    releaseForTask: (request) =>
      database.atomically(() => {
        const papers = { ...request, network, nowMs: now() };
        const task = judgeTask(crypto, papers, request.dataset);
        // Who has no papers is a stranger: there is no account to log and nothing to tell.
        if (task.status === 'refused') return refused([`task:${task.reason}`], false);
        const judgement = judgeForTask(parts, request, task);
        logForTask(parts, task, judgement.answer);
        return judgement.answer.status === 'refused'
          ? judgement.answer
          : sealed(parts, request, { ...judgement, answer: judgement.answer, task });
      }),
  };
}

export interface Judgement {
  readonly answer: Allowed | Refusal;
  readonly stored: StoredDataset | undefined;
  /** Canonical bytes of the grant that the job names. */
  readonly grant: Uint8Array | null;
}

/** Everything that is asked of a requester, for one dataset of a task, and the cap on operators. */
export function judgeForTask(
  parts: CustodyParts,
  { custodian, encryptionKey: key }: Pick<TaskReleaseRequest, 'custodian' | 'encryptionKey'>,
  task: TaskInOrder,
): Judgement {
  const { dataset } = task;
  const requester = { account: task.job.requester, scopes: ['read'] };
  const asked = { requester, dataset, purpose: task.purpose, custodian, grant: null };
  const stored = storedDataset(parts, dataset);
  const offered = offeredGrants(parts, asked).filter(({ id }) => id === task.grant);
  const evidence = evidenceOf(
    parts,
    { ...asked, encryptionKey: new Uint8Array(0) },
    { stored, offered },
  );
  const { operator, tier } = task.assignment;
  const answer = judgeRelease(parts.crypto, { ...evidence, node: { key, operator, tier } });
  const capped =
    answer.status === 'released' ? capFault(parts, dataset, { answer, operator }) : null;
  const grant = offered[0]?.bytes ?? null;
  return { answer: capped === null ? answer : refused([capped], true), stored, grant };
}

/** Writes what was decided into the owner's access log, and whose node got keys. */
export function logForTask(
  parts: CustodyParts,
  task: TaskInOrder,
  answer: Allowed | Refusal,
): void {
  const { assignment, dataset } = task;
  const sequence = logAccess(parts, {
    who: task.job.requester,
    dataset,
    grant: task.grant,
    purpose: task.purpose,
    task: assignment.task ?? 'main',
    outcome: answer.status,
    reasons: answer.status === 'refused' ? answer.reasons : [],
  });
  if (answer.status === 'refused') return;
  parts.database.run(
    'INSERT INTO task_releases VALUES (?, ?, ?, ?, ?, ?)',
    sequence,
    dataset,
    task.jobId,
    assignment.attemptId,
    assignment.nodeId,
    assignment.operator,
  );
}

/** What the owner's cap and the whole object demand beyond the terms. */
function capFault(
  parts: CustodyParts,
  dataset: Digest,
  { answer, operator }: { readonly answer: Allowed; readonly operator: string },
): ReleaseReason | null {
  if (answer.grant !== null && answer.grant.byteRanges !== null) return 'task:regions';
  const { plaintextOperatorsMax: max } = policyOf(parts, answer.manifest.document.owner);
  if (max === null || max === undefined) return null;
  const sql = 'SELECT DISTINCT operator FROM task_releases WHERE dataset = ?';
  const seen = parts.database.all<{ operator: string }>(sql, dataset);
  const all = new Set([...seen.map((row) => row.operator), operator]);
  return all.size > max ? 'policy:operators' : null;
}

function sealed(
  { crypto, network, key, now }: CustodyParts,
  { dataset, caller, custodian }: TaskReleaseRequest,
  at: {
    readonly task: TaskInOrder;
    readonly answer: Allowed;
    readonly stored: StoredDataset | undefined;
    readonly grant: Uint8Array | null;
  },
): TaskReleased {
  const { answer, stored, task, grant } = at;
  assert(stored?.header && stored.partHeader, 'a dataset that is released has its keys');
  const keys = { reader: key, recipients: [answer.recipient] };
  const { attemptId, fencingToken } = task.assignment;
  const issuedAtMs = now();
  const document: NodeRelease = {
    type: NODE_RELEASE_TYPE,
    network,
    owner: answer.manifest.document.owner,
    object: dataset,
    node: caller,
    account: task.job.requester,
    grant: task.grant,
    job: task.jobId,
    attempt: attemptId,
    fencingToken,
    purpose: task.purpose,
    issuedAtMs,
    untilMs: issuedAtMs + NODE_RELEASE_MS_MAX,
  };
  return {
    status: 'released',
    manifest: encodeDocument(answer.manifest),
    header: rewrapHeader(crypto, stored.header, keys),
    partHeader: rewrapHeader(crypto, stored.partHeader, keys),
    release: encodeDocument(signWithKey(crypto, custodian.secretKey, document)),
    grant,
  };
}
