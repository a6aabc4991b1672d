/**
 * The coordinator's work on tasks as an application: its routes, and a loop that ends what is late
 * and places what is wanted. One round changes nothing that a second one would do differently, so a
 * coordinator that stops in the middle goes on from SQL.
 *
 * Left out: what decides (`decide.ts`), and who says what was revoked (`head-watch.ts`).
 */
import { setTimeout as delay } from 'node:timers/promises';
import { AppError } from '@helixmesh/protocol';
import type { Decision } from '@helixmesh/scheduler';
import { type Application, OK } from '../../node/application.ts';
import type { Logger } from '../../node/logger.ts';
import type { Reason } from './advance.ts';
import { expireLeases } from './attempts.ts';
import { serveTasks, type TaskRoutesOptions } from './handlers.ts';
import type { HeadWatch } from './head-watch.ts';
import type { JobEnds } from './job-ends.ts';
import { HEAD_WAIT_MS, ROUND_MS } from './limits.ts';
import { placeReplicas, postpone, type TaskToPlace, tasksToPlace } from './placement.ts';

/** The scheduler's decision for one task, or why there can be none now. */
export type Decided =
  | { readonly status: 'decided'; readonly decision: Decision }
  | { readonly status: 'waits'; readonly reason: Reason };
export type Decide = (task: TaskToPlace, nowMs: number) => Promise<Decided>;

export interface TaskCoordinationOptions extends TaskRoutesOptions {
  readonly decide: Decide;
  /** Where grants may be revoked. */
  readonly watch?: HeadWatch;
  /** Who hears when a spread job is over. */
  readonly ends?: JobEnds;
  readonly logger: Logger;
  /** Pause between two rounds, ms. */
  readonly roundMs?: number;
}

/** Adds its routes to the listener at once; the loop runs from `start` to `stop`. */
export function createTaskCoordination(options: TaskCoordinationOptions): Application {
  serveTasks(options);
  const { logger, watch, ends, roundMs = ROUND_MS } = options;
  const failing = new Map<string, string>();
  let stopping: AbortController | undefined;
  let running: Promise<unknown> | undefined;

  async function run(
    what: string,
    round: (signal: AbortSignal) => Promise<unknown>,
    signal: AbortSignal,
  ): Promise<void> {
    while (!signal.aborted) {
      try {
        await round(signal);
        failing.delete(what);
      } catch (error) {
        if (signal.aborted) return;
        // The next round does what this one could not; health tells of it meanwhile.
        const { code } = AppError.from(error);
        failing.set(what, code);
        logger.warn({ code, what }, 'a round failed');
      }
      await delay(roundMs, undefined, { signal }).catch(() => undefined);
    }
  }

  return {
    name: 'network-tasks',
    async start() {
      stopping = new AbortController();
      const { signal } = stopping;
      // Apart, so that a custodian that does not answer holds up nobody else's task.
      running = Promise.all([
        run('placing', () => oneRound(options), signal),
        ...(watch === undefined ? [] : [run('revocations', watch.look, signal)]),
        ...(ends === undefined ? [] : [run('ended jobs', ends.look, signal)]),
      ]);
    },
    async stop() {
      stopping?.abort();
      await running;
    },
    health() {
      const [first] = failing;
      return first === undefined ? OK : { status: 'failing', why: `${first[0]}: ${first[1]}` };
    },
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
    const decided = await decide(task, now());
    if (decided.status === 'waits') {
      const { reason } = decided;
      await postpone(database, task.taskId, { reason, untilMs: now() + HEAD_WAIT_MS });
      continue;
    }
    const { decision } = decided;
    const outcome = await placeReplicas(database, { decision, keeper, nowMs: now() });
    if (outcome.status === 'placed') offered += outcome.attempts.length;
    logger.info({ task: task.taskId, status: outcome.status }, 'task placed');
  }
  return { expired, offered };
}
