/**
 * Canceling a job. SQL says so first (CANCELING); all the rest can be done again, and is, by the
 * reconciler, until the job is CANCELED: a daemon may die at any point of it.
 */
import type { JobRef } from '../restate/pipeline-workflow.ts';
import type { ResumeOrder } from '../restate/task-object.ts';
import type { Database } from '../sql/database.ts';
import { cancelQueued } from './attempts.ts';
import { settleCanceled } from './jobs.ts';
import { releaseOutFolder } from './out-folder.ts';
import { pausedTokens } from './paused-steps.ts';

export interface CancelOptions {
  readonly database: Database;
  /** Ends the running attempts of a job. */
  readonly abortJob: (jobId: string) => void;
  /** Answers a wait in the durable engine. */
  readonly wake: (awakeable: string, value: unknown) => Promise<void>;
}

/** Tells everything that works or waits for a CANCELING job to end; its workflow then settles it. */
export async function pursueCancel(
  { database, abortJob, wake }: CancelOptions,
  jobId: string,
): Promise<void> {
  abortJob(jobId);
  for (const awakeable of await cancelQueued(database, jobId)) await wake(awakeable, null);
  const order: ResumeOrder = 'cancel';
  for (const token of await pausedTokens(database, jobId)) await wake(token, order);
}

/** A job that no workflow drives (any more) gives up its folder and is CANCELED. */
export async function endCanceled(database: Database, job: JobRef, outDir: string): Promise<void> {
  await releaseOutFolder(outDir, job.jobId);
  await settleCanceled(database, job);
}

/** Takes up every cancellation that is not through. */
export async function pursueCancels(options: CancelOptions): Promise<void> {
  const rows = await options.database
    .selectFrom('jobs')
    .select('job_id')
    .where('state', '=', 'CANCELING')
    .where('result', 'is', null)
    .execute();
  for (const { job_id: jobId } of rows) await pursueCancel(options, jobId);
}
