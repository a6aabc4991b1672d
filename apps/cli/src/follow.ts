/** Watching jobs until they end. */
import { setTimeout as delay } from 'node:timers/promises';
import { type JobView, TERMINAL_STATES } from '@helixmesh/protocol';
import type { NodeUse } from './node-access.ts';
import type { Live } from './ui/live.ts';

/** Between two looks at a job. */
const LOOK_MS = 200;

/** Follows the jobs until each is terminal or waits for its user; answers their last views. */
export async function follow(
  { client, signal }: NodeUse,
  jobIds: readonly string[],
  live: Live,
): Promise<JobView[]> {
  try {
    for (;;) {
      const jobs = await Promise.all(
        jobIds.map((jobId) => client.call('getJob', { params: { jobId }, signal })),
      );
      live.update(jobs);
      if (jobs.every(isSettled)) return jobs;
      await delay(LOOK_MS, undefined, { signal });
    }
  } finally {
    live.done();
  }
}

function isSettled({ state }: JobView): boolean {
  return state === 'PAUSED' || TERMINAL_STATES.includes(state);
}
