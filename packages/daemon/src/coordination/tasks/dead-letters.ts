/** Tasks that were given up: listed for the coordinator's operator, who may try them again. */
import type { Digest, TaskId } from '@helixmesh/protocol';
import {
  DEAD_TASKS_LISTED_MAX,
  type DeadTask,
  parseNetworkJob,
  utf8,
} from '@helixmesh/protocol/sealing';
import { atomically, type Database } from '../../sql/database.ts';
import { setTask } from './advance.ts';

/** Newest first. */
export async function deadLetters(database: Database): Promise<DeadTask[]> {
  const rows = await database
    .selectFrom('network_dead_letters')
    .selectAll()
    .where('retried_at', 'is', null)
    .orderBy('at', 'desc')
    .limit(DEAD_TASKS_LISTED_MAX)
    .execute();
  return rows.map((row) => ({
    taskId: row.task_id as TaskId,
    jobId: row.job_id as Digest,
    reason: JSON.parse(row.reason),
    atMs: row.at,
  }));
}

export type Retried = 'retried' | 'expired' | 'not_dead';

/**
 * Opens a dead task again as a new generation, with all the attempts that its job allows, and with it
 * those that it ended. Attempts of the earlier one stay ended, and their tokens lower than any new one.
 */
export async function retryDead(
  database: Database,
  taskId: TaskId,
  nowMs: number,
): Promise<Retried> {
  return atomically(database, async (trx) => {
    const row = await trx
      .selectFrom('network_tasks')
      .innerJoin('network_jobs', 'network_jobs.job_id', 'network_tasks.job_id')
      .select(['network_tasks.job_id', 'network_tasks.generation', 'network_tasks.state'])
      .select(['network_jobs.document', 'network_jobs.expires_at'])
      .where('network_tasks.task_id', '=', taskId)
      .executeTakeFirst();
    if (row?.state !== 'SYSTEM_ERROR') return 'not_dead';
    if (row.expires_at <= nowMs) return 'expired';
    const { redundancy } = parseNetworkJob(utf8(row.document)).document;
    await reopen(trx, { jobId: row.job_id, redundancy, nowMs });
    await trx
      .updateTable('network_jobs')
      .set({ state: 'QUEUED', reason: null, ended_at: null })
      .where('job_id', '=', row.job_id)
      .execute();
    return 'retried';
  });
}

interface Reopening {
  readonly jobId: string;
  readonly redundancy: number;
  readonly nowMs: number;
}

/** All tasks of a job that have ended without a result. */
async function reopen(trx: Database, { jobId, redundancy, nowMs }: Reopening): Promise<void> {
  const ended = await trx
    .selectFrom('network_tasks')
    .select(['task_id', 'generation', 'redundancy'])
    .where('job_id', '=', jobId)
    .where('state', 'in', ['SYSTEM_ERROR', 'CANCELED'])
    .execute();
  for (const { task_id, generation, ...task } of ended) {
    await setTask(trx, task_id, {
      state: 'QUEUED',
      generation: generation + 1,
      // One that was drawn to be done again stays so; one that was to be run once gets its chance.
      redundancy: Math.max(task.redundancy, redundancy),
      round: 0,
      round_target: redundancy,
      commit_deadline: null,
      reveal_deadline: null,
      failures: 0,
      place_after: nowMs,
      reason: null,
      ended_at: null,
    });
    await trx
      .updateTable('network_dead_letters')
      .set({ retried_at: nowMs })
      .where('task_id', '=', task_id)
      .where('generation', '=', generation)
      .execute();
  }
}
