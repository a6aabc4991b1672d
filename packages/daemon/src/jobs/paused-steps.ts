/**
 * Steps that wait for their user. The token of such a step is the wait in the engine that the
 * user's order resolves.
 */
import type { ErrorRecord } from '@helixmesh/protocol';
import type { Database } from '../sql/database.ts';

interface StepRef {
  readonly jobId: string;
  readonly name: string;
}

/** The step waits under `token` for its user to mend what `error` says. */
export async function pauseStep(
  database: Database,
  step: StepRef,
  { error, token }: { error: ErrorRecord; token: string },
): Promise<void> {
  await database
    .updateTable('job_tasks')
    .set({ state: 'PAUSED', resume_token: token, error: JSON.stringify(error) })
    .where('job_id', '=', step.jobId)
    .where('name', '=', step.name)
    .execute();
}

/** The step goes on. */
export async function resumeStep(database: Database, { jobId, name }: StepRef): Promise<void> {
  await letGoOn(database, jobId).where('name', '=', name).execute();
}

/** None of the job's steps waits any more. */
export async function letStepsGoOn(database: Database, jobId: string): Promise<void> {
  await letGoOn(database, jobId).where('resume_token', 'is not', null).execute();
}

function letGoOn(database: Database, jobId: string) {
  return database
    .updateTable('job_tasks')
    .set({ state: 'QUEUED', resume_token: null, error: null })
    .where('job_id', '=', jobId);
}

/** Of every step of the job that waits. */
export async function pausedTokens(database: Database, jobId: string): Promise<string[]> {
  const rows = await database
    .selectFrom('job_tasks')
    .select('resume_token')
    .where('job_id', '=', jobId)
    .where('resume_token', 'is not', null)
    .execute();
  return rows.flatMap((row) => (row.resume_token === null ? [] : [row.resume_token]));
}
