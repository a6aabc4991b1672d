/**
 * What a node consists of while it runs: applications, each with a start, a stop and a health.
 *
 * A1  An application starts after those that it depends on, and stops before them.
 * A2  When one cannot start, it and those before it are stopped, last first, and its error is
 *     thrown: nothing is left running.
 * A3  A stop first tells all to take nothing new. It ends after `drainMs` whatever they do; what
 *     hangs is named in the log, and ends with the process.
 */
import assert from 'node:assert/strict';
import { setTimeout as delay } from 'node:timers/promises';
import { AppError } from '@helixmesh/protocol';
import { STOP_ALL_MS, STOP_ONE_MS } from './limits.ts';
import type { Logger } from './logger.ts';

export type ApplicationHealth =
  | { readonly status: 'ok' }
  /** It does its own work; others, who are offline, keep it from the rest. */
  | { readonly status: 'degraded'; readonly why: string }
  | { readonly status: 'failing'; readonly why: string };

export const OK: ApplicationHealth = { status: 'ok' };

export interface Application {
  readonly name: string;
  /** Answers when it serves. What it leaves behind when it throws, `stop` removes. */
  start(): Promise<void>;
  /** May be called more than once, and after a start that failed. */
  stop(): Promise<void>;
  health(): ApplicationHealth;
}

/** An application among others. */
export interface Placed {
  readonly application: Application;
  /** Names of those that it needs. */
  readonly after: readonly string[];
  /** Called on all before the first is stopped: takes nothing new from now on. */
  readonly drain?: () => void;
  /** How long its own stop may take, of the time that all have together. */
  readonly stopMs?: number;
}

export interface NamedHealth {
  readonly name: string;
  readonly status: ApplicationHealth['status'];
  /** Null when it is well. */
  readonly why: string | null;
}

export interface Applications {
  /** When `signal` is aborted before the last one has started, all are stopped: CANCELED. */
  start(signal?: AbortSignal): Promise<void>;
  stop(): Promise<void>;
  /** In the order of the start. */
  health(): readonly NamedHealth[];
  readonly isDraining: boolean;
}

export interface ApplicationsOptions {
  readonly logger: Logger;
  readonly drainMs?: number;
}

export function createApplications(
  placed: readonly Placed[],
  { logger, drainMs = STOP_ALL_MS }: ApplicationsOptions,
): Applications {
  const ordered = inOrder(placed);
  const touched: Placed[] = [];
  const serving = new Set<string>();
  let stopping: Promise<void> | null = null;

  async function start(signal?: AbortSignal): Promise<void> {
    for (const one of ordered) {
      if (signal?.aborted === true) {
        await stop();
        throw new AppError('CANCELED', 'the node was told to stop while it started');
      }
      touched.push(one);
      const { name } = one.application;
      try {
        await one.application.start();
        serving.add(name);
        logger.info({ application: name }, 'application started');
      } catch (error) {
        logger.warn({ application: name, code: AppError.from(error).code }, 'start failed');
        await stop();
        throw error;
      }
    }
  }

  function stop(): Promise<void> {
    stopping ??= stopAll();
    return stopping;
  }

  async function stopAll(): Promise<void> {
    const endsMs = performance.now() + drainMs;
    for (const { drain } of touched) drain?.();
    for (const { application, stopMs = STOP_ONE_MS } of touched.toReversed()) {
      serving.delete(application.name);
      const leftMs = Math.max(0, Math.min(stopMs, endsMs - performance.now()));
      await stopOne(application, { leftMs, logger });
    }
  }

  return {
    start,
    stop,
    health: () =>
      ordered.map(({ application }) => healthOf(application, serving.has(application.name))),
    get isDraining() {
      return stopping !== null;
    },
  };
}

/** Never throws: how one ends changes nothing for the others. */
async function stopOne(
  application: Application,
  { leftMs, logger }: { readonly leftMs: number; readonly logger: Logger },
): Promise<void> {
  const { name } = application;
  const ended = new AbortController();
  const late = delay(leftMs, 'late' as const, { signal: ended.signal }).catch(() => 'ended');
  const stopped = application.stop().catch((error) => {
    logger.warn({ application: name, code: AppError.from(error).code }, 'stop failed');
  });
  if ((await Promise.race([stopped, late])) === 'late') {
    logger.warn({ application: name }, 'application did not stop in time');
  }
  ended.abort();
}

function healthOf(application: Application, isServing: boolean): NamedHealth {
  const { name } = application;
  if (!isServing) return { name, status: 'failing', why: 'it is not running' };
  try {
    const health = application.health();
    return { name, status: health.status, why: health.status === 'ok' ? null : health.why };
  } catch (error) {
    // A health that cannot be told must not keep that of the others from being told.
    return { name, status: 'failing', why: AppError.from(error).code };
  }
}

/** Each after those that it names (A1), else as they were given. */
function inOrder(placed: readonly Placed[]): Placed[] {
  const names = new Set(placed.map(({ application }) => application.name));
  assert.equal(names.size, placed.length, 'two applications have one name');
  for (const { application, after } of placed) {
    for (const name of after) assert(names.has(name), `${application.name} needs ${name}`);
  }
  const ordered: Placed[] = [];
  const done = new Set<string>();
  while (ordered.length < placed.length) {
    const next = placed.find(
      ({ application, after }) =>
        !done.has(application.name) && after.every((name) => done.has(name)),
    );
    assert(next !== undefined, 'applications need one another in a circle');
    ordered.push(next);
    done.add(next.application.name);
  }
  return ordered;
}
