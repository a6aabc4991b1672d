/**
 * What a worker does: takes an attempt of its pool, gets cores for it, runs it, records the outcome
 * and wakes the workflow that waits.
 */
import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { setTimeout as delay } from 'node:timers/promises';
import {
  type AnalysisDocument,
  type FileRef,
  type OutputRef,
  probeTools,
  type ResolvedTools,
  resolvedTools,
  type TaskInput,
} from '@helixmesh/pipelines';
import { AppError, type Json } from '@helixmesh/protocol';
import { AttemptMeter, type AttemptOutcome, publishedPath, runAttempt } from '../executor/index.ts';
import { type QueuedAttempt, recordOutcome } from '../jobs/attempts.ts';
import { getJobRow, type JobRow } from '../jobs/jobs.ts';
import { pruneIntermediates } from '../jobs/prune.ts';
import { fileIdentity } from '../jobs/submit.ts';
import type { Database } from '../sql/database.ts';
import type { Grant } from '../supervision/index.ts';
import type { Logger } from './logger.ts';
import type { NodeMetrics } from './metrics.ts';
import type { NodePaths } from './paths.ts';

/** Between two looks at whether the last attempt has ended. */
const IDLE_POLL_MS = 20;

export interface AssignmentsOptions {
  readonly database: Database;
  readonly paths: NodePaths;
  /** Multiplies what a task may use. */
  readonly limitsFactor: number;
  readonly logger: Logger;
  readonly metrics: NodeMetrics;
  readonly wake: (awakeable: string) => Promise<void>;
  /** A wake-up has failed; the reconciler is to do it soon. */
  readonly postponed: () => void;
}

export interface Assignments {
  /**
   * Runs one attempt to its recorded outcome; releases the cores once the tools have ended. Aborting `stopping` ends the tool and leaves the
   * attempt RUNNING in SQL, for the next start to put aside and queue anew.
   */
  run(
    attempt: QueuedAttempt,
    options: { readonly grant: Grant; readonly stopping: AbortSignal },
  ): Promise<AttemptOutcome>;
  /** Ends the running attempts of a job; their outcome is `canceled`. */
  abortJob(jobId: string): void;
  /** How far the running attempt of this task is, 0–1; null without one, or unknown. */
  fractionOf(taskKey: string): Promise<number | null>;
  /** Resolves when no attempt runs any more, or after `deadlineMs`. */
  idle(deadlineMs: number): Promise<void>;
  /** Attempts that run now. */
  readonly count: number;
}

interface Running {
  readonly jobId: string;
  readonly taskKey: string;
  readonly controller: AbortController;
  readonly meter: AttemptMeter;
}

export function createAssignments(options: AssignmentsOptions): Assignments {
  const { database, paths, logger, metrics } = options;
  const running = new Map<string, Running>();

  async function run(
    attempt: QueuedAttempt,
    { grant, stopping }: { readonly grant: Grant; readonly stopping: AbortSignal },
  ): Promise<AttemptOutcome> {
    const { attemptId, jobId, taskKey, spec } = attempt;
    const threads = grant.cores;
    const controller = new AbortController();
    const meter = new AttemptMeter(spec);
    running.set(attemptId, { jobId, taskKey, controller, meter });
    logger.info({ attemptId, jobId, task: spec.name, threads }, 'attempt started');
    try {
      const job = await getJobRow(database, jobId);
      // Canceled after the attempt was claimed and before it could be aborted.
      if (job.state === 'CANCELING') controller.abort();
      const outcome = await runAttempt({
        spec,
        key: taskKey,
        attemptId,
        scratchRoot: paths.scratchRoot,
        storeRoot: paths.storeRoot,
        threads,
        limitsFactor: options.limitsFactor,
        tools: await currentTools(),
        resolveInput: (input) =>
          resolveInput(input, { storeRoot: paths.storeRoot, reads: readsOf(job) }),
        signal: AbortSignal.any([controller.signal, stopping]),
        onComputed: () => grant.release(),
        meter,
      });
      if (stopping.aborted && outcome.status !== 'complete') return outcome;
      await settle(attempt, outcome);
      return outcome;
    } finally {
      running.delete(attemptId);
    }
  }

  async function settle(attempt: QueuedAttempt, outcome: AttemptOutcome): Promise<void> {
    const { attemptId, jobId, spec } = attempt;
    const awakeable = await recordOutcome(database, attempt, outcome);
    const wallMs = outcome.status === 'canceled' ? 0 : outcome.wallMs;
    metrics.attemptEnded(spec.pool, outcome.status, wallMs / 1000);
    const code = outcome.status === 'failed' ? outcome.error.code : null;
    logger.info(
      { attemptId, jobId, task: spec.name, status: outcome.status, code },
      'attempt ended',
    );
    if (awakeable === null) return;
    try {
      await options.wake(awakeable);
    } catch (error) {
      // The engine is down; the outcome is in SQL.
      logger.warn({ attemptId, code: AppError.from(error).code }, 'wake-up postponed');
      options.postponed();
    }
    if (outcome.status === 'complete') await pruneConsumed(attempt);
  }

  /** What this task has read was intermediate: nothing needs it any more, unless all is kept. */
  async function pruneConsumed({ jobId, spec }: QueuedAttempt): Promise<void> {
    const job = await database
      .selectFrom('jobs')
      .select('keep_intermediates')
      .where('job_id', '=', jobId)
      .executeTakeFirstOrThrow();
    if (job.keep_intermediates === 1) return;
    const taskKeys = spec.inputs.flatMap((input) => (input.kind === 'output' ? [input.task] : []));
    if (taskKeys.length === 0) return;
    const outputPath = (task: string, output: string) => pathOf(paths.storeRoot, task, output);
    await pruneIntermediates({ database, outputPath }, { jobId, taskKeys });
  }

  async function idle(deadlineMs: number): Promise<void> {
    const deadline = performance.now() + deadlineMs;
    while (running.size > 0 && performance.now() < deadline) await delay(IDLE_POLL_MS);
  }

  return {
    run,
    idle,
    get count() {
      return running.size;
    },
    async fractionOf(taskKey) {
      const attempt = [...running.values()].find((each) => each.taskKey === taskKey);
      return attempt === undefined ? null : attempt.meter.fraction();
    },
    abortJob(jobId) {
      for (const attempt of running.values()) {
        if (attempt.jobId === jobId) attempt.controller.abort();
      }
    },
  };
}

/** Asked anew for every attempt that needs a tool which was missing when last looked for. */
async function currentTools(): Promise<ResolvedTools> {
  return resolvedTools(await probeTools());
}

/** The user's read files of a job, as they were when it was submitted. */
function readsOf({ document }: JobRow): readonly FileRef[] {
  const { reads }: AnalysisDocument = JSON.parse(document);
  if (reads === null) return [];
  return reads.r2 === null ? [reads.r1] : [reads.r1, reads.r2];
}

async function resolveInput(
  input: TaskInput,
  { storeRoot, reads }: { storeRoot: string; reads: readonly FileRef[] },
): Promise<string> {
  if (input.kind === 'output') return pathOf(storeRoot, input.task, input.output);
  if (input.kind === 'text') throw new AppError('INTERNAL', 'a text input has no file');
  if (!existsSync(input.location)) {
    throw new AppError('INPUT_NOT_FOUND', `${input.location} is gone`, {
      hint: 'Put the file back, then `helixmesh resume` the job.',
    });
  }
  const submitted = reads.find((file) => file.location === input.location);
  if (submitted !== undefined) await requireUnchanged(submitted);
  return input.location;
}

async function requireUnchanged(submitted: FileRef): Promise<void> {
  const { digest } = await fileIdentity(submitted.location);
  if (digest === submitted.digest) return;
  throw new AppError('INPUT_CHANGED', `${submitted.location} was changed after the job began`, {
    hint: 'Submit the sample again, into another folder if this job is to be kept.',
  });
}

/** The path of a published output. */
export function pathOf(storeRoot: string, task: string, output: string): string {
  return publishedPath(storeRoot, task as OutputRef['task'], output);
}

/** The JSON of a small published output. */
export async function readPublishedJson(storeRoot: string, output: OutputRef): Promise<Json> {
  return JSON.parse(await readFile(pathOf(storeRoot, output.task, output.output), 'utf8'));
}
