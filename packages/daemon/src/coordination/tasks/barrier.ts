/**
 * Which tasks of a job may begin: those whose predecessors have all come to an agreement, so that what
 * they made has one digest. Which they are says the protocol (`stages.ts`); the rest is what SQL holds.
 */
import { spreadOf, stageOfTask, tasksBefore } from '@helixmesh/protocol';
import { type NetworkJob, parseNetworkJob, utf8 } from '@helixmesh/protocol/sealing';
import type { Database } from '../../sql/database.ts';

/** Names of the tasks that one needs. Throws NOT_FOUND for a name that the job does not have. */
export function predecessorsOf(name: string, { parameters }: Pick<NetworkJob, 'parameters'>) {
  return tasksBefore(stageOfTask(name, spreadOf(parameters)));
}

export interface TaskOfJob {
  readonly jobId: string;
  readonly name: string;
  /** The signed job, canonical JSON. */
  readonly document: string;
}

/** Answers for many tasks; each job is looked at once. */
export function barrier(database: Database): (task: TaskOfJob) => Promise<boolean> {
  const known = new Map<string, JobFacts>();
  return async ({ jobId, name, document }) => {
    // Most jobs have one task.
    if (name === 'main') return true;
    const facts = known.get(jobId) ?? (await factsOf(database, { jobId, document }));
    known.set(jobId, facts);
    return predecessorsOf(name, facts.job).every((before) => facts.complete.has(before));
  };
}

interface JobFacts {
  readonly job: NetworkJob;
  /** Names of its tasks that are COMPLETE. */
  readonly complete: ReadonlySet<string>;
}

async function factsOf(
  database: Database,
  { jobId, document }: Omit<TaskOfJob, 'name'>,
): Promise<JobFacts> {
  const rows = await database
    .selectFrom('network_tasks')
    .select('name')
    .where('job_id', '=', jobId)
    .where('state', '=', 'COMPLETE')
    .execute();
  const { document: job } = parseNetworkJob(utf8(document));
  return { job, complete: new Set(rows.map(({ name }) => name)) };
}
