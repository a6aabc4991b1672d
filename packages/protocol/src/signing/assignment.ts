/**
 * Assignments: the coordinator states with its Ed25519 key which attempt of which task a node is at
 * work on. A custodian releases keys to that node for that time, and checks everything else itself.
 */
import { z } from 'zod';
import type { Crypto } from '../crypto/port.ts';
import type { Digest } from '../ids.ts';
import { ATTEMPT_STATEMENT_BYTES_MAX, JOB_DATASETS_MAX, REQUEST_WINDOW_MS } from '../limits.ts';
import { nodeIdFieldSchema } from '../network/address.ts';
import { keySignedSchema, parseDocument, type Signed, verifyWithKey } from './document.ts';
import {
  addressSchema,
  attemptIdSchema,
  digestSchema,
  fencingTokenSchema,
  isSortedSet,
  taskIdSchema,
  timeMsSchema,
  zoneSchema,
} from './fields.ts';
import { keyOfNode } from './key-of-node.ts';
import type { NetworkJob } from './network-job.ts';

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
    attemptId: attemptIdSchema,
    fencingToken: fencingTokenSchema,
    nodeId: nodeIdFieldSchema,
    operator: addressSchema,
    /** Where the node is, by a statement of its operator that the coordinator has verified. */
    zone: zoneSchema.nullable(),
    /** Manifests that the task reads, sorted. */
    datasets: z.array(digestSchema).min(1).max(JOB_DATASETS_MAX).refine(isSortedSet),
    issuedAtMs: timeMsSchema,
    /** End of the attempt's lease. A renewed lease comes with a new assignment. */
    expiresAtMs: timeMsSchema,
  })
  .refine(({ issuedAtMs, expiresAtMs }) => issuedAtMs < expiresAtMs, { path: ['expiresAtMs'] });
export type Assignment = z.infer<typeof assignmentSchema>;

/** A signed assignment from its canonical bytes. Throws INPUT_MALFORMED. */
export function parseAssignment(bytes: Uint8Array): Signed<Assignment> {
  const options = { what: 'an assignment', maxBytes: ATTEMPT_STATEMENT_BYTES_MAX };
  return parseDocument(keySignedSchema(assignmentSchema), bytes, options);
}

export type AssignmentRefusal =
  | 'network'
  | 'signature'
  | 'job'
  | 'datasets'
  | 'not_yet'
  | 'expired';

/**
 * Why an assignment does not hold for a job (its signature verified, its id `id`); null when it does:
 * that job's coordinator has signed it, it names datasets of the job only, and its time has come.
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
  const known = new Set(job.datasets.map(({ dataset }) => dataset));
  if (!document.datasets.every((dataset) => known.has(dataset))) return 'datasets';
  if (document.issuedAtMs > nowMs + REQUEST_WINDOW_MS) return 'not_yet';
  return document.expiresAtMs <= nowMs ? 'expired' : null;
}
