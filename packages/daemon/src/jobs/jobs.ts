/**
 * Jobs in SQL: every change of a job's state, each in one transaction with its journal row.
 *
 * QUEUED → RUNNING ⇄ PAUSED → COMPLETE | EXECUTOR_ERROR | SYSTEM_ERROR
 * any of the first three → CANCELING → CANCELED
 * A terminal job that is resumed becomes QUEUED again under the next generation; what it finished
 * before is reused by content.
 */
import { randomBytes } from 'node:crypto';
import type { PipelineResult } from '@helixmesh/pipelines';
import {
  AppError,
  type ErrorRecord,
  type JobState,
  type Json,
  TERMINAL_STATES,
} from '@helixmesh/protocol';
import { sql } from 'kysely';
import type { JobRef } from '../restate/pipeline-workflow.ts';
import { atomically, type Database } from '../sql/database.ts';
import { appendEvent } from './journal.ts';
import { letStepsGoOn, pausedTokens } from './paused-steps.ts';

export interface NewJob {
  readonly sampleId: string;
  readonly pipeline: string;
  readonly workflow: string;
  readonly document: Json;
  readonly submissionKey: string;
  readonly outDir: string;
  readonly keepIntermediates: boolean;
}

export type JobRow = Awaited<ReturnType<typeof getJobRow>>;

export async function getJobRow(database: Database, jobId: string) {
  const row = await database
    .selectFrom('jobs')
    .selectAll()
    .where('job_id', '=', jobId)
    .executeTakeFirst();
  if (row === undefined) {
    throw new AppError('NOT_FOUND', `no job ${jobId}`, {
      hint: 'List the jobs with `helixmesh status`.',
    });
  }
  return row;
}

/** The state alone, for those who look often. Throws NOT_FOUND. */
export async function getJobState(database: Database, jobId: string): Promise<JobState> {
  const row = await database
    .selectFrom('jobs')
    .select('state')
    .where('job_id', '=', jobId)
    .executeTakeFirst();
  return row?.state ?? (await getJobRow(database, jobId)).state;
}

export type Submitted =
  | { readonly status: 'created'; readonly jobId: string }
  /** The same work into the same folder: goes on, or is done already. */
  | { readonly status: 'exists'; readonly jobId: string };

/**
 * Records the job and its start order together. Another job that is not terminal and writes into
 * the same folder is a conflict (OUTPUT_IN_USE), unless it is this very work.
 */
export async function submitJob(database: Database, job: NewJob): Promise<Submitted> {
  return database.transaction().execute(async (trx) => {
    const rivals = await trx
      .selectFrom('jobs')
      .select(['job_id', 'submission_key', 'state'])
      .where('out_dir', '=', job.outDir)
      .where('state', 'not in', [...TERMINAL_STATES])
      .execute();
    const same = rivals.find((rival) => rival.submission_key === job.submissionKey);
    if (same !== undefined) return { status: 'exists', jobId: same.job_id };
    if (rivals[0] !== undefined) {
      throw new AppError('OUTPUT_IN_USE', `job ${rivals[0].job_id} is writing into ${job.outDir}`, {
        hint: 'Choose another --out folder, or wait for that job or cancel it.',
      });
    }
    const jobId = `job_${randomBytes(8).toString('hex')}`;
    const now = Date.now();
    await trx
      .insertInto('jobs')
      .values({
        job_id: jobId,
        sample_id: job.sampleId,
        pipeline: job.pipeline,
        workflow: job.workflow,
        generation: 1,
        state: 'QUEUED',
        document: JSON.stringify(job.document),
        submission_key: job.submissionKey,
        job_hash: null,
        out_dir: job.outDir,
        keep_intermediates: job.keepIntermediates ? 1 : 0,
        reason: null,
        result: null,
        recovered: 0,
        created_at: now,
        started_at: null,
        ended_at: null,
      })
      .execute();
    await trx
      .insertInto('outbox')
      .values({ job_id: jobId, generation: 1, created_at: now, sent_at: null })
      .execute();
    await jobEvent(
      trx,
      { jobId, generation: 1 },
      { state: 'submitted', payload: { workflow: job.workflow } },
    );
    return { status: 'created', jobId };
  });
}

/** Writes a row of step `job`; the occasion is the generation unless told otherwise. */
async function jobEvent(
  trx: Database,
  { jobId, generation }: JobRef,
  event: { state: string; payload: Json; occasion?: string },
): Promise<void> {
  const { sample_id: sampleId } = await getJobRow(trx, jobId);
  await appendEvent(trx, {
    jobId,
    sampleId,
    step: 'job',
    state: event.state,
    occasion: event.occasion ?? String(generation),
    atMs: Date.now(),
    payload: event.payload,
  });
}

/** An event that the pipeline itself emits. */
export async function emitEvent(
  database: Database,
  event: { jobId: string; name: string; payload: Json },
): Promise<void> {
  const { sample_id: sampleId, generation } = await getJobRow(database, event.jobId);
  await appendEvent(database, {
    jobId: event.jobId,
    sampleId,
    step: event.name,
    state: 'noted',
    occasion: String(generation),
    atMs: Date.now(),
    payload: event.payload,
  });
}

interface Change {
  readonly from: readonly JobState[];
  readonly to: JobState;
  readonly reason?: ErrorRecord | null;
  readonly event: string;
  readonly payload?: Json;
  readonly occasion?: string;
}

/** Moves the job if it stands in one of `from` under this generation; says whether it moved. */
async function change(database: Database, job: JobRef, order: Change): Promise<boolean> {
  return atomically(database, async (trx) => {
    const terminal = TERMINAL_STATES.includes(order.to);
    const { numUpdatedRows } = await trx
      .updateTable('jobs')
      .set({
        state: order.to,
        ...(order.reason === undefined
          ? {}
          : { reason: order.reason === null ? null : JSON.stringify(order.reason) }),
        ...(terminal ? { ended_at: Date.now() } : {}),
        ...(order.event === 'started'
          ? { started_at: sql`coalesce(started_at, ${Date.now()})` }
          : {}),
      })
      .where('job_id', '=', job.jobId)
      .where('generation', '=', job.generation)
      .where('state', 'in', [...order.from])
      .executeTakeFirst();
    if (numUpdatedRows === 0n) return false;
    await jobEvent(trx, job, {
      state: order.event,
      payload: order.payload ?? {},
      ...(order.occasion === undefined ? {} : { occasion: order.occasion }),
    });
    return true;
  });
}

export async function startJob(database: Database, job: JobRef): Promise<void> {
  await change(database, job, {
    from: ['QUEUED'],
    to: 'RUNNING',
    reason: null,
    event: 'started',
  });
}

/**
 * Takes a job back that has just been recorded and cannot begin after all. One that the engine has
 * begun meanwhile stays.
 */
export async function withdrawJob(database: Database, jobId: string): Promise<void> {
  await database.transaction().execute(async (trx) => {
    const sent = await trx
      .deleteFrom('outbox')
      .where('job_id', '=', jobId)
      .where('sent_at', 'is', null)
      .executeTakeFirst();
    if (sent.numDeletedRows === 0n) return;
    await trx.deleteFrom('journal').where('job_id', '=', jobId).execute();
    await trx.deleteFrom('jobs').where('job_id', '=', jobId).execute();
  });
}

/** The workflow has returned; the deliverer takes it from here. */
export async function recordResult(
  database: Database,
  job: JobRef,
  result: PipelineResult,
): Promise<void> {
  await database
    .updateTable('jobs')
    .set({ result: JSON.stringify(result), job_hash: result.jobHash })
    .where('job_id', '=', job.jobId)
    .where('generation', '=', job.generation)
    .execute();
}

export async function completeJob(database: Database, job: JobRef): Promise<void> {
  await change(database, job, {
    from: ['RUNNING', 'PAUSED'],
    to: 'COMPLETE',
    reason: null,
    event: 'completed',
  });
}

export async function failJob(database: Database, job: JobRef, error: ErrorRecord): Promise<void> {
  if (error.code === 'CANCELED') return settleCanceled(database, job);
  await change(database, job, {
    from: ['QUEUED', 'RUNNING', 'PAUSED'],
    to: error.code === 'INTERNAL' ? 'SYSTEM_ERROR' : 'EXECUTOR_ERROR',
    reason: error,
    event: 'failed',
    payload: { code: error.code },
  });
  await settleCanceled(database, job);
}

/** A CANCELING job has come to its end; of another state nothing changes. */
export async function settleCanceled(database: Database, job: JobRef): Promise<void> {
  await change(database, job, {
    from: ['CANCELING'],
    to: 'CANCELED',
    reason: null,
    event: 'canceled',
  });
}

/** Waits for the user: `occasion` names the wait. */
export async function pauseJob(
  database: Database,
  job: JobRef,
  { error, occasion }: { error: ErrorRecord; occasion: string },
): Promise<void> {
  const hint = `${error.hint ?? 'Mend the cause.'} Then: helixmesh resume ${job.jobId}`;
  await change(database, job, {
    from: ['QUEUED', 'RUNNING'],
    to: 'PAUSED',
    reason: { ...error, hint },
    event: 'paused',
    payload: { code: error.code },
    occasion,
  });
}

/** Goes on, unless a step still waits for the user: then the job stays PAUSED and can be resumed. */
export async function unpauseJob(database: Database, job: JobRef, occasion: string): Promise<void> {
  await atomically(database, async (trx) => {
    if ((await pausedTokens(trx, job.jobId)).length > 0) return;
    await change(trx, job, {
      from: ['PAUSED'],
      to: 'RUNNING',
      reason: null,
      event: 'resumed',
      occasion,
    });
  });
}

export async function cancelJob(database: Database, job: JobRef): Promise<void> {
  await change(database, job, {
    from: ['QUEUED', 'RUNNING', 'PAUSED'],
    to: 'CANCELING',
    event: 'canceling',
  });
}

/**
 * Queues a job again under the next generation, unless that has been done already. What its steps
 * waited for belongs to the old generation and is forgotten.
 */
export async function restartJob(database: Database, job: JobRef): Promise<void> {
  const { jobId } = job;
  await database.transaction().execute(async (trx) => {
    const generation = job.generation + 1;
    const now = Date.now();
    const { numUpdatedRows } = await trx
      .updateTable('jobs')
      .set({ state: 'QUEUED', generation, reason: null, result: null, ended_at: null })
      .where('job_id', '=', jobId)
      .where('generation', '=', job.generation)
      .executeTakeFirst();
    if (numUpdatedRows === 0n) return;
    await letStepsGoOn(trx, jobId);
    await trx
      .insertInto('outbox')
      .values({ job_id: jobId, generation, created_at: now, sent_at: null })
      .execute();
    await jobEvent(trx, { jobId, generation }, { state: 'resumed', payload: { generation } });
  });
}

/** Marks the jobs that were under way when the last daemon died. */
export async function markRecovered(database: Database, bootId: string): Promise<string[]> {
  return database.transaction().execute(async (trx) => {
    const rows = await trx
      .updateTable('jobs')
      .set({ recovered: 1 })
      .where('state', 'in', ['RUNNING', 'CANCELING'])
      .returning(['job_id', 'generation'])
      .execute();
    for (const row of rows) {
      const job = { jobId: row.job_id, generation: row.generation };
      await jobEvent(trx, job, { state: 'recovered', payload: {}, occasion: bootId });
    }
    return rows.map((row) => row.job_id);
  });
}
