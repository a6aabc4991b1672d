/** The SQL side of workflows and tasks, as the durable engine calls it. Every one is idempotent. */
import type { OutputRef } from '@helixmesh/pipelines';
import type { Json } from '@helixmesh/protocol';
import type { JobEffects } from '../restate/pipeline-workflow.ts';
import type { TaskEffects } from '../restate/task-object.ts';
import { atomically, type Database } from '../sql/database.ts';
import { enqueueAttempt, readOutcome } from './attempts.ts';
import {
  emitEvent,
  failJob,
  getJobRow,
  pauseJob,
  recordResult,
  startJob,
  unpauseJob,
} from './jobs.ts';
import { appendEvent } from './journal.ts';
import { releaseOutFolder } from './out-folder.ts';
import { pauseStep, resumeStep } from './paused-steps.ts';
import { type HasOutput, lookupTask, type TaskRequest } from './tasks.ts';

export interface EffectsOptions {
  readonly database: Database;
  readonly hasOutput: HasOutput;
  readonly readOutput: (output: OutputRef) => Promise<Json>;
  /** An attempt is waiting in the queue of this pool. */
  readonly queued: (pool: string) => void;
  /** A job's workflow has returned. */
  readonly finished: (jobId: string) => void;
}

export function taskEffects({ database, hasOutput, queued }: EffectsOptions): TaskEffects {
  return {
    lookup: (request) => lookupTask(database, request, hasOutput),
    enqueue: async (request, awakeable) => {
      await enqueueAttempt(database, request, awakeable);
      queued(request.spec.pool);
    },
    outcome: (awakeable) => readOutcome(database, awakeable),
    retried: (request, { error, delayMs, awakeable }) =>
      taskEvent(database, request, {
        state: 'retried',
        occasion: awakeable,
        payload: { code: error.code, delayMs },
      }),
    paused: async (request, { error, token }) => {
      await atomically(database, async (trx) => {
        if ((await getJobRow(trx, request.jobId)).generation !== request.generation) return;
        await pauseStep(trx, stepOf(request), { error, token });
        await taskEvent(trx, request, {
          state: 'paused',
          occasion: token,
          payload: { code: error.code },
        });
        await pauseJob(trx, request, { error, occasion: token });
      });
    },
    resumed: async (request, token) => {
      await atomically(database, async (trx) => {
        await resumeStep(trx, stepOf(request));
        await unpauseJob(trx, request, token);
      });
    },
    failed: async (request, error) => {
      await database
        .updateTable('job_tasks')
        .set({ state: 'EXECUTOR_ERROR', error: JSON.stringify(error), ended_at: Date.now() })
        .where('job_id', '=', request.jobId)
        .where('name', '=', request.spec.name)
        .execute();
    },
  };
}

function stepOf({ jobId, spec }: TaskRequest): { jobId: string; name: string } {
  return { jobId, name: spec.name };
}

async function taskEvent(
  database: Database,
  { jobId, spec }: TaskRequest,
  event: { state: string; occasion: string; payload: Json },
): Promise<void> {
  const { sample_id: sampleId } = await getJobRow(database, jobId);
  await appendEvent(database, { jobId, sampleId, step: spec.name, atMs: Date.now(), ...event });
}

export function jobEffects({ database, readOutput, finished }: EffectsOptions): JobEffects {
  return {
    input: async (jobId) => JSON.parse((await getJobRow(database, jobId)).document),
    started: (job) => startJob(database, job),
    finished: async (job, result) => {
      await recordResult(database, job, result);
      finished(job.jobId);
    },
    failed: async (job, error) => {
      const { generation, out_dir: outDir } = await getJobRow(database, job.jobId);
      if (generation === job.generation) await releaseOutFolder(outDir, job.jobId);
      await failJob(database, job, error);
    },
    readOutput,
    emit: (event) => emitEvent(database, event),
  };
}
