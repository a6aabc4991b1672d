/** The local API's routes over the node's jobs. */
import { type ControlOptions, cancel, resume } from '../jobs/control.ts';
import { getJobRow } from '../jobs/jobs.ts';
import { readJournal } from '../jobs/journal.ts';
import { type SubmitOptions, submit } from '../jobs/submit.ts';
import { jobList, jobView, taskLogs } from '../jobs/view.ts';
import type { Database } from '../sql/database.ts';
import type { Handlers } from './server.ts';

export interface HandlerOptions {
  readonly submitting: SubmitOptions;
  readonly control: ControlOptions;
  readonly version: string;
  readonly workflows: readonly string[];
}

export function apiHandlers({ submitting, control, version, workflows }: HandlerOptions): Handlers {
  const { database } = submitting;
  return {
    ...readHandlers(database),
    getHealth: async () => ({ status: 'ok', version, pid: process.pid, workflows: [...workflows] }),
    submitJob: async ({ body }) => {
      const { jobId } = await submit(submitting, body);
      await control.dispatch();
      return jobView(database, jobId);
    },
    cancelJob: async ({ params }) => {
      await cancel(control, params.jobId);
      return jobView(database, params.jobId);
    },
    resumeJob: async ({ params }) => {
      await resume(control, params.jobId);
      return jobView(database, params.jobId);
    },
  };
}

/** The routes that only read SQL, and so can answer without a running node. */
export type ReadRoute = 'listJobs' | 'getJob' | 'getJournal' | 'getLogs';

export function readHandlers(database: Database): Pick<Handlers, ReadRoute> {
  return {
    listJobs: ({ query }) => jobList(database, query),
    getJob: ({ params }) => jobView(database, params.jobId),
    getJournal: async ({ params, query }) => {
      await getJobRow(database, params.jobId);
      return readJournal(database, params.jobId, query.after);
    },
    getLogs: ({ params, query }) => taskLogs(database, params.jobId, query.task),
  };
}
