/**
 * Attempts in SQL: the state machine between a waiting workflow and a working executor.
 *
 * A1  At most one attempt of a task is QUEUED or RUNNING; each new one has a higher fencing token.
 * A2  An outcome is recorded only for the attempt that is RUNNING under its own token; a late one
 *     changes nothing.
 * A3  Every outcome is kept until the waiting invocation has read it (`acknowledged`).
 */
import { randomBytes } from 'node:crypto';
import { type TaskResult, type TaskSpec, taskKey } from '@helixmesh/pipelines';
import { type AttemptId, canonicalJson, type ErrorRecord, type TaskKey } from '@helixmesh/protocol';
import type { AttemptOutcome } from '../executor/outcome.ts';
import type { Database } from '../sql/database.ts';
import { appendEvent } from './journal.ts';
import type { TaskRequest } from './tasks.ts';

export interface QueuedAttempt {
  readonly attemptId: AttemptId;
  readonly taskKey: TaskKey;
  readonly jobId: string;
  readonly sampleId: string;
  readonly fencingToken: number;
  readonly spec: TaskSpec;
}

export type Outcome =
  | { readonly status: 'pending' }
  | { readonly status: 'complete'; readonly result: TaskResult }
  | { readonly status: 'failed'; readonly error: ErrorRecord }
  | { readonly status: 'canceled' };

const OPEN = ['QUEUED', 'RUNNING'];

/**
 * Queues an attempt for the wait `awakeable`; asking again for the same wait changes nothing. An
 * open attempt of the task is left as it is (A1).
 */
export async function enqueueAttempt(
  database: Database,
  request: TaskRequest,
  awakeable: string,
): Promise<void> {
  const key = taskKey(request.spec);
  await database.transaction().execute(async (trx) => {
    const asked = await trx
      .selectFrom('attempts')
      .select('attempt_id')
      .where('awakeable', '=', awakeable)
      .executeTakeFirst();
    if (asked !== undefined) return;
    const open = await trx
      .selectFrom('attempts')
      .select('attempt_id')
      .where('task_key', '=', key)
      .where('state', 'in', OPEN)
      .executeTakeFirst();
    if (open !== undefined) {
      // A wait of an earlier generation of the job was given up; its attempt serves the new one.
      await trx
        .updateTable('attempts')
        .set({ awakeable, job_id: request.jobId })
        .where('attempt_id', '=', open.attempt_id)
        .execute();
      return;
    }
    await insertAttempt(trx, { key, request, awakeable });
  });
}

async function insertAttempt(
  trx: Database,
  {
    key,
    request,
    awakeable,
  }: { key: TaskKey; request: Pick<TaskRequest, 'jobId' | 'spec'>; awakeable: string },
): Promise<void> {
  const last = await trx
    .selectFrom('attempts')
    .select((eb) => eb.fn.max('fencing_token').as('token'))
    .where('task_key', '=', key)
    .executeTakeFirst();
  await trx
    .insertInto('attempts')
    .values({
      attempt_id: `att_${randomBytes(8).toString('hex')}`,
      task_key: key,
      job_id: request.jobId,
      name: request.spec.name,
      pool: request.spec.pool,
      cores: request.spec.resources.cores,
      state: 'QUEUED',
      fencing_token: (last?.token ?? 0) + 1,
      awakeable,
      queued_at: Date.now(),
      started_at: null,
      ended_at: null,
      wall_ms: null,
      exit_code: null,
      command: null,
      stderr_tail: null,
      error: null,
    })
    .execute();
}

/** Attempts with what is needed to run them or to tell of them. */
function attemptRows(trx: Database) {
  return trx
    .selectFrom('attempts')
    .innerJoin('jobs', 'jobs.job_id', 'attempts.job_id')
    .innerJoin('tasks', 'tasks.task_key', 'attempts.task_key')
    .select(['attempts.attempt_id', 'attempts.task_key', 'attempts.job_id', 'attempts.name'])
    .select(['attempts.fencing_token', 'attempts.awakeable', 'jobs.sample_id', 'tasks.spec']);
}

type AttemptRow = Awaited<ReturnType<ReturnType<typeof attemptRows>['execute']>>[number];

/** A task keeps the name under which this job asked for it. */
function queuedAttempt(row: AttemptRow): QueuedAttempt {
  return {
    attemptId: row.attempt_id as AttemptId,
    taskKey: row.task_key as TaskKey,
    jobId: row.job_id,
    sampleId: row.sample_id,
    fencingToken: row.fencing_token,
    spec: { ...JSON.parse(row.spec), name: row.name },
  };
}

/**
 * The next attempt of a pool and the cores that it wants, or null: the oldest, but a step that is
 * tried again goes before those that were never tried.
 */
export async function nextAttempt(
  database: Database,
  pool: string,
): Promise<{ attemptId: AttemptId; cores: number } | null> {
  const row = await attemptRows(database)
    .where('attempts.state', '=', 'QUEUED')
    .where('attempts.pool', '=', pool)
    .orderBy('attempts.fencing_token', 'desc')
    .orderBy('attempts.queued_at')
    .orderBy('attempts.attempt_id')
    .limit(1)
    .executeTakeFirst();
  if (row === undefined) return null;
  const { attemptId, spec } = queuedAttempt(row);
  return { attemptId, cores: spec.resources.cores };
}

/** Takes a queued attempt, or answers null when it is no longer queued. */
export async function claimAttempt(
  database: Database,
  attemptId: AttemptId,
): Promise<QueuedAttempt | null> {
  return database.transaction().execute(async (trx) => {
    const row = await attemptRows(trx)
      .where('attempts.state', '=', 'QUEUED')
      .where('attempts.attempt_id', '=', attemptId)
      .executeTakeFirst();
    if (row === undefined) return null;
    const now = Date.now();
    const { numUpdatedRows } = await trx
      .updateTable('attempts')
      .set({ state: 'RUNNING', started_at: now })
      .where('attempt_id', '=', row.attempt_id)
      .where('state', '=', 'QUEUED')
      .executeTakeFirst();
    if (numUpdatedRows === 0n) return null;
    await trx
      .updateTable('job_tasks')
      .set((eb) => ({ state: 'RUNNING', started_at: eb.fn.coalesce('started_at', eb.val(now)) }))
      .where('job_id', '=', row.job_id)
      .where('name', '=', row.name)
      .execute();
    const attempt = queuedAttempt(row);
    await attemptEvent(trx, attempt, { state: 'started', atMs: now, payload: {} });
    return attempt;
  });
}

async function attemptEvent(
  trx: Database,
  attempt: QueuedAttempt,
  event: { state: string; atMs: number; payload: Record<string, string | number | null> },
): Promise<void> {
  await appendEvent(trx, {
    jobId: attempt.jobId,
    sampleId: attempt.sampleId,
    step: attempt.spec.name,
    state: event.state,
    occasion: attempt.attemptId,
    atMs: event.atMs,
    payload: { attempt: attempt.attemptId, fencingToken: attempt.fencingToken, ...event.payload },
  });
}

const STATE_OF_OUTCOME = {
  complete: 'COMPLETE',
  failed: 'EXECUTOR_ERROR',
  canceled: 'CANCELED',
} as const;

/**
 * Records an attempt's outcome; answers the awakeable to wake, or null for a late one (A2). A task
 * that is made again must give the digests that it gave before.
 */
export async function recordOutcome(
  database: Database,
  attempt: QueuedAttempt,
  measured: AttemptOutcome,
): Promise<string | null> {
  const now = Date.now();
  return database.transaction().execute(async (trx) => {
    const outcome = await compared(trx, attempt, measured);
    const failed = outcome.status === 'failed' ? outcome : null;
    const crashed = failed?.error.code === 'TOOL_CRASHED' || failed?.error.code === 'DISK_FULL';
    const row = await trx
      .updateTable('attempts')
      .set({
        state: crashed ? 'SYSTEM_ERROR' : STATE_OF_OUTCOME[outcome.status],
        ended_at: now,
        wall_ms: outcome.status === 'canceled' ? null : outcome.wallMs,
        exit_code: failed?.exitCode ?? null,
        command: outcome.status === 'canceled' ? null : outcome.command,
        stderr_tail: outcome.status === 'canceled' ? null : outcome.stderrTail,
        error: failed === null ? null : JSON.stringify(failed.error),
      })
      .where('attempt_id', '=', attempt.attemptId)
      .where('state', '=', 'RUNNING')
      .where('fencing_token', '=', attempt.fencingToken)
      .returning('awakeable')
      .executeTakeFirst();
    if (row === undefined) return null;
    if (outcome.status === 'complete') await completeTask(trx, attempt, { outcome, now });
    if (failed !== null) {
      await attemptEvent(trx, attempt, {
        state: 'failed',
        atMs: now,
        payload: { code: failed.error.code, exitCode: failed.exitCode ?? null },
      });
    }
    return row.awakeable;
  });
}

async function compared(
  trx: Database,
  { taskKey: key, spec }: QueuedAttempt,
  outcome: AttemptOutcome,
): Promise<AttemptOutcome> {
  if (outcome.status !== 'complete') return outcome;
  const task = await trx
    .selectFrom('tasks')
    .select('result')
    .where('task_key', '=', key)
    .executeTakeFirstOrThrow();
  if (task.result === null) return outcome;
  const before: TaskResult = JSON.parse(task.result);
  const digests = ({ outputs }: TaskResult) =>
    canonicalJson(
      Object.entries(outputs)
        .map(([name, { digest }]) => [name, digest])
        .sort(),
    );
  if (digests(before) === digests(outcome.result)) return outcome;
  const error: ErrorRecord = {
    code: 'RESULT_DIFFERS',
    message: `${spec.name} gave another result than before from the same inputs`,
    hint: 'Check the memory and disk of this machine; report the step if it happens again.',
  };
  return { ...outcome, status: 'failed', error, exitCode: null, signal: null, failedStage: null };
}

async function completeTask(
  trx: Database,
  attempt: QueuedAttempt,
  { outcome, now }: { outcome: AttemptOutcome & { status: 'complete' }; now: number },
): Promise<void> {
  await trx
    .updateTable('tasks')
    .set({
      state: 'COMPLETE',
      result: JSON.stringify(outcome.result),
      pruned: 0,
      completed_at: now,
    })
    .where('task_key', '=', attempt.taskKey)
    .execute();
  await trx
    .updateTable('job_tasks')
    .set({ state: 'COMPLETE', ended_at: now, error: null })
    .where('job_id', '=', attempt.jobId)
    .where('name', '=', attempt.spec.name)
    .execute();
  await attemptEvent(trx, attempt, {
    state: 'completed',
    atMs: now,
    payload: { task: attempt.taskKey, wallMs: Math.round(outcome.wallMs) },
  });
}

/** What has become of the wait, and that its invocation knows it now. */
export async function readOutcome(database: Database, awakeable: string): Promise<Outcome> {
  return database.transaction().execute(async (trx) => {
    const row = await trx
      .selectFrom('attempts')
      .innerJoin('tasks', 'tasks.task_key', 'attempts.task_key')
      .select(['attempts.attempt_id', 'attempts.state', 'attempts.error', 'tasks.result'])
      .where('attempts.awakeable', '=', awakeable)
      .orderBy('attempts.fencing_token', 'desc')
      .limit(1)
      .executeTakeFirst();
    if (row === undefined || OPEN.includes(row.state) || row.state === 'PREEMPTED')
      return { status: 'pending' };
    await trx
      .updateTable('attempts')
      .set({ acknowledged: 1 })
      .where('awakeable', '=', awakeable)
      .execute();
    if (row.state === 'COMPLETE')
      return { status: 'complete', result: JSON.parse(row.result ?? 'null') };
    if (row.state === 'CANCELED') return { status: 'canceled' };
    return { status: 'failed', error: JSON.parse(row.error ?? 'null') };
  });
}

/** Waits whose outcome is there but which no invocation has read: their wake-up may be lost. */
export async function unacknowledgedWaits(database: Database): Promise<string[]> {
  const rows = await database
    .selectFrom('attempts')
    .select('awakeable')
    .distinct()
    .where('acknowledged', '=', 0)
    .where('state', 'not in', [...OPEN, 'PREEMPTED'])
    .execute();
  return rows.map((row) => row.awakeable);
}

/**
 * Puts aside every attempt of the pool that workers which are no more left RUNNING, and queues the
 * next one under a higher token. Answers how many.
 */
export async function preemptRunning(database: Database, pool: string): Promise<number> {
  return database.transaction().execute(async (trx) => {
    const rows = await attemptRows(trx)
      .where('attempts.state', '=', 'RUNNING')
      .where('attempts.pool', '=', pool)
      .execute();
    for (const row of rows) {
      const now = Date.now();
      const attempt = queuedAttempt(row);
      await trx
        .updateTable('attempts')
        .set({ state: 'PREEMPTED', ended_at: now, acknowledged: 1 })
        .where('attempt_id', '=', row.attempt_id)
        .execute();
      await attemptEvent(trx, attempt, { state: 'preempted', atMs: now, payload: {} });
      const { awakeable } = row;
      await insertAttempt(trx, { key: attempt.taskKey, request: attempt, awakeable });
    }
    return rows.length;
  });
}

/** Ends the queued attempts of a job; answers the waits to wake. Running ones are aborted apart. */
export async function cancelQueued(database: Database, jobId: string): Promise<string[]> {
  const rows = await database
    .updateTable('attempts')
    .set({ state: 'CANCELED', ended_at: Date.now() })
    .where('job_id', '=', jobId)
    .where('state', '=', 'QUEUED')
    .returning('awakeable')
    .execute();
  return rows.map((row) => row.awakeable);
}
