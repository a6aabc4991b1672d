/** What a user may do with a job: cancel it, let it go on. */
import { AppError, TERMINAL_STATES } from '@helixmesh/protocol';
import type { ResumeOrder } from '../restate/task-object.ts';
import type { Database } from '../sql/database.ts';
import { cancelQueued } from './attempts.ts';
import { retryDelivery } from './deliver.ts';
import { cancelJob, getJobRow, restartJob } from './jobs.ts';
import { claimOutFolder, prepareOutFolder, releaseOutFolder } from './out-folder.ts';
import { pausedTokens } from './paused-steps.ts';

export interface ControlOptions {
  readonly database: Database;
  readonly dataDir: string;
  /** Ends the running attempts of a job. */
  readonly abortJob: (jobId: string) => void;
  /** Answers a wait in the durable engine. */
  readonly wake: (awakeable: string, value: unknown) => Promise<void>;
  /** New outbox rows are there. */
  readonly dispatch: () => Promise<void>;
  /** A delivery can be tried. */
  readonly deliver: (jobId: string) => void;
}

export async function cancel(options: ControlOptions, jobId: string): Promise<void> {
  const { database, wake } = options;
  const job = await getJobRow(database, jobId);
  if (TERMINAL_STATES.includes(job.state)) {
    throw new AppError('CONFLICT', `job ${jobId} is ${job.state} already`, {
      hint: 'Only a job that is not finished can be canceled.',
    });
  }
  // With its result recorded no workflow drives the job any more; only its delivery waits.
  const driven = job.result === null;
  if (!driven) await releaseOutFolder(job.out_dir, jobId);
  await cancelJob(database, { jobId, generation: job.generation }, driven);
  options.abortJob(jobId);
  for (const awakeable of await cancelQueued(database, jobId)) await wake(awakeable, null);
  const order: ResumeOrder = 'cancel';
  for (const token of await pausedTokens(database, jobId)) await wake(token, order);
}

export async function resume(options: ControlOptions, jobId: string): Promise<void> {
  const { database } = options;
  const job = await getJobRow(database, jobId);
  if (job.state === 'COMPLETE') {
    throw new AppError('CONFLICT', `job ${jobId} is COMPLETE`, {
      hint: 'Nothing is left to do; submit it again to run it anew.',
    });
  }
  if (TERMINAL_STATES.includes(job.state)) {
    await prepareOutFolder(job.out_dir);
    await claimOutFolder(job.out_dir, { jobId, dataDir: options.dataDir });
    await restartJob(database, jobId);
    await options.dispatch();
    return;
  }
  if (job.state !== 'PAUSED') {
    throw new AppError('CONFLICT', `job ${jobId} is ${job.state}, not paused`, {
      hint: 'It goes on by itself; see `helixmesh status`.',
    });
  }
  if (job.result !== null) {
    await retryDelivery(database, job);
    options.deliver(jobId);
    return;
  }
  const order: ResumeOrder = 'resume';
  for (const token of await pausedTokens(database, jobId)) await options.wake(token, order);
}
