/** Watching jobs until they end. */
import { setTimeout as delay } from 'node:timers/promises';
import type { Client } from '@helixmesh/client';
import { type JobView, TERMINAL_STATES } from '@helixmesh/protocol';
import type { Live } from './ui/live.ts';

/** Between two looks at a job. */
const LOOK_MS = 200;

/** Follows the jobs until each is terminal or waits for its user; answers their last views. */
export async function follow(
  client: Client,
  jobIds: readonly string[],
  live: Live,
): Promise<JobView[]> {
  for (;;) {
    const jobs = await Promise.all(
      jobIds.map((jobId) => client.call('getJob', { params: { jobId } })),
    );
    live.update(jobs);
    if (jobs.every((job) => job.state === 'PAUSED' || TERMINAL_STATES.includes(job.state))) {
      live.done();
      return jobs;
    }
    await delay(LOOK_MS);
  }
}
