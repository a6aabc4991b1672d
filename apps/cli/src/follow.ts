/** Watching jobs until they end. */
import { setTimeout as delay } from 'node:timers/promises';
import { isSettled, type JobView } from '@helixmesh/protocol';
import type { NodeUse } from './node-access.ts';
import type { Live } from './ui/live.ts';

const RESUME_LOOK_MS = 50;
/** A job leaves its pause within milliseconds; one that pauses again at once may go unseen. */
const RESUME_LIMIT_MS = 5_000;

/** Follows the jobs until each is terminal or waits for its user; answers their last views. */
export async function follow(
  { client, signal }: NodeUse,
  jobIds: readonly string[],
  live: Live,
): Promise<JobView[]> {
  try {
    for (;;) {
      const jobs = await Promise.all(
        jobIds.map((jobId) =>
          client.call('getJob', { params: { jobId }, query: { waitMs: live.lookMs }, signal }),
        ),
      );
      live.update(jobs);
      if (jobs.every(({ state }) => isSettled(state))) return jobs;
    }
  } finally {
    live.done();
  }
}

/** Lets a paused job go on and answers once it has left the pause, or has not within the limit. */
export async function resumed({ client, signal }: NodeUse, jobId: string): Promise<void> {
  await client.call('resumeJob', { params: { jobId }, signal });
  const end = performance.now() + RESUME_LIMIT_MS;
  while (performance.now() < end) {
    const { state } = await client.call('getJob', { params: { jobId }, signal });
    if (state !== 'PAUSED') return;
    await delay(RESUME_LOOK_MS, undefined, { signal });
  }
}
