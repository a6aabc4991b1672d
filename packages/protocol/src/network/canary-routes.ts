/**
 * The routes of a canary, at a coordinator: a small analysis of a made genome that a node does before
 * it gets data of others. Part of NETWORK_ROUTES.
 *
 * The seed is drawn for one node and one try, and the coordinator does the same work with its own
 * tools, so that an answer can neither be copied nor looked up.
 */
import { z } from 'zod';
import { CANARY_CONTIG_BASES_MAX, CANARY_CONTIGS_MAX, CANARY_COVERAGE_MAX } from '../limits.ts';
import { digestSchema, timeMsSchema } from '../signing/fields.ts';
import { reasonSchema } from './task-routes.ts';

export const canaryIdSchema = z.string().regex(/^canary_[0-9a-f]{32}$/);

/** What the genome and the reads are made of; the same everywhere for the same values. */
export const canarySchema = z.strictObject({
  canaryId: canaryIdSchema,
  seed: z.int().min(0).max(0xffff_ffff),
  contigs: z.int().min(1).max(CANARY_CONTIGS_MAX),
  basesPerContig: z.int().min(20_000).max(CANARY_CONTIG_BASES_MAX),
  coverage: z.int().min(1).max(CANARY_COVERAGE_MAX),
  /** An answer that comes later counts as none. */
  expiresAtMs: timeMsSchema,
});
export type Canary = z.infer<typeof canarySchema>;

/** How far the verification of a node has come. */
export const canaryStandingSchema = z.strictObject({
  /** A phase of the node's lifecycle: `registered`, `pending_verification`, `available`. */
  admission: z.string().max(32),
  /** What is to be done now; null while there is nothing. */
  canary: canarySchema.nullable(),
  /** Why it has not been verified; null where nothing speaks against it. */
  reason: reasonSchema.nullable(),
  /** Before then asking again changes nothing. */
  askAgainAtMs: timeMsSchema,
});
export type CanaryStanding = z.infer<typeof canaryStandingSchema>;

const none = z.strictObject({});
const byNode = {
  params: none,
  query: none,
  method: 'POST',
  signedBy: 'node',
  scope: null,
} as const;

export const CANARY_ROUTES = {
  /** The canary of the calling node; the same one until it is answered or its time is over. */
  takeCanary: {
    ...byNode,
    path: '/api/v1/canaries/take',
    body: null,
    reply: canaryStandingSchema,
  },
  /** Judged when the coordinator has done the same work, which `takeCanary` tells then. */
  answerCanary: {
    ...byNode,
    path: '/api/v1/canaries/answer',
    body: z.strictObject({
      canaryId: canaryIdSchema,
      /** Null where the analysis failed. */
      resultDigest: digestSchema.nullable(),
      /** A code of the error table for that; null where there is a result. */
      code: z
        .string()
        .regex(/^[A-Z_]{1,64}$/)
        .nullable(),
    }),
    reply: canaryStandingSchema,
  },
} as const;
