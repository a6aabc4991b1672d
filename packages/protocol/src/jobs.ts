/** Jobs as they cross the local API: what a user submits and what status shows. */
import { z } from 'zod';
import { ERROR_TABLE, type ErrorCode } from './errors.ts';
import { DIGEST_PATTERN, JOB_ID_PATTERN, SAMPLE_ID_PATTERN } from './ids.ts';
import { callPartSchema, spreadSchema, stagedFileSchema } from './stages.ts';

const errorCodes = Object.keys(ERROR_TABLE) as [ErrorCode, ...ErrorCode[]];

export const errorRecordSchema = z.strictObject({
  code: z.enum(errorCodes),
  message: z.string(),
  hint: z.string().optional(),
  details: z.record(z.string(), z.unknown()).optional(),
});

const absolutePath = z.string().max(4096).regex(/^\//, 'must be an absolute path');

/** What `helixmesh submit` sends. Paths are absolute on the daemon's machine. */
export const jobSubmissionSchema = z.strictObject({
  pipeline: z.literal('germline'),
  sampleId: z.string().regex(SAMPLE_ID_PATTERN),
  r1: absolutePath,
  r2: absolutePath.optional(),
  /** Name or digest of a reference bundle that `helixmesh reference add` has prepared. */
  reference: z.string().max(200),
  outDir: absolutePath,
  parameters: z
    .strictObject({
      aligner: z.enum(['bwa', 'minimap2']).default('bwa'),
      caller: z.enum(['auto', 'freebayes', 'bcftools']).default('auto'),
      sex: z.enum(['infer', 'XX', 'XY']).default('infer'),
      /** Bases of one shard's core at least; long chromosomes are cut into pieces of this size. */
      shardTargetBases: z.int().min(5_000_000).default(20_000_000),
    })
    .prefault({}),
  keepIntermediates: z.boolean().default(false),
});
export type JobSubmission = z.infer<typeof jobSubmissionSchema>;
export type JobSubmissionInput = z.input<typeof jobSubmissionSchema>;

/** Most files of earlier stages that one job takes over. */
const STAGED_FILES_MAX = 10_000;

const stagedSubmissionSchema = jobSubmissionSchema.omit({ r1: true, r2: true }).extend({
  staged: z.array(stagedFileSchema.extend({ location: absolutePath })).max(STAGED_FILES_MAX),
});

/** A whole analysis, or one of its stages, which a node does for a job that is spread. */
export const submissionSchema = z.discriminatedUnion('pipeline', [
  jobSubmissionSchema,
  jobSubmissionSchema.extend({ pipeline: z.literal('germline-align') }),
  stagedSubmissionSchema.extend({ pipeline: z.literal('germline-call'), part: callPartSchema }),
  stagedSubmissionSchema.extend({ pipeline: z.literal('germline-finish'), parts: spreadSchema }),
]);
export type Submission = z.infer<typeof submissionSchema>;
export type SubmissionInput = z.input<typeof submissionSchema>;

/** Task states of GA4GH TES 1.1, with PAUSED for a job that waits for its user. */
export const JOB_STATES = [
  'QUEUED',
  'RUNNING',
  'PAUSED',
  'COMPLETE',
  'EXECUTOR_ERROR',
  'SYSTEM_ERROR',
  'CANCELING',
  'CANCELED',
] as const;
export type JobState = (typeof JOB_STATES)[number];
export const TERMINAL_STATES: readonly JobState[] = [
  'COMPLETE',
  'EXECUTOR_ERROR',
  'SYSTEM_ERROR',
  'CANCELED',
];

/** True for a job that goes no further by itself: it has ended, or waits for its user. */
export function isSettled(state: JobState): boolean {
  return state === 'PAUSED' || TERMINAL_STATES.includes(state);
}

export const taskViewSchema = z.strictObject({
  name: z.string(),
  key: z.string().regex(DIGEST_PATTERN),
  pool: z.string(),
  state: z.enum(JOB_STATES),
  /** True when a result of an earlier job answered and nothing ran. */
  reused: z.boolean(),
  /** Why it ran or was reused, in words: `first run`, `parameter caller changed: …`. */
  why: z.string(),
  attempts: z.int(),
  startedAtMs: z.int().nullable(),
  endedAtMs: z.int().nullable(),
  /** 0–1; 1 when complete. Null when it does not run, or how far it is cannot be told. */
  progress: z.number().min(0).max(1).nullable(),
  error: errorRecordSchema.nullable(),
});
export type TaskView = z.infer<typeof taskViewSchema>;

/** Coordination against compute, as in the PlexSpaces tracker. */
export const metricsViewSchema = z.strictObject({
  /** Σ over attempts of wall time from tool start to exit, ms. */
  computeMs: z.number(),
  /** Wall time of the job with no attempt running or queued for a core, ms. */
  coordinationMs: z.number(),
  ratio: z.number().nullable(),
  efficiency: z.number().nullable(),
  messages: z.int(),
  barriers: z.int(),
});
export type MetricsView = z.infer<typeof metricsViewSchema>;

export const jobViewSchema = z.strictObject({
  jobId: z.string().regex(JOB_ID_PATTERN),
  sampleId: z.string(),
  pipeline: z.string(),
  /** Versioned workflow name, e.g. `germline.v1`. */
  workflow: z.string(),
  jobHash: z.string().regex(DIGEST_PATTERN).nullable(),
  state: z.enum(JOB_STATES),
  /** True once the job has gone on after a crash of the daemon. */
  recovered: z.boolean(),
  /** 0–1 by planned work; running steps count by their progress. */
  progress: z.number(),
  /** Shards called, of those planned; null until the plan is known. */
  contigs: z.strictObject({ done: z.int(), total: z.int() }).nullable(),
  /** Why it is PAUSED, failed or waiting, and what to do. */
  reason: errorRecordSchema.nullable(),
  outDir: z.string(),
  createdAtMs: z.int(),
  startedAtMs: z.int().nullable(),
  endedAtMs: z.int().nullable(),
  tasks: z.array(taskViewSchema),
  deliverables: z.array(z.strictObject({ path: z.string(), description: z.string() })),
  summary: z.record(z.string(), z.unknown()),
  metrics: metricsViewSchema,
});
export type JobView = z.infer<typeof jobViewSchema>;

export const jobListItemSchema = jobViewSchema.omit({ tasks: true, summary: true, metrics: true });
export type JobListItem = z.infer<typeof jobListItemSchema>;

/** One row of the table `journal`. */
export const journalRowSchema = z.strictObject({
  sequence: z.int(),
  sampleId: z.string(),
  jobId: z.string().regex(JOB_ID_PATTERN),
  step: z.string(),
  /** `started`, `completed`, `reused`, `failed`, `retried`, `paused`, `resumed`, `canceled`, … */
  state: z.string(),
  atMs: z.int(),
  payload: z.unknown(),
});
export type JournalRow = z.infer<typeof journalRowSchema>;

/** Last lines of what a tool wrote to standard error. */
export const taskLogSchema = z.strictObject({
  name: z.string(),
  attemptId: z.string(),
  state: z.string(),
  command: z.string(),
  exitCode: z.int().nullable(),
  stderrTail: z.string(),
});
export type TaskLog = z.infer<typeof taskLogSchema>;

export const healthSchema = z.strictObject({
  /** `failing` when one of its applications is; `degraded` when others keep one from all of its work. */
  status: z.enum(['ok', 'starting', 'degraded', 'draining', 'failing']),
  version: z.string(),
  pid: z.int(),
  workflows: z.array(z.string()),
  /** What the node consists of, in the order of its start. */
  applications: z
    .array(
      z.strictObject({
        name: z.string(),
        status: z.enum(['ok', 'degraded', 'failing']),
        /** Null when it is well. */
        why: z.string().nullable(),
      }),
    )
    .optional(),
});
export type Health = z.infer<typeof healthSchema>;
