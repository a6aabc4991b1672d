/**
 * Takes attempts from the coordinator, as many at once as it has slots, goes on with those that it
 * held when it died, and keeps sealed outputs for as long as they may be fetched.
 *
 * W1  An attempt has its slot until its outputs are sealed; then it waits for the others in none, or
 *     nodes that wait for each other would never take the work that each of them waits for.
 * W2  One slot after the other asks for work, so that no offer is taken twice.
 */
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { AppError } from '@helixmesh/protocol';
import { toHex } from '@helixmesh/protocol/sealing';
import { type AttemptOptions, runAttempt } from './attempt.ts';
import { attemptFolders, readRecord, writeRecord } from './attempt-folder.ts';
import { RETRY_FIRST_MS, RETRY_MAX_MS, SLOTS_MAX, SWEEP_MS, WAITING_MAX } from './limits.ts';

export interface WorkerOptions extends AttemptOptions {
  /** Below it a folder for each attempt. */
  readonly root: string;
  readonly slots: number;
}

export interface Worker {
  readonly name: string;
  start(): Promise<void>;
  /** Ends the tools; the attempts go on at the next start. */
  stop(): Promise<void>;
  /** Attempts that have a slot now. */
  readonly running: number;
  health(): { readonly status: 'ok' } | { readonly status: 'failing'; readonly why: string };
}

export function createWorker(options: WorkerOptions): Worker {
  const { root, work, logger, now } = options;
  const slots = Math.min(options.slots, SLOTS_MAX);
  const stopping = new AbortController();
  const { signal } = stopping;
  let why: string | null = null;
  let running: Promise<unknown> = Promise.resolve();
  let taking: Promise<unknown> = Promise.resolve();
  let count = 0;
  /** Attempts that are sealed and not decided yet (W1). */
  const waiting = new Set<Promise<void>>();

  async function takeOne(): Promise<string> {
    for (let waitMs = RETRY_FIRST_MS; ; waitMs = Math.min(2 * waitMs, RETRY_MAX_MS)) {
      try {
        const { recipients, ...assignment } = await work.claim(signal);
        why = null;
        const folder = join(root, assignment.attemptId);
        const asked = { ...assignment, recipients: recipients.map(toHex) };
        const open = { startedAtMs: now(), secret: null, keepUntilMs: null };
        await writeRecord(folder, { assignment: asked, ...open });
        return folder;
      } catch (thrown) {
        signal.throwIfAborted();
        const { code } = AppError.from(thrown);
        why = `the coordinator gives no work: ${code}`;
        logger.warn({ code }, 'no work');
        await delay(waitMs, undefined, { signal });
      }
    }
  }

  /** W2. */
  function takeInTurn(): Promise<string> {
    const taken = taking.then(takeOne);
    taking = taken.catch(() => undefined);
    return taken;
  }

  async function slot(held: string[]): Promise<void> {
    while (!signal.aborted) {
      while (waiting.size >= WAITING_MAX) await Promise.race(waiting);
      const folder = held.shift() ?? (await takeInTurn());
      count += 1;
      try {
        await untilSealed(folder);
      } finally {
        count -= 1;
      }
    }
  }

  /** Until it needs its slot no more (W1). */
  async function untilSealed(folder: string): Promise<void> {
    const { promise: sealed, resolve: onSealed } = Promise.withResolvers<void>();
    const whole = unlessStopped(runAttempt(options, folder, { stopping: signal, onSealed }));
    waiting.add(whole);
    void whole.finally(() => waiting.delete(whole));
    await Promise.race([sealed, whole]);
  }

  async function sweep(): Promise<void> {
    while (!signal.aborted) {
      for (const folder of await attemptFolders(root)) {
        const record = await readRecord(folder);
        const isOver = record !== null && (record.keepUntilMs ?? Number.POSITIVE_INFINITY) <= now();
        if (isOver) await rm(folder, { recursive: true, force: true });
      }
      await delay(SWEEP_MS, undefined, { signal });
    }
  }

  /** A loop that ends by `stop` alone; what else ends it is a fault that the health tells. */
  async function unlessStopped(loop: Promise<void>): Promise<void> {
    try {
      await loop;
    } catch (thrown) {
      if (signal.aborted) return;
      why = AppError.from(thrown).message;
      logger.error({ code: AppError.from(thrown).code }, 'a slot has ended');
    }
  }

  return {
    name: 'compute',
    async start() {
      const held: string[] = [];
      for (const folder of await attemptFolders(root)) {
        const record = await readRecord(folder);
        if (record === null) await rm(folder, { recursive: true, force: true });
        else if (record.keepUntilMs === null) held.push(folder);
      }
      const loops = [...Array.from({ length: slots }, () => slot(held)), sweep()];
      running = Promise.all(loops.map(unlessStopped));
    },
    async stop() {
      stopping.abort();
      await running;
      await Promise.all(waiting);
    },
    get running() {
      return count;
    },
    health: () => (why === null ? { status: 'ok' } : { status: 'failing', why }),
  };
}
