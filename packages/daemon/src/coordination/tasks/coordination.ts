/**
 * The coordinator's work on tasks as an application: its routes, and a loop that ends what is late
 * and places what is wanted. One round changes nothing that a second one would do differently, so a
 * coordinator that stops in the middle goes on from SQL.
 *
 * Left out: what decides. `decide` puts a task's job together with the registry of nodes, the copies
 * of its datasets and their owners' terms, and asks the scheduler.
 */
import { setTimeout as delay } from 'node:timers/promises';
import { AppError } from '@helixmesh/protocol';
import type { Decision } from '@helixmesh/scheduler';
import { type Application, OK } from '../../node/application.ts';
import type { Logger } from '../../node/logger.ts';
import { expireLeases } from './attempts.ts';
import { serveTasks, type TaskRoutesOptions } from './handlers.ts';
import { ROUND_MS } from './limits.ts';
import { placeReplicas, type TaskToPlace, tasksToPlace } from './placement.ts';

/** The scheduler's decision for one task; null where it cannot be made now. */
export type Decide = (task: TaskToPlace, nowMs: number) => Promise<Decision | null>;

export interface TaskCoordinationOptions extends TaskRoutesOptions {
  readonly decide: Decide;
  readonly logger: Logger;
  /** Pause between two rounds, ms. */
  readonly roundMs?: number;
}

/** Adds its routes to the listener at once; the loop runs from `start` to `stop`. */
export function createTaskCoordination(options: TaskCoordinationOptions): Application {
  serveTasks(options);
  const { logger, roundMs = ROUND_MS } = options;
  let failing: string | null = null;
  let stopping: AbortController | undefined;
  let running: Promise<void> | undefined;

  async function run(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      try {
        await oneRound(options);
        failing = null;
      } catch (error) {
        // The next round does what this one could not; health tells of it meanwhile.
        failing = AppError.from(error).code;
        logger.warn({ code: failing }, 'a round of placements failed');
      }
      await delay(roundMs, undefined, { signal }).catch(() => undefined);
    }
  }

  return {
    name: 'network-tasks',
    async start() {
      stopping = new AbortController();
      running = run(stopping.signal);
    },
    async stop() {
      stopping?.abort();
      await running;
    },
    health: () => (failing === null ? OK : { status: 'failing', why: failing }),
  };
}

export interface Round {
  /** Attempts whose offer or lease has ended. */
  readonly expired: number;
  /** Attempts that were offered. */
  readonly offered: number;
}

/** Ends what is late, then places what is wanted. */
export async function oneRound({
  database,
  decide,
  keeper,
  logger,
  now,
}: Pick<
  TaskCoordinationOptions,
  'database' | 'decide' | 'keeper' | 'logger' | 'now'
>): Promise<Round> {
  const expired = await expireLeases(database, now());
  let offered = 0;
  for (const task of await tasksToPlace(database, now())) {
    const decision = await decide(task, now());
    if (decision === null) continue;
    const outcome = await placeReplicas(database, { decision, keeper, nowMs: now() });
    if (outcome.status === 'placed') offered += outcome.attempts.length;
    logger.info({ task: task.taskId, status: outcome.status }, 'task placed');
  }
  return { expired, offered };
}
