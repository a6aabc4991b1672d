/**
 * Assignments: the coordinator states with its Ed25519 key which attempt of which task a node is at
 * work on. A custodian releases keys to that node for that time, and checks everything else itself.
 *
 * A task that reads no dataset works on what other tasks of its job have made; their nodes serve it, and
 * a custodian rewraps its headers, for this assignment.
 */
import { z } from 'zod';
import type { Crypto } from '../crypto/port.ts';
import { AppError } from '../errors.ts';
import type { Digest } from '../ids.ts';
import { ATTEMPT_STATEMENT_BYTES_MAX, JOB_DATASETS_MAX, REQUEST_WINDOW_MS } from '../limits.ts';
import { nodeIdFieldSchema } from '../network/address.ts';
import { type AnalysisStage, spreadOf, stageOfTask } from '../stages.ts';
import { keySignedSchema, parseDocument, type Signed, verifyWithKey } from './document.ts';
import {
  addressSchema,
  attemptIdSchema,
  digestSchema,
  fencingTokenSchema,
  isSortedSet,
  taskIdSchema,
  tierSchema,
  timeMsSchema,
  zoneSchema,
} from './fields.ts';
import { keyOfNode } from './key-of-node.ts';
import { type NetworkJob, networkTaskId } from './network-job.ts';

export const ASSIGNMENT_TYPE = 'helixmesh/assignment/v1';

export const assignmentSchema = z
  .strictObject({
    type: z.literal(ASSIGNMENT_TYPE),
    network: digestSchema,
    /** Whose key has signed it. */
    coordinator: nodeIdFieldSchema,
    /** Id of the job's document. */
    job: digestSchema,
    taskId: taskIdSchema,
    /** Name of the task, which its id is made of; absent for `main`. */
    task: z
      .string()
      .regex(/^(align|call\.[1-9][0-9]?|finish)$/)
      .optional(),
    attemptId: attemptIdSchema,
    fencingToken: fencingTokenSchema,
    nodeId: nodeIdFieldSchema,
    operator: addressSchema,
    /** The node's, by the hardware that it has registered; absent where nothing of it is known. */
    tier: tierSchema.optional(),
    /** Where the node is, by a statement of its operator that the coordinator has verified. */
    zone: zoneSchema.nullable(),
    /** Manifests that the task reads, sorted; none for a task that reads what others have made. */
    datasets: z.array(digestSchema).max(JOB_DATASETS_MAX).refine(isSortedSet),
    issuedAtMs: timeMsSchema,
    /** End of the attempt's lease. A renewed lease comes with a new assignment. */
    expiresAtMs: timeMsSchema,
  })
  .refine(({ issuedAtMs, expiresAtMs }) => issuedAtMs < expiresAtMs, { path: ['expiresAtMs'] })
  .refine(({ task, datasets }) => readsDatasets(task) === datasets.length > 0, {
    path: ['datasets'],
  });
export type Assignment = z.infer<typeof assignmentSchema>;

/** Name of the only task of a job that is not spread. */
const WHOLE_TASK = 'main';

/** A signed assignment from its canonical bytes. Throws INPUT_MALFORMED. */
export function parseAssignment(bytes: Uint8Array): Signed<Assignment> {
  const options = { what: 'an assignment', maxBytes: ATTEMPT_STATEMENT_BYTES_MAX };
  return parseDocument(keySignedSchema(assignmentSchema), bytes, options);
}

/** The whole of an analysis, and its alignment, begin with the reads. */
function readsDatasets(task: string | undefined): boolean {
  return task === undefined || task === 'align';
}

export type AssignmentRefusal =
  | 'network'
  | 'signature'
  | 'job'
  | 'task'
  | 'datasets'
  | 'operator'
  | 'not_yet'
  | 'expired';

/**
 * Why an assignment does not hold for a job (its signature verified, its id `id`); null when it does:
 * that job's coordinator has signed it, for a task of that job, it names datasets of the job only and
 * an operator whom the requester allows, and its time has come.
 */
export function assignmentRefusal(
  crypto: Crypto,
  signed: Signed<Assignment>,
  { job, id, nowMs }: { readonly job: NetworkJob; readonly id: Digest; readonly nowMs: number },
): AssignmentRefusal | null {
  const { document } = signed;
  const expected = { network: job.network, publicKey: keyOfNode(job.coordinator) };
  const verdict = verifyWithKey(crypto, signed, expected);
  if (verdict.status === 'invalid') return verdict.reason;
  if (document.job !== id || document.coordinator !== job.coordinator) return 'job';
  const name = document.task ?? WHOLE_TASK;
  const isOfJob = stageOf(job, name) !== undefined;
  const taskId = networkTaskId(crypto, { network: job.network, job: id, name });
  if (!isOfJob || document.taskId !== taskId) return 'task';
  const known = new Set(job.datasets.map(({ dataset }) => dataset));
  if (!document.datasets.every((dataset) => known.has(dataset))) return 'datasets';
  const { operators } = job.constraints;
  if (operators !== null && !operators.includes(document.operator)) return 'operator';
  if (document.issuedAtMs > nowMs + REQUEST_WINDOW_MS) return 'not_yet';
  return document.expiresAtMs <= nowMs ? 'expired' : null;
}

/** What the task of an assignment does in its job; undefined for one that the job does not have. */
export function stageOf(job: NetworkJob, task: string = WHOLE_TASK): AnalysisStage | undefined {
  try {
    return stageOfTask(task, spreadOf(job.parameters));
  } catch (thrown) {
    // A name or a spread that means nothing is an expected outcome here.
    if (thrown instanceof AppError) return undefined;
    throw thrown;
  }
}
