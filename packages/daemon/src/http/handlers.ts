/** The local API's routes over the node's jobs. */
import { type ControlOptions, cancel, resume } from '../jobs/control.ts';
import type { LiveProgress } from '../jobs/progress.ts';
import { type SubmitOptions, submit } from '../jobs/submit.ts';
import { jobView } from '../jobs/view.ts';
import { readHandlers } from './read-handlers.ts';
import type { Handlers } from './server.ts';

export interface HandlerOptions {
  readonly submitting: SubmitOptions;
  readonly control: ControlOptions;
  readonly live: LiveProgress;
  readonly version: string;
  readonly workflows: readonly string[];
}

export function apiHandlers(options: HandlerOptions): Handlers {
  const { submitting, control, live, version, workflows } = options;
  const { database } = submitting;
  return {
    ...readHandlers(database, live),
    getHealth: async () => ({ status: 'ok', version, pid: process.pid, workflows: [...workflows] }),
    submitJob: async ({ body }) => {
      const { jobId } = await submit(submitting, body);
      await control.dispatch();
      return jobView(database, jobId, live);
    },
    cancelJob: async ({ params }) => {
      await cancel(control, params.jobId);
      return jobView(database, params.jobId, live);
    },
    resumeJob: async ({ params }) => {
      await resume(control, params.jobId);
      return jobView(database, params.jobId, live);
    },
  };
}
