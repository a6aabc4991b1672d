/**
 * The durable life of one task: a virtual object keyed by the task's content, so that two jobs that
 * want the same result never make it twice at once.
 *
 * No tool runs in here. A turn queues an attempt in SQL and waits for its outcome: woken by an
 * awakeable, and by a timer that reads SQL again in case that the wake-up was lost.
 */
import { type TaskResult, type TaskSpec, taskKey } from '@helixmesh/pipelines';
import type { ErrorRecord } from '@helixmesh/protocol';
import { type ObjectContext, object, RestatePromise } from '@restatedev/restate-sdk';
import type { Outcome } from '../jobs/attempts.ts';
import { afterFailure } from '../jobs/retry.ts';
import type { Lookup, TaskRequest } from '../jobs/tasks.ts';
import { CANCELED, terminal } from './failure.ts';
import { OUTCOME_POLL_FIRST_MS, OUTCOME_POLL_MAX_MS } from './limits.ts';
import { HANDLER_OPTIONS } from './options.ts';

/** The SQL side of a task; every function is idempotent. */
export interface TaskEffects {
  lookup(request: TaskRequest): Promise<Lookup>;
  enqueue(request: TaskRequest, awakeable: string): Promise<void>;
  outcome(awakeable: string): Promise<Outcome>;
  retried(
    request: TaskRequest,
    event: { error: ErrorRecord; delayMs: number; awakeable: string },
  ): Promise<void>;
  paused(request: TaskRequest, event: { error: ErrorRecord; token: string }): Promise<void>;
  resumed(request: TaskRequest, token: string): Promise<void>;
  failed(request: TaskRequest, error: ErrorRecord): Promise<void>;
}

export const TASK_SERVICE = 'task.v1';

/** What a paused task is told. */
export type ResumeOrder = 'resume' | 'cancel';

export function taskObject(effects: TaskEffects) {
  return object({
    name: TASK_SERVICE,
    handlers: {
      run: (context: ObjectContext, request: TaskRequest) => runTask(context, request, effects),
    },
    options: HANDLER_OPTIONS,
  });
}

export type TaskObject = ReturnType<typeof taskObject>;

/** The task of `spec` for a job, as a call that the engine journals. */
export function callTask(
  context: Pick<ObjectContext, 'objectClient'>,
  request: TaskRequest,
): Promise<TaskResult> {
  return context
    .objectClient<TaskObject>({ name: TASK_SERVICE }, taskKey(request.spec))
    .run(request);
}

async function runTask(
  context: ObjectContext,
  request: TaskRequest,
  effects: TaskEffects,
): Promise<TaskResult> {
  const lookup = await context.run('lookup', () => effects.lookup(request));
  if (lookup.status === 'known') return lookup.result;
  if (lookup.status === 'canceled') throw terminal(CANCELED);
  await materialize(context, request, lookup.missing);
  for (let failures = 0; ; ) {
    const { outcome, awakeable } = await attempt(context, request, effects);
    if (outcome.status === 'complete') return outcome.result;
    if (outcome.status === 'canceled') throw terminal(CANCELED);
    if (outcome.status === 'pending') continue;
    failures += 1;
    const { error } = outcome;
    const decision = afterFailure(error, failures);
    if (decision.action === 'fail') {
      await context.run('failed', () => effects.failed(request, error));
      throw terminal(error);
    }
    if (decision.action === 'retry') {
      const { delayMs } = decision;
      await context.run('retried', () => effects.retried(request, { error, delayMs, awakeable }));
      await context.sleep(delayMs);
      continue;
    }
    await pause(context, request, { effects, error });
    failures = 0;
  }
}

/** Makes deleted outputs again that this task reads. */
async function materialize(
  context: ObjectContext,
  request: TaskRequest,
  missing: readonly TaskSpec[],
): Promise<void> {
  const calls = missing.map((spec) =>
    context
      .objectClient<TaskObject>({ name: TASK_SERVICE }, taskKey(spec))
      .run({ ...request, spec, rematerialize: true }),
  );
  if (calls.length > 0) await RestatePromise.all(calls);
}

async function attempt(
  context: ObjectContext,
  request: TaskRequest,
  effects: TaskEffects,
): Promise<{ outcome: Outcome; awakeable: string }> {
  const wait = context.awakeable<null>();
  const woken = wait.promise;
  await context.run('enqueue', () => effects.enqueue(request, wait.id));
  let pollMs = OUTCOME_POLL_FIRST_MS;
  let awake = false;
  for (;;) {
    if (!awake) {
      const timer = context.sleep(pollMs).map(() => 'timer' as const);
      const first = await RestatePromise.race([woken.map(() => 'woken' as const), timer]);
      awake = first === 'woken';
    } else {
      await context.sleep(pollMs);
    }
    const outcome = await context.run('outcome', () => effects.outcome(wait.id));
    if (outcome.status !== 'pending') return { outcome, awakeable: wait.id };
    pollMs = Math.min(pollMs * 2, OUTCOME_POLL_MAX_MS);
  }
}

async function pause(
  context: ObjectContext,
  request: TaskRequest,
  { effects, error }: { effects: TaskEffects; error: ErrorRecord },
): Promise<void> {
  const wait = context.awakeable<ResumeOrder>();
  await context.run('paused', () => effects.paused(request, { error, token: wait.id }));
  const order = await wait.promise;
  if (order === 'cancel') throw terminal(CANCELED);
  await context.run('resumed', () => effects.resumed(request, wait.id));
}
