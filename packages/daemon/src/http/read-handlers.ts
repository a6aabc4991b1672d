/** The routes that only read SQL, and so can answer without a running node. */
import { getJobRow } from '../jobs/jobs.ts';
import { readJournal } from '../jobs/journal.ts';
import { jobList, jobView, taskLogs } from '../jobs/view.ts';
import type { Database } from '../sql/database.ts';
import type { Handlers } from './server.ts';

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
