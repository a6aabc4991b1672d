/** How far a job is, 0–1, from the tasks that it has finished. Pure. */
import type { JobState, TaskView } from '@helixmesh/protocol';

/**
 * Share of each pool in the work of a sample, from timings of 24 × 200 kb at 30×. A wrong share
 * only makes the bar uneven.
 */
const POOL_SHARES: Readonly<Record<string, number>> = {
  qc: 0.05,
  align: 0.3,
  call: 0.5,
  annotate: 0.1,
  report: 0.05,
};

export function progressOf(
  state: JobState,
  { tasks, planned }: { tasks: readonly TaskView[]; planned: number | null },
): number {
  if (state === 'COMPLETE') return 1;
  let progress = 0;
  for (const [pool, share] of Object.entries(POOL_SHARES)) {
    const done = tasks.filter((task) => task.pool === pool && task.state === 'COMPLETE').length;
    progress += share * Math.min(1, done / plannedIn(pool, planned));
  }
  return Math.min(progress, 0.99);
}

/** Tasks of a pool in one sample: merge and annotate share theirs, reads and coverage too. */
function plannedIn(pool: string, planned: number | null): number {
  if (pool === 'call') return planned ?? Number.POSITIVE_INFINITY;
  return pool === 'annotate' || pool === 'qc' ? 2 : 1;
}
