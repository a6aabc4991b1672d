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
  NETWORK_JOB_BYTES_MAX,
  OFFERS_LISTED_MAX,
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
import { nodeIdFieldSchema } from './address.ts';

export { ATTEMPTS_LISTED_MAX, OFFERS_LISTED_MAX };

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
            operator: addressSchema,
            state: z.enum(NETWORK_ATTEMPT_STATES),
            verdict: z.enum(['valid', 'invalid', 'none']).nullable(),
          }),
        )
        .max(ATTEMPTS_LISTED_MAX),
    }),
  ),
});
export type NetworkJobView = z.infer<typeof networkJobViewSchema>;

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
    /** The wallet's signature on the job is the consent; the session only says who sends it. */
    body: z.strictObject({ job: base64Of(NETWORK_JOB_BYTES_MAX) }),
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
