/**
 * Whether the papers of a task are in order: the requester's signed job and the coordinator's signed
 * assignment of an attempt to the node that asks. A pure function; whether the requester may use the
 * dataset at all is judged apart (`release-policy.ts`).
 *
 * Invariants
 * T1  The job is signed by its requester, has not ended, and names a coordinator of this network.
 * T2  That coordinator has assigned an attempt of that job to the node that asks, and its lease runs.
 * T3  Job and assignment both name the dataset that keys are asked of.
 */
import type { Digest, NodeId } from '@helixmesh/protocol';
import {
  type Assignment,
  assignmentRefusal,
  type Crypto,
  type NetworkJob,
  type Purpose,
  parseAssignment,
  parseNetworkJob,
  verifyNetworkJob,
} from '@helixmesh/protocol/sealing';
import { parsed } from './release-policy.ts';
import type { TaskRefusal } from './release-reasons.ts';

/** ISO 3166 gives it to nobody: a zone that no terms allow by name. */
const UNKNOWN_ZONE = 'ZZ';

export interface TaskPapers {
  readonly network: Digest;
  /** As the network's genesis document names them. */
  readonly coordinators: readonly NodeId[];
  readonly nowMs: number;
  /** The node whose key has signed the request. */
  readonly caller: NodeId;
  /** Canonical bytes of the signed documents. */
  readonly job: Uint8Array;
  readonly assignment: Uint8Array;
}

interface Refused {
  readonly status: 'refused';
  readonly reason: TaskRefusal;
}

/** An attempt whose papers are in order. */
export interface AttemptInOrder {
  readonly status: 'in_order';
  readonly jobId: Digest;
  readonly job: NetworkJob;
  readonly assignment: Assignment;
  readonly purpose: Purpose;
}

/** The same, for the keys of one dataset. */
export interface TaskInOrder extends AttemptInOrder {
  readonly dataset: Digest;
  /** The grant that the job names for this dataset; null for the requester's own. */
  readonly grant: Digest | null;
}

/** T1, T2, T3 */
export function judgeTask(
  crypto: Crypto,
  papers: TaskPapers,
  dataset: Digest,
): TaskInOrder | Refused {
  const attempt = judgeAttempt(crypto, papers);
  if (attempt.status === 'refused') return attempt;
  const source = attempt.job.datasets.find((one) => one.dataset === dataset);
  if (source === undefined || !attempt.assignment.datasets.includes(dataset)) {
    return { status: 'refused', reason: 'dataset' };
  }
  return { ...attempt, dataset, grant: source.grant };
}

/** T1, T2 */
export function judgeAttempt(crypto: Crypto, papers: TaskPapers): AttemptInOrder | Refused {
  const { network, coordinators, nowMs, caller } = papers;
  const refused = (reason: TaskRefusal): Refused => ({ status: 'refused', reason });
  const signedJob = parsed(() => parseNetworkJob(papers.job));
  if (signedJob === undefined) return refused('job_malformed');
  const job = signedJob.document;
  if (!coordinators.includes(job.coordinator)) return refused('job_coordinator');
  const expected = { network, coordinator: job.coordinator, nowMs };
  const verdict = verifyNetworkJob(crypto, signedJob, expected);
  if (verdict.status === 'invalid') return refused(`job_${verdict.reason}`);
  const signed = parsed(() => parseAssignment(papers.assignment));
  if (signed === undefined) return refused('assignment_malformed');
  const fault = assignmentRefusal(crypto, signed, { job, id: verdict.id, nowMs });
  if (fault !== null) return refused(`assignment_${fault}`);
  const assignment = signed.document;
  if (assignment.nodeId !== caller) return refused('node');
  const purpose = {
    pipeline: job.pipeline.name,
    isCommercial: job.constraints.isCommercial,
    zone: assignment.zone ?? UNKNOWN_ZONE,
  };
  return { status: 'in_order', jobId: verdict.id, job, assignment, purpose };
}
