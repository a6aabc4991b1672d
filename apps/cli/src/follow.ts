/** Watching jobs until they end. */
import { setTimeout as delay } from 'node:timers/promises';
import { type JobView, TERMINAL_STATES } from '@helixmesh/protocol';
import type { NodeUse } from './node-access.ts';
import type { Live } from './ui/live.ts';

/** Between two looks at a job. */
const LOOK_MS = 200;
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

/** Lets a paused job go on and answers once it has left the pause, or has not within the limit. */
export async function resumed({ client, signal }: NodeUse, jobId: string): Promise<void> {
  await client.call('resumeJob', { params: { jobId }, signal });
  const end = performance.now() + RESUME_LIMIT_MS;
  while (performance.now() < end) {
    const { state } = await client.call('getJob', { params: { jobId }, signal });
    if (state !== 'PAUSED') return;
    await delay(LOOK_MS / 4, undefined, { signal });
  }
}

function isSettled({ state }: JobView): boolean {
  return state === 'PAUSED' || TERMINAL_STATES.includes(state);
}
