/**
 * The routes of work on the network, at a coordinator: requesters submit and watch jobs, nodes fetch
 * their offers and give account of their attempts. Part of NETWORK_ROUTES.
 *
 * Every call may be sent again: the second answer is that of the first. A lease that is lost is
 * LEASE_EXPIRED, and whatever a node sends under it changes nothing.
 */
import { z } from 'zod';
import {
  ATTEMPT_STATEMENT_BYTES_MAX,
  ATTEMPTS_LISTED_MAX,
  DEAD_TASKS_LISTED_MAX,
  GRANT_BYTES_MAX,
  JOB_DATASETS_MAX,
  MANIFEST_BYTES_MAX,
  NETWORK_JOB_BYTES_MAX,
  OFFERS_LISTED_MAX,
  PLACEMENT_PACKED_BYTES_MAX,
  PLACEMENTS_LISTED_MAX,
} from '../limits.ts';
import {
  addressSchema,
  attemptIdSchema,
  base64Of,
  digestSchema,
  fencingTokenSchema,
  taskIdSchema,
  timeMsSchema,
} from '../signing/fields.ts';
import { SPREAD_MAX } from '../stages.ts';
import { nodeAddressTextSchema, nodeIdFieldSchema } from './address.ts';

export { ATTEMPTS_LISTED_MAX, DEAD_TASKS_LISTED_MAX, OFFERS_LISTED_MAX, PLACEMENTS_LISTED_MAX };

/** States of GA4GH TES, as far as they occur. */
export const NETWORK_JOB_STATES = [
  'QUEUED',
  'RUNNING',
  'COMPLETE',
  'SYSTEM_ERROR',
  'CANCELED',
] as const;
export type NetworkJobState = (typeof NETWORK_JOB_STATES)[number];

export const NETWORK_ATTEMPT_STATES = [
  'OFFERED',
  'RUNNING',
  'COMMITTED',
  'REVEALED',
  'ENDED',
  /** The node did not take the offer in time. */
  'WITHDRAWN',
] as const;
export type NetworkAttemptState = (typeof NETWORK_ATTEMPT_STATES)[number];

/** Why a job waits or has failed: a code of the error table and words. */
export const reasonSchema = z.strictObject({
  code: z.string().max(64),
  message: z.string().max(1_000),
});

/** A job as its requester sees it. Results stand in it when the task is final, never before. */
export const networkJobViewSchema = z.strictObject({
  jobId: digestSchema,
  state: z.enum(NETWORK_JOB_STATES),
  reason: reasonSchema.nullable(),
  createdAtMs: timeMsSchema,
  endedAtMs: timeMsSchema.nullable(),
  tasks: z.array(
    z.strictObject({
      taskId: taskIdSchema,
      name: z.string().max(64),
      state: z.enum(NETWORK_JOB_STATES),
      /** The digest that was agreed; null while there is none. */
      resultDigest: digestSchema.nullable(),
      /** False when one operator alone has answered; null while nobody has won. */
      isChecked: z.boolean().nullable(),
      attempts: z
        .array(
          z.strictObject({
            attemptId: attemptIdSchema,
            nodeId: nodeIdFieldSchema,
            /** Where its outputs are fetched; null where the node is not registered any more. */
            address: nodeAddressTextSchema.nullable(),
            operator: addressSchema,
            state: z.enum(NETWORK_ATTEMPT_STATES),
            verdict: z.enum(['valid', 'invalid', 'none']).nullable(),
            offeredAtMs: timeMsSchema,
            /** When the node took it. */
            startedAtMs: timeMsSchema.nullable(),
            committedAtMs: timeMsSchema.nullable(),
            revealedAtMs: timeMsSchema.nullable(),
            /** When it ended without a result that counts. */
            endedAtMs: timeMsSchema.nullable(),
            /** Why it did: a word of the coordinator, or a code of the error table from the node. */
            endReason: z.string().max(64).nullable(),
          }),
        )
        .max(ATTEMPTS_LISTED_MAX),
    }),
  ),
});
export type NetworkJobView = z.infer<typeof networkJobViewSchema>;

/** What shows a coordinator that a requester may use a dataset, and how large it is. */
export const evidenceSchema = z.strictObject({
  /** The signed manifest. */
  manifest: base64Of(MANIFEST_BYTES_MAX),
  /** The signed grant that the job names; null for one's own. */
  grant: base64Of(GRANT_BYTES_MAX).nullable(),
});
export type DatasetEvidence = z.infer<typeof evidenceSchema>;

/** `placed`, `run_once` (nobody checks) or `wait` (too few lawful nodes). */
export const PLACEMENT_STATUSES = ['placed', 'run_once', 'wait'] as const;
export type PlacementStatus = (typeof PLACEMENT_STATUSES)[number];

const explanationSchema = z.strictObject({
  /** Decisions about the job or task, newest first; of those that waited the last one. */
  placements: z
    .array(
      z.strictObject({
        /** Id of the signed `helixmesh/placement/v1`. */
        placement: digestSchema,
        jobId: digestSchema,
        taskId: taskIdSchema,
        /** Name of the task. */
        task: z.string().max(64),
        status: z.enum(PLACEMENT_STATUSES),
        atMs: timeMsSchema,
      }),
    )
    .min(1)
    .max(PLACEMENTS_LISTED_MAX),
  /** The one that was asked for, or the newest: gzip of the canonical bytes of what was signed. */
  record: base64Of(PLACEMENT_PACKED_BYTES_MAX),
});
export type PlacementExplanation = z.infer<typeof explanationSchema>;

const deadTaskSchema = z.strictObject({
  taskId: taskIdSchema,
  jobId: digestSchema,
  reason: reasonSchema,
  atMs: timeMsSchema,
});
export type DeadTask = z.infer<typeof deadTaskSchema>;

/** Names an attempt and the right to speak for it. */
export const attemptRefSchema = z.strictObject({
  attemptId: attemptIdSchema,
  fencingToken: fencingTokenSchema,
});
export type AttemptRef = z.infer<typeof attemptRefSchema>;

export const offerSchema = z.strictObject({
  ...attemptRefSchema.shape,
  taskId: taskIdSchema,
  /** The job that its requester has signed. */
  job: base64Of(NETWORK_JOB_BYTES_MAX),
  expiresAtMs: timeMsSchema,
});

/** What the tasks before one have made, and which nodes have it. */
export const taskInputsSchema = z
  .array(
    z.strictObject({
      /** Name of the task that made it. */
      task: z.string().max(64),
      /** As agreed: what is fetched must have it. */
      resultDigest: digestSchema,
      /** Attempts that agreed; any will do. */
      sources: z
        .array(z.strictObject({ attemptId: attemptIdSchema, address: nodeAddressTextSchema }))
        .max(ATTEMPTS_LISTED_MAX),
    }),
  )
  .max(SPREAD_MAX + 1);
export type TaskInputs = z.infer<typeof taskInputsSchema>;

const leaseSchema = z.strictObject({
  /**
   * `work` on it; `wait` for the others, having committed; `reveal` now; or it is `over`: the reveal
   * has been taken, or the task is final.
   */
  phase: z.enum(['work', 'wait', 'reveal', 'over']),
  leaseEndsAtMs: timeMsSchema,
  /** The signed assignment for custodians; null when there is no work left to do. */
  assignment: base64Of(ATTEMPT_STATEMENT_BYTES_MAX).nullable(),
});

const entryReply = z.strictObject({ entry: base64Of(ATTEMPT_STATEMENT_BYTES_MAX) });
const none = z.strictObject({});
const jobParams = z.strictObject({ jobId: digestSchema });

const byNode = { params: none, query: none, signedBy: 'node', scope: null } as const;

export const TASK_ROUTES = {
  submitNetworkJob: {
    method: 'POST',
    path: '/api/v1/network-jobs',
    params: none,
    query: none,
    /**
     * The wallet's signature on the job is the consent; the session only says who sends it. The
     * evidence stands in the order of the job's datasets.
     */
    body: z.strictObject({
      job: base64Of(NETWORK_JOB_BYTES_MAX),
      evidence: z.array(evidenceSchema).min(1).max(JOB_DATASETS_MAX),
    }),
    reply: networkJobViewSchema,
    signedBy: 'account',
    scope: 'submit',
  },
  getNetworkJob: {
    method: 'GET',
    path: '/api/v1/network-jobs/:jobId',
    params: jobParams,
    query: none,
    body: null,
    reply: networkJobViewSchema,
    signedBy: 'account',
    scope: 'list',
  },
  cancelNetworkJob: {
    method: 'POST',
    path: '/api/v1/network-jobs/:jobId/cancel',
    params: jobParams,
    query: none,
    body: null,
    reply: networkJobViewSchema,
    signedBy: 'account',
    scope: 'cancel',
  },
  explainPlacement: {
    method: 'GET',
    /** Of a job (`sha256:…`) or a task (`task_…`): for the requester and the nodes that were chosen. */
    path: '/api/v1/placements/:subject',
    params: z.strictObject({ subject: z.union([digestSchema, taskIdSchema]) }),
    query: z.strictObject({ placement: digestSchema.optional() }),
    body: null,
    reply: explanationSchema,
    signedBy: 'account_or_node',
    scope: 'list',
  },
  listDeadTasks: {
    ...byNode,
    method: 'GET',
    /** For the coordinator's own key alone: its operator asks from its data folder. */
    path: '/api/v1/dead-tasks',
    body: null,
    reply: z.array(deadTaskSchema).max(DEAD_TASKS_LISTED_MAX),
  },
  retryTask: {
    ...byNode,
    method: 'POST',
    path: '/api/v1/dead-tasks/:taskId/retry',
    params: z.strictObject({ taskId: taskIdSchema }),
    body: null,
    /** `not_dead`: it is under way or complete; `expired`: nothing of its job is started any more. */
    reply: z.strictObject({ status: z.enum(['retried', 'expired', 'not_dead']) }),
  },
  listOffers: {
    ...byNode,
    method: 'GET',
    path: '/api/v1/offers',
    body: null,
    reply: z.array(offerSchema).max(OFFERS_LISTED_MAX),
  },
  claimOffer: {
    ...byNode,
    method: 'POST',
    path: '/api/v1/offers/claim',
    body: attemptRefSchema,
    reply: leaseSchema,
  },
  renewLease: {
    ...byNode,
    method: 'POST',
    path: '/api/v1/attempts/renew',
    body: attemptRefSchema,
    reply: leaseSchema,
  },
  listInputs: {
    ...byNode,
    method: 'POST',
    path: '/api/v1/attempts/inputs',
    body: attemptRefSchema,
    /** Empty for a task that begins with datasets. */
    reply: taskInputsSchema,
  },
  failAttempt: {
    ...byNode,
    method: 'POST',
    path: '/api/v1/attempts/fail',
    /** A code of the error table; messages stay at the node, they may name a person's files. */
    body: z.strictObject({ ...attemptRefSchema.shape, code: z.string().regex(/^[A-Z_]{1,64}$/) }),
    reply: none,
  },
  commitResult: {
    ...byNode,
    method: 'POST',
    path: '/api/v1/attempts/commit',
    /** The signed `helixmesh/commit-statement/v1`. */
    body: z.strictObject({ statement: base64Of(ATTEMPT_STATEMENT_BYTES_MAX) }),
    /** The coordinator's countersignature. */
    reply: entryReply,
  },
  revealResult: {
    ...byNode,
    method: 'POST',
    path: '/api/v1/attempts/reveal',
    /** The signed `helixmesh/reveal/v1`. */
    body: z.strictObject({ reveal: base64Of(ATTEMPT_STATEMENT_BYTES_MAX) }),
    reply: entryReply,
  },
} as const;
