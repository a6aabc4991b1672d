/**
 * How far a job is, 0–1, from the tasks that it has finished and those that run.
 *
 * P1  What a node tells of a job never falls, though a step that is tried again begins at 0.
 */
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

export interface Work {
  readonly tasks: readonly TaskView[];
  /** Shards; null until the plan is known. */
  readonly planned: number | null;
}

/** Pure. */
export function progressOf(state: JobState, { tasks, planned }: Work): number {
  if (state === 'COMPLETE') return 1;
  let progress = 0;
  for (const [pool, share] of Object.entries(POOL_SHARES)) {
    const inPool = tasks.filter((task) => task.pool === pool);
    const done = inPool.reduce((sum, task) => sum + (task.progress ?? 0), 0);
    progress += share * Math.min(1, done / plannedIn(pool, planned));
  }
  return Math.min(progress, 0.99);
}

/** Tasks of a pool in one sample: merge and annotate share theirs, reads and coverage too. */
function plannedIn(pool: string, planned: number | null): number {
  // A part of a genome may have none.
  if (pool === 'call') return planned === null ? Number.POSITIVE_INFINITY : Math.max(1, planned);
  return pool === 'annotate' || pool === 'qc' ? 2 : 1;
}

/** What the node knows of running work beyond SQL. In memory alone. */
export interface LiveProgress {
  /** How far the running attempt of a task is, 0–1; null without one, or unknown. */
  fractionOf(taskKey: string): Promise<number | null>;
  /** The most that was told of the job, this time included (P1). */
  held(jobId: string, progress: number): number;
}

export const NO_LIVE_PROGRESS: LiveProgress = {
  fractionOf: async () => null,
  held: (_, progress) => progress,
};

/** Jobs whose progress is held; of older ones only finished work is told. */
const HELD_JOBS_MAX = 1_000;

export function createLiveProgress(fractionOf: LiveProgress['fractionOf']): LiveProgress {
  const told = new Map<string, number>();
  return {
    fractionOf,
    held(jobId, progress) {
      const most = Math.max(progress, told.get(jobId) ?? 0);
      told.delete(jobId); // Set anew, so that the job asked for longest ago is the first.
      told.set(jobId, most);
      const [oldest] = told.keys();
      if (told.size > HELD_JOBS_MAX && oldest !== undefined) told.delete(oldest);
      return most;
    },
  };
}
