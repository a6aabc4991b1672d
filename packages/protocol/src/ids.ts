/** Branded identifiers; each has one parsing constructor. */
import { AppError } from './errors.ts';

declare const brand: unique symbol;
type Brand<T, Name extends string> = T & { readonly [brand]: Name };

/** `sha256:` and 64 lower-case hex digits. */
export type Digest = Brand<string, 'Digest'>;
/** A job: `job_` and 16 lower-case hex digits. */
export type JobId = Brand<string, 'JobId'>;
/** The content key of a task: a Digest over its specification without host paths. */
export type TaskKey = Brand<string, 'TaskKey'>;
/** One try of a task: `att_` and 16 hex digits. */
export type AttemptId = Brand<string, 'AttemptId'>;
/** A task of the network: `task_` and 32 lower-case hex digits, the same for the same job. */
export type TaskId = Brand<string, 'TaskId'>;
/** A sample name as it stands in SM of the read group: 1–64 of `A-Za-z0-9._-`, no leading dot or dash. */
export type SampleId = Brand<string, 'SampleId'>;
/** A node: `node_` and its Ed25519 public key as 64 lower-case hex digits. */
export type NodeId = Brand<string, 'NodeId'>;

export const DIGEST_PATTERN = /^sha256:[0-9a-f]{64}$/;
export const JOB_ID_PATTERN = /^job_[0-9a-f]{16}$/;
export const ATTEMPT_ID_PATTERN = /^att_[0-9a-f]{16}$/;
export const TASK_ID_PATTERN = /^task_[0-9a-f]{32}$/;
export const NODE_ID_PATTERN = /^node_[0-9a-f]{64}$/;
export const SAMPLE_ID_PATTERN = /^[A-Za-z0-9_][A-Za-z0-9._-]{0,63}$/;

function parser<T>(pattern: RegExp, what: string, hint: string): (text: string) => T {
  return (text) => {
    if (pattern.test(text)) return text as T;
    throw new AppError('USAGE', `not ${what}: ${JSON.stringify(text.slice(0, 100))}`, { hint });
  };
}

export const parseDigest = parser<Digest>(
  DIGEST_PATTERN,
  'a digest',
  'Give sha256:<64 hex digits>.',
);
export const parseTaskKey = parser<TaskKey>(
  DIGEST_PATTERN,
  'a task key',
  'Give sha256:<64 hex digits>.',
);
export const parseJobId = parser<JobId>(
  JOB_ID_PATTERN,
  'a job id',
  'Job ids look like job_0123456789abcdef.',
);
export const parseAttemptId = parser<AttemptId>(
  ATTEMPT_ID_PATTERN,
  'an attempt id',
  'Attempt ids look like att_0123456789abcdef.',
);
export const parseNodeId = parser<NodeId>(
  NODE_ID_PATTERN,
  'a node id',
  'Node ids are node_ and 64 hex digits.',
);
export const parseSampleId = parser<SampleId>(
  SAMPLE_ID_PATTERN,
  'a sample name',
  'Use 1–64 letters, digits, dots, dashes and underscores, not beginning with a dot or dash.',
);
