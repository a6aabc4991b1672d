/**
 * The worker pools: one supervisor for each, its workers permanent children. A worker whose tool
 * was killed by a signal records the outcome and ends; its supervisor starts it again, and only
 * that attempt is repeated.
 *
 * A worker gives its cores back when its tools have ended, and each pool has one worker more than
 * there are cores: so the next tools start while outputs are digested and published.
 */
import { POOL_NAMES, type PoolName } from '@helixmesh/pipelines';
import { AppError } from '@helixmesh/protocol';
import { claimAttempt, preemptRunning } from '../jobs/attempts.ts';
import type { AttemptQueue } from '../jobs/queue.ts';
import type { Database } from '../sql/database.ts';
import { type Child, type ChildSpec, type CoreBudget, Supervisor } from '../supervision/index.ts';
import type { Assignments } from './assignments.ts';
import type { Logger } from './logger.ts';
import type { NodeMetrics } from './metrics.ts';

export interface PoolsOptions {
  readonly database: Database;
  readonly queue: AttemptQueue;
  readonly assignments: Assignments;
  readonly cores: CoreBudget;
  /** Aborted when the node takes nothing new and waits for what runs. */
  readonly draining: AbortSignal;
  readonly metrics: NodeMetrics;
  readonly logger: Logger;
}

/**
 * A pool that its tools have brought down waits this long, so that a tool which always crashes
 * cannot bring down the node: 3 restarts in 5 s are the root's limit too.
 */
const POOL_RESTART_DELAY_MS = 2_000;

export function createPools(options: PoolsOptions): ChildSpec[] {
  return POOL_NAMES.map((pool) => ({
    name: pool,
    restartDelayMs: POOL_RESTART_DELAY_MS,
    start: async () => {
      const preempted = await preemptRunning(options.database, pool);
      if (preempted > 0) options.logger.warn({ pool, preempted }, 'attempts queued anew');
      return new Supervisor({
        name: pool,
        onRestart: (child, reason) => {
          options.metrics.workerRestarted(pool);
          options.logger.warn({ child, code: AppError.from(reason).code }, 'worker restarted');
        },
        children: Array.from({ length: options.cores.total + 1 }, (_, number) => ({
          name: `${pool}-${number}`,
          start: async () => startWorker(pool, options),
        })),
      }).start();
    },
  }));
}

/**
 * A worker takes attempts until it is stopped or the node drains; what it runs then is its last.
 */
function startWorker(pool: PoolName, options: PoolsOptions): Child {
  const stopping = new AbortController();
  const { signal } = stopping;
  const taking = AbortSignal.any([signal, options.draining]);
  async function work(): Promise<void> {
    while (!taking.aborted) await runNext(pool, options, { taking, stopping: signal });
  }
  const exited = work().catch((error) => {
    if (!taking.aborted) throw error;
  });
  const stopped = new Promise<void>((resolve) => {
    signal.addEventListener('abort', () => resolve(), { once: true });
  });
  return {
    // A worker that has drained is not gone: its supervisor would start another.
    exited: exited.then(() => stopped),
    stop: async () => stopping.abort(),
  };
}

async function runNext(
  pool: PoolName,
  { database, queue, assignments, cores }: PoolsOptions,
  { taking, stopping }: { taking: AbortSignal; stopping: AbortSignal },
): Promise<void> {
  const next = await queue.next(pool, taking);
  const grant = await cores.acquire(next.cores, taking);
  try {
    const attempt = await claimAttempt(database, next.attemptId);
    if (attempt === null) return; // Another worker was first, or the job was canceled.
    const outcome = await assignments.run(attempt, { grant, stopping });
    if (outcome.status === 'failed' && outcome.error.code === 'TOOL_CRASHED') {
      throw AppError.fromRecord(outcome.error);
    }
  } finally {
    grant.release();
  }
}
