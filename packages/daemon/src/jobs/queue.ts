/**
 * The queue of attempts as workers see it: `next` waits until SQL has one for the pool. The wake-up
 * is in memory and may be lost with the process; a starting node looks at SQL first.
 */
import type { AttemptId } from '@helixmesh/protocol';
import type { Database } from '../sql/database.ts';
import { nextAttempt } from './attempts.ts';

export interface AttemptQueue {
  /** The oldest queued attempt of the pool, not claimed yet; rejects when `signal` aborts. */
  next(pool: string, signal: AbortSignal): Promise<{ attemptId: AttemptId; cores: number }>;
  /** Something was queued for the pool. */
  notify(pool: string): void;
}

export function createAttemptQueue(database: Database): AttemptQueue {
  const waiting = new Map<string, Set<() => void>>();

  function nextNotice(pool: string, signal: AbortSignal): { promise: Promise<void>; drop(): void } {
    const { promise, resolve } = Promise.withResolvers<void>();
    const waiters = waiting.get(pool) ?? new Set();
    waiting.set(pool, waiters.add(resolve));
    signal.addEventListener('abort', () => resolve(), { once: true });
    return { promise, drop: () => waiters.delete(resolve) };
  }

  return {
    async next(pool, signal) {
      for (;;) {
        signal.throwIfAborted();
        // Asked before looking, so that nothing queued in between is missed.
        const notice = nextNotice(pool, signal);
        try {
          const attempt = await nextAttempt(database, pool);
          if (attempt !== null) return attempt;
          await notice.promise;
        } finally {
          notice.drop();
        }
      }
    },
    notify(pool) {
      for (const wake of waiting.get(pool) ?? []) wake();
    },
  };
}
