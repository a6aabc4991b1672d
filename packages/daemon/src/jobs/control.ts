/** What a user may do with a job: cancel it, let it go on. */
import { AppError, TERMINAL_STATES } from '@helixmesh/protocol';
import type { ResumeOrder } from '../restate/task-object.ts';
import { type CancelOptions, endCanceled, pursueCancel } from './cancel.ts';
import { retryDelivery } from './deliver.ts';
import { cancelJob, getJobRow, restartJob } from './jobs.ts';
import { claimOutFolder, prepareOutFolder } from './out-folder.ts';
import { pausedTokens } from './paused-steps.ts';

export interface ControlOptions extends CancelOptions {
  readonly dataDir: string;
  /** New outbox rows are there. */
  readonly dispatch: () => Promise<void>;
  /** A delivery can be tried. */
  readonly deliver: (jobId: string) => void;
  /** The engine could not be told; the reconciler is to do it soon. */
  readonly postponed: () => void;
}

export async function cancel(options: ControlOptions, jobId: string): Promise<void> {
  const { database } = options;
  const job = await getJobRow(database, jobId);
  if (TERMINAL_STATES.includes(job.state)) {
    throw new AppError('CONFLICT', `job ${jobId} is ${job.state} already`, {
      hint: 'Only a job that is not finished can be canceled.',
    });
  }
  const ref = { jobId, generation: job.generation };
  await cancelJob(database, ref);
  // With its result recorded no workflow drives the job any more; only its delivery waits.
  if (job.result !== null) return endCanceled(database, ref, job.out_dir);
  try {
    await pursueCancel(options, jobId);
  } catch (error) {
    if (AppError.from(error).code !== 'ENGINE_UNAVAILABLE') throw error;
    options.postponed();
  }
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
    await restartJob(database, { jobId, generation: job.generation });
    await options.dispatch();
    return;
  }
  if (job.state !== 'PAUSED') {
    throw new AppError('CONFLICT', `job ${jobId} is ${job.state}, not paused`, {
      hint:
        job.state === 'CANCELING'
          ? 'Its tools are being ended; resume it when `helixmesh status` says CANCELED.'
          : 'It goes on by itself; see `helixmesh status`.',
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
