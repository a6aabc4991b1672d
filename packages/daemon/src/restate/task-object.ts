/**
 * The durable life of one task: a virtual object keyed by the task's content, so that two jobs that
 * want the same result never make it twice at once.
 *
 * No tool runs in here. A turn queues an attempt in SQL and waits for its outcome: woken by an
 * awakeable, and by a timer that reads SQL again in case that the wake-up was lost.
 */
import { type TaskResult, type TaskSpec, taskKey } from '@helixmesh/pipelines';
import type { ErrorRecord } from '@helixmesh/protocol';
import {
  type Context,
  type ObjectContext,
  object,
  RestatePromise,
  service,
} from '@restatedev/restate-sdk';
import type { Outcome } from '../jobs/attempts.ts';
import { afterFailure } from '../jobs/retry.ts';
import type { Lookup, TaskRequest } from '../jobs/tasks.ts';
import { CANCELED, terminal } from './failure.ts';
import { OUTCOME_POLL, type OutcomePoll } from './limits.ts';
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
export const JOB_TASK_SERVICE = 'job-task.v1';

/** What a paused task is told. */
export type ResumeOrder = 'resume' | 'cancel';

/** How a turn at a task ends; what can only fail is thrown. */
type TaskReply =
  | { readonly status: 'complete'; readonly result: TaskResult }
  /** Its user must mend something first. The object is free meanwhile for other jobs. */
  | { readonly status: 'paused'; readonly error: ErrorRecord };

export function taskObject(effects: TaskEffects, poll: OutcomePoll = OUTCOME_POLL) {
  return object({
    name: TASK_SERVICE,
    handlers: {
      run: (context: ObjectContext, request: TaskRequest) =>
        runTask(context, request, { effects, poll }),
    },
    options: HANDLER_OPTIONS,
  });
}

type TaskObject = ReturnType<typeof taskObject>;

/** A task as one job sees it: takes turns at the task's object, and waits while it is paused. */
export function jobTaskService(effects: TaskEffects) {
  return service({
    name: JOB_TASK_SERVICE,
    handlers: {
      run: async (context: Context, request: TaskRequest): Promise<TaskResult> => {
        for (;;) {
          const reply = await taskOf(context, request.spec).run(request);
          if (reply.status === 'complete') return reply.result;
          await pause(context, request, { effects, error: reply.error });
        }
      },
    },
    options: HANDLER_OPTIONS,
  });
}

type JobTaskService = ReturnType<typeof jobTaskService>;

function taskOf(context: Context, spec: TaskSpec) {
  return context.objectClient<TaskObject>({ name: TASK_SERVICE }, taskKey(spec));
}

/** The task of `spec` for a job, as a call that the engine journals. */
export function callTask(context: Context, request: TaskRequest): PromiseLike<TaskResult> {
  return context.serviceClient<JobTaskService>({ name: JOB_TASK_SERVICE }).run(request);
}

interface TaskOptions {
  readonly effects: TaskEffects;
  readonly poll: OutcomePoll;
}

async function runTask(
  context: ObjectContext,
  request: TaskRequest,
  options: TaskOptions,
): Promise<TaskReply> {
  const { effects } = options;
  const lookup = await context.run('lookup', () => effects.lookup(request));
  if (lookup.status === 'known') return { status: 'complete', result: lookup.result };
  if (lookup.status === 'canceled') throw terminal(CANCELED);
  const paused = await materialize(context, request, lookup.missing);
  if (paused !== undefined) return paused;
  for (let failures = 0; ; ) {
    const { outcome, awakeable } = await attempt(context, request, options);
    if (outcome.status === 'complete') return outcome;
    if (outcome.status === 'canceled') throw terminal(CANCELED);
    if (outcome.status === 'pending') continue;
    failures += 1;
    const { error } = outcome;
    const decision = afterFailure(error, failures);
    if (decision.action === 'pause') return { status: 'paused', error };
    if (decision.action === 'fail') {
      await context.run('failed', () => effects.failed(request, error));
      throw terminal(error);
    }
    const { delayMs } = decision;
    await context.run('retried', () => effects.retried(request, { error, delayMs, awakeable }));
    await context.sleep(delayMs);
  }
}

/** Makes deleted outputs again that this task reads; answers the first that had to pause. */
async function materialize(
  context: ObjectContext,
  request: TaskRequest,
  missing: readonly TaskSpec[],
): Promise<TaskReply | undefined> {
  const calls = missing.map((spec) =>
    taskOf(context, spec).run({ ...request, spec, rematerialize: true }),
  );
  if (calls.length === 0) return undefined;
  return (await RestatePromise.all(calls)).find(({ status }) => status === 'paused');
}

async function attempt(
  context: ObjectContext,
  request: TaskRequest,
  { effects, poll }: TaskOptions,
): Promise<{ outcome: Outcome; awakeable: string }> {
  const wait = context.awakeable<null>();
  const woken = wait.promise;
  await context.run('enqueue', () => effects.enqueue(request, wait.id));
  let pollMs = poll.firstMs;
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
    pollMs = Math.min(pollMs * 2, poll.maxMs);
  }
}

async function pause(
  context: Context,
  request: TaskRequest,
  { effects, error }: { effects: TaskEffects; error: ErrorRecord },
): Promise<void> {
  const wait = context.awakeable<ResumeOrder>();
  await context.run('paused', () => effects.paused(request, { error, token: wait.id }));
  const order = await wait.promise;
  if (order === 'cancel') throw terminal(CANCELED);
  await context.run('resumed', () => effects.resumed(request, wait.id));
}
