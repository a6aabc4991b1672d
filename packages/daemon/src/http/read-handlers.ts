/** The routes that only read SQL, and so can answer without a running node. */
import { setTimeout as delay } from 'node:timers/promises';
import { isSettled } from '@helixmesh/protocol';
import { getJobRow, getJobState } from '../jobs/jobs.ts';
import { readJournal } from '../jobs/journal.ts';
import { type LiveProgress, NO_LIVE_PROGRESS } from '../jobs/progress.ts';
import { jobList, jobView, taskLogs } from '../jobs/view.ts';
import type { Database } from '../sql/database.ts';
import type { Handlers } from './server.ts';

export type ReadRoute = 'listJobs' | 'getJob' | 'getJournal' | 'getLogs';

/** Without a node there is nobody who knows how far a running step is. */
export function readHandlers(
  database: Database,
  live: LiveProgress = NO_LIVE_PROGRESS,
): Pick<Handlers, ReadRoute> {
  return {
    listJobs: ({ query }) => jobList(database, query, live),
    getJob: async ({ params, query }) => {
      await settled(database, params.jobId, query.waitMs);
      return jobView(database, params.jobId, live);
    },
    getJournal: async ({ params, query }) => {
      await getJobRow(database, params.jobId);
      return readJournal(database, params.jobId, query.after);
    },
    getLogs: ({ params, query }) => taskLogs(database, params.jobId, query.task),
  };
}

/** Between two looks at a job that somebody waits for, ms: each costs what a tool could use. */
const LOOK_MS = 100;

/** Resolves when the job goes no further by itself, or after `waitMs`. */
async function settled(database: Database, jobId: string, waitMs: number): Promise<void> {
  for (const end = performance.now() + waitMs; performance.now() < end; ) {
    if (isSettled(await getJobState(database, jobId))) return;
    await delay(LOOK_MS);
  }
}
