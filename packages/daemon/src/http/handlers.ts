/** The local API's routes over the node's jobs. */
import { AppError, type Health } from '@helixmesh/protocol';
import { type ControlOptions, cancel, resume } from '../jobs/control.ts';
import { type LiveProgress, NO_LIVE_PROGRESS } from '../jobs/progress.ts';
import { type SubmitOptions, submit } from '../jobs/submit.ts';
import { jobView } from '../jobs/view.ts';
import type { Database } from '../sql/database.ts';
import { readHandlers } from './read-handlers.ts';
import type { Handlers } from './server.ts';

export interface JobHandlerOptions {
  readonly submitting: SubmitOptions;
  readonly control: ControlOptions;
  readonly live: LiveProgress;
  readonly workflows: readonly string[];
}

export interface HandlerOptions {
  readonly database: Database;
  readonly health: () => Health;
  /** Null on a node whose roles run no jobs. */
  readonly jobs: JobHandlerOptions | null;
}

export function apiHandlers({ database, health, jobs }: HandlerOptions): Handlers {
  const live = jobs?.live ?? NO_LIVE_PROGRESS;
  return {
    ...readHandlers(database, live),
    getHealth: async () => health(),
    submitJob: async ({ body }) => {
      const { submitting, control } = running(jobs);
      const { jobId } = await submit(submitting, body);
      await control.dispatch();
      return jobView(database, jobId, live);
    },
    cancelJob: async ({ params }) => {
      await cancel(running(jobs).control, params.jobId);
      return jobView(database, params.jobId, live);
    },
    resumeJob: async ({ params }) => {
      await resume(running(jobs).control, params.jobId);
      return jobView(database, params.jobId, live);
    },
  };
}

function running(jobs: JobHandlerOptions | null): JobHandlerOptions {
  if (jobs !== null) return jobs;
  throw new AppError('USAGE', 'this node runs no jobs: none of its roles does', {
    hint: 'Give it the role compute, or use another data folder with --data.',
  });
}
