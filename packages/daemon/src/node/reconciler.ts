/**
 * Compares SQL with the engine again and again, and mends what a crash of either left between them.
 * A turn that fails, because the engine is down, comes again soon; so does one that is asked for.
 */
import { setTimeout as delay } from 'node:timers/promises';
import { AppError } from '@helixmesh/protocol';
import type { ChildSpec } from '../supervision/index.ts';
import type { Logger } from './logger.ts';

/** Between two turns when all is well. */
const INTERVAL_MS = 60_000;
/** After a turn that failed; doubles. An engine that was killed is back after half a second. */
const RETRY_FIRST_MS = 250;
const RETRY_MAX_MS = 5_000;

export interface Reconciler {
  readonly child: ChildSpec;
  /** Something could not be told to the engine: another turn is due at once. */
  hurry(): void;
}

export function createReconciler(turn: () => Promise<void>, logger: Logger): Reconciler {
  let isHurried = false;
  let hurried = new AbortController();

  async function start() {
    const stopping = new AbortController();
    const { signal } = stopping;
    const { promise: exited, resolve } = Promise.withResolvers<void>();
    signal.addEventListener('abort', () => resolve(), { once: true });
    let retryMs = RETRY_FIRST_MS;

    /** Answers how long to wait for the next turn. */
    async function take(): Promise<number> {
      isHurried = false;
      try {
        await turn();
        retryMs = RETRY_FIRST_MS;
        return INTERVAL_MS;
      } catch (error) {
        // The engine is down; its supervisor restarts it.
        logger.warn({ code: AppError.from(error).code }, 'reconciling postponed');
        const waitMs = retryMs;
        retryMs = Math.min(retryMs * 2, RETRY_MAX_MS);
        return waitMs;
      }
    }

    async function goOn(firstWaitMs: number): Promise<void> {
      for (let waitMs = firstWaitMs; !signal.aborted; waitMs = await take()) {
        hurried = new AbortController();
        // Asked for in the middle of a turn, which may have looked before there was something.
        const ms = isHurried ? RETRY_FIRST_MS : waitMs;
        const sooner = AbortSignal.any([signal, hurried.signal]);
        await delay(ms, undefined, { signal: sooner }).catch(() => undefined);
        if (signal.aborted) return;
      }
    }

    void goOn(await take());
    return { exited, stop: async () => stopping.abort() };
  }

  return {
    child: { name: 'reconciler', start },
    hurry: () => {
      isHurried = true;
      hurried.abort();
    },
  };
}
