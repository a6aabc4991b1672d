/** Deletes intermediate files once no unfinished job needs them. */
import { rm } from 'node:fs/promises';
import type { TaskSpec } from '@helixmesh/pipelines';
import { TERMINAL_STATES } from '@helixmesh/protocol';
import type { Database } from '../sql/database.ts';

export interface PruneOptions {
  readonly database: Database;
  readonly outputPath: (task: string, output: string) => string;
}

export interface PruneScope {
  readonly jobId: string;
  /** Only what these tasks made; all tasks of the job when absent. */
  readonly taskKeys?: readonly string[];
}

/**
 * Deletes the outputs marked `intermediate` of the job's finished tasks, except of tasks that
 * another unfinished job shares. Their digests stay, so nothing runs again merely because of it; a
 * task that needs the bytes once more makes its producer run again.
 */
export async function pruneIntermediates(
  { database, outputPath }: PruneOptions,
  { jobId, taskKeys }: PruneScope,
): Promise<void> {
  const shared = database
    .selectFrom('job_tasks')
    .innerJoin('jobs', 'jobs.job_id', 'job_tasks.job_id')
    .select('job_tasks.task_key')
    .where('jobs.state', 'not in', [...TERMINAL_STATES])
    .where('jobs.job_id', '!=', jobId);
  let query = database
    .selectFrom('job_tasks')
    .innerJoin('tasks', 'tasks.task_key', 'job_tasks.task_key')
    .select(['tasks.task_key', 'tasks.spec'])
    .where('job_tasks.job_id', '=', jobId)
    .where('tasks.state', '=', 'COMPLETE')
    .where('tasks.pruned', '=', 0)
    .where('tasks.task_key', 'not in', shared);
  if (taskKeys !== undefined) query = query.where('tasks.task_key', 'in', [...taskKeys]);
  for (const row of await query.execute()) {
    const spec: TaskSpec = JSON.parse(row.spec);
    const gone = spec.outputs.filter((output) => output.retention === 'intermediate');
    if (gone.length === 0) continue;
    for (const output of gone) await rm(outputPath(row.task_key, output.name), { force: true });
    await database
      .updateTable('tasks')
      .set({ pruned: 1 })
      .where('task_key', '=', row.task_key)
      .execute();
  }
}
