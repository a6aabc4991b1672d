/**
 * Tasks in SQL: what a job wants, and whether its result is known already.
 *
 * T1  A task that is COMPLETE is never run again while its files are there.
 */
import { type OutputRef, type TaskResult, type TaskSpec, taskKey } from '@helixmesh/pipelines';
import type { JobState, TaskKey } from '@helixmesh/protocol';
import type { Database } from '../sql/database.ts';
import { appendEvent } from './journal.ts';
import { explainRun } from './why.ts';

/** Who asks for a task, and under which name it stands in the job. */
export interface TaskRequest {
  readonly jobId: string;
  readonly generation: number;
  readonly spec: TaskSpec;
  /** Run it although its result is known, because its deleted files are needed again. */
  readonly rematerialize?: boolean;
}

export type Lookup =
  | { readonly status: 'known'; readonly result: TaskResult }
  /** `missing` make inputs of this task whose files have been deleted since. */
  | { readonly status: 'run'; readonly missing: readonly TaskSpec[] }
  | { readonly status: 'canceled' };

/** True when the published file of an output is on this machine's disk. */
export type HasOutput = (output: OutputRef) => boolean;

/** Records that the job wants the task and says whether its result is known already. */
export async function lookupTask(
  database: Database,
  request: TaskRequest,
  hasOutput: HasOutput,
): Promise<Lookup> {
  const key = taskKey(request.spec);
  return database.transaction().execute(async (trx) => {
    const job = await jobOf(trx, request.jobId);
    if (job.state === 'CANCELING' || job.state === 'CANCELED') return { status: 'canceled' };
    const task = await upsertTask(trx, key, request.spec);
    const row = await jobTask(trx, request);
    const result: TaskResult | null =
      task.state === 'COMPLETE' && task.result !== null ? JSON.parse(task.result) : null;
    const isWhole = hasOutputs(request, key, hasOutput);
    if (result !== null && isWhole) {
      if (row === undefined || row.task_key !== key || row.state !== 'COMPLETE') {
        await reuseTask(trx, request, {
          sampleId: job.sample_id,
          completedAtMs: task.completed_at ?? 0,
        });
      }
      return { status: 'known', result };
    }
    if (row === undefined || row.task_key !== key || !OPEN_STATES.includes(row.state)) {
      const again = result !== null;
      await wantTask(trx, request, { sampleId: job.sample_id, again });
    }
    return { status: 'run', missing: await missingProducers(trx, request.spec, hasOutput) };
  });
}

const OPEN_STATES: readonly JobState[] = ['QUEUED', 'RUNNING', 'PAUSED'];

/** Whether the files are there: the results, or all of them when deleted ones are wanted back. */
function hasOutputs(
  { spec, rematerialize }: TaskRequest,
  key: TaskKey,
  hasOutput: HasOutput,
): boolean {
  return spec.outputs
    .filter((output) => output.retention === 'result' || rematerialize === true)
    .every((output) => hasOutput({ task: key, output: output.name }));
}

async function upsertTask(trx: Database, key: TaskKey, spec: TaskSpec) {
  await trx
    .insertInto('tasks')
    .values({
      task_key: key,
      name: spec.name,
      pool: spec.pool,
      spec: JSON.stringify(spec),
      state: 'PENDING',
      result: null,
      pruned: 0,
      completed_at: null,
    })
    .onConflict((conflict) => conflict.column('task_key').doNothing())
    .execute();
  return trx.selectFrom('tasks').selectAll().where('task_key', '=', key).executeTakeFirstOrThrow();
}

/** Specifications of the tasks that must run again because this one reads what was deleted. */
async function missingProducers(
  trx: Database,
  spec: TaskSpec,
  hasOutput: HasOutput,
): Promise<TaskSpec[]> {
  const keys = spec.inputs.flatMap((input) =>
    input.kind === 'output' && !hasOutput({ task: input.task, output: input.output })
      ? [input.task]
      : [],
  );
  if (keys.length === 0) return [];
  const rows = await trx.selectFrom('tasks').select('spec').where('task_key', 'in', keys).execute();
  return rows.map((row) => JSON.parse(row.spec));
}

async function jobOf(trx: Database, jobId: string) {
  return trx.selectFrom('jobs').selectAll().where('job_id', '=', jobId).executeTakeFirstOrThrow();
}

async function jobTask(trx: Database, { jobId, spec }: TaskRequest) {
  return trx
    .selectFrom('job_tasks')
    .selectAll()
    .where('job_id', '=', jobId)
    .where('name', '=', spec.name)
    .executeTakeFirst();
}

async function wantTask(
  trx: Database,
  request: TaskRequest,
  { sampleId, again }: { sampleId: string; again: boolean },
): Promise<void> {
  const earlier = await earlierSpec(trx, request, sampleId);
  const why = again ? 'its deleted files are needed again' : explainRun(request.spec, earlier);
  await upsertJobTask(trx, request, { state: 'QUEUED', reused: 0, why });
}

async function reuseTask(
  trx: Database,
  request: TaskRequest,
  { sampleId, completedAtMs }: { sampleId: string; completedAtMs: number },
): Promise<void> {
  const when = new Date(completedAtMs).toISOString().slice(0, 19).replace('T', ' ');
  const why = `reused the result of ${when}: same inputs, commands and tool versions`;
  await upsertJobTask(trx, request, { state: 'COMPLETE', reused: 1, why });
  await appendEvent(trx, {
    jobId: request.jobId,
    sampleId,
    step: request.spec.name,
    state: 'reused',
    occasion: String(request.generation),
    atMs: Date.now(),
    payload: { task: taskKey(request.spec) },
  });
}

async function upsertJobTask(
  trx: Database,
  request: TaskRequest,
  fields: { state: JobState; reused: number; why: string },
): Promise<void> {
  const { count } = await trx
    .selectFrom('job_tasks')
    .select((eb) => eb.fn.countAll<number>().as('count'))
    .where('job_id', '=', request.jobId)
    .executeTakeFirstOrThrow();
  const values = { ...fields, task_key: taskKey(request.spec), error: null, resume_token: null };
  await trx
    .insertInto('job_tasks')
    .values({
      ...values,
      job_id: request.jobId,
      name: request.spec.name,
      position: count,
      started_at: null,
      ended_at: null,
    })
    .onConflict((conflict) => conflict.columns(['job_id', 'name']).doUpdateSet(values))
    .execute();
}

/** The newest specification of this step in another job of the sample. */
async function earlierSpec(
  trx: Database,
  { jobId, spec }: TaskRequest,
  sampleId: string,
): Promise<TaskSpec | null> {
  const row = await trx
    .selectFrom('job_tasks')
    .innerJoin('jobs', 'jobs.job_id', 'job_tasks.job_id')
    .innerJoin('tasks', 'tasks.task_key', 'job_tasks.task_key')
    .select('tasks.spec')
    .where('jobs.sample_id', '=', sampleId)
    .where('job_tasks.name', '=', spec.name)
    .where('jobs.job_id', '!=', jobId)
    .orderBy('jobs.created_at', 'desc')
    .limit(1)
    .executeTakeFirst();
  return row === undefined ? null : JSON.parse(row.spec);
}
