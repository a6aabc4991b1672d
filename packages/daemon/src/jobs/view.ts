/** What status shows of a job, read from SQL. */
import type { AnalysisDocument, PipelineResult } from '@helixmesh/pipelines';
import type { ErrorRecord, JobListItem, JobView, TaskLog, TaskView } from '@helixmesh/protocol';
import type { Database } from '../sql/database.ts';
import { withFileNames } from './file-names.ts';
import { getJobRow, type JobRow } from './jobs.ts';
import { measure } from './metrics.ts';
import { type LiveProgress, progressOf, type Work } from './progress.ts';

export async function jobView(
  database: Database,
  jobId: string,
  live: LiveProgress,
): Promise<JobView> {
  const job = await getJobRow(database, jobId);
  const [tasks, attempts, planned] = await Promise.all([
    taskViews(database, job, live),
    database
      .selectFrom('attempts')
      .select(['started_at', 'ended_at'])
      .where('job_id', '=', jobId)
      .where('started_at', 'is not', null)
      .execute(),
    plannedShards(database, jobId),
  ]);
  return {
    ...listItem(job, { tasks, planned, live }),
    tasks,
    summary: resultOf(job)?.summary ?? {},
    metrics: measure({
      startedAtMs: job.started_at,
      endedAtMs: job.ended_at,
      attempts: attempts.map((a) => ({ startedAtMs: a.started_at ?? 0, endedAtMs: a.ended_at })),
      tasks: tasks.length,
      barriers: planned ?? 0,
    }),
  };
}

export async function jobList(
  database: Database,
  { sampleId }: { sampleId?: string | undefined },
  live: LiveProgress,
): Promise<JobListItem[]> {
  let query = database
    .selectFrom('jobs')
    .selectAll()
    .orderBy('created_at', 'desc')
    .limit(JOB_LIST_ROWS);
  if (sampleId !== undefined) query = query.where('sample_id', '=', sampleId);
  const items: JobListItem[] = [];
  for (const job of await query.execute()) {
    const tasks = await taskViews(database, job, live);
    const planned = await plannedShards(database, job.job_id);
    items.push(listItem(job, { tasks, planned, live }));
  }
  return items;
}

/** Newest jobs of one listing. */
const JOB_LIST_ROWS = 200;

/** Every attempt of the job with its command and last error lines. */
export async function taskLogs(
  database: Database,
  jobId: string,
  task: string | undefined,
): Promise<TaskLog[]> {
  await getJobRow(database, jobId);
  let query = database
    .selectFrom('attempts')
    .selectAll()
    .where('job_id', '=', jobId)
    .orderBy('queued_at');
  if (task !== undefined) query = query.where('name', '=', task);
  return (await query.execute()).map((row) => ({
    name: row.name,
    attemptId: row.attempt_id,
    state: row.state,
    command: row.command ?? '',
    exitCode: row.exit_code,
    stderrTail: row.stderr_tail ?? '',
  }));
}

function listItem(
  job: JobRow,
  { tasks, planned, live }: Work & { readonly live: LiveProgress },
): JobListItem {
  return {
    jobId: job.job_id,
    sampleId: job.sample_id,
    pipeline: job.pipeline,
    workflow: job.workflow,
    jobHash: job.job_hash,
    state: job.state,
    recovered: job.recovered === 1,
    progress: live.held(job.job_id, progressOf(job.state, { tasks, planned })),
    contigs: planned === null ? null : { done: callsDone(tasks), total: planned },
    reason: shownError(job, job.reason),
    outDir: job.out_dir,
    createdAtMs: job.created_at,
    startedAtMs: job.started_at,
    endedAtMs: job.ended_at,
    deliverables: (resultOf(job)?.deliverables ?? []).map(({ path, description }) => ({
      path,
      description,
    })),
  };
}

function callsDone(tasks: readonly TaskView[]): number {
  return tasks.filter((task) => task.pool === 'call' && task.state === 'COMPLETE').length;
}

function resultOf(job: JobRow): PipelineResult | null {
  return job.result === null ? null : JSON.parse(job.result);
}

/** A stored error as the user reads it. */
function shownError(job: JobRow, stored: string | null): ErrorRecord | null {
  if (stored === null) return null;
  const { reads }: AnalysisDocument = JSON.parse(job.document);
  const error: ErrorRecord = JSON.parse(stored);
  return reads === null ? error : withFileNames(error, reads);
}

async function taskViews(database: Database, job: JobRow, live: LiveProgress): Promise<TaskView[]> {
  const jobId = job.job_id;
  const rows = await database
    .selectFrom('job_tasks')
    .innerJoin('tasks', 'tasks.task_key', 'job_tasks.task_key')
    .selectAll('job_tasks')
    .select('tasks.pool')
    .where('job_id', '=', jobId)
    .orderBy('position')
    .execute();
  const counts = await database
    .selectFrom('attempts')
    .select(['name', (eb) => eb.fn.countAll<number>().as('count')])
    .where('job_id', '=', jobId)
    .groupBy('name')
    .execute();
  const attempts = new Map(counts.map((row) => [row.name, row.count]));
  const fractions = await Promise.all(
    rows.map(async ({ state, task_key: key }) => {
      if (state === 'COMPLETE') return 1;
      return state === 'RUNNING' ? live.fractionOf(key) : null;
    }),
  );
  return rows.map((row, i) => ({
    name: row.name,
    key: row.task_key,
    pool: row.pool,
    state: row.state,
    reused: row.reused === 1,
    why: row.why,
    attempts: attempts.get(row.name) ?? 0,
    startedAtMs: row.started_at,
    endedAtMs: row.ended_at,
    progress: fractions[i] ?? null,
    error: shownError(job, row.error),
  }));
}

/** Shards that the pipeline has announced by its event `plan`, or null before that. */
async function plannedShards(database: Database, jobId: string): Promise<number | null> {
  const row = await database
    .selectFrom('journal')
    .select('payload')
    .where('job_id', '=', jobId)
    .where('step', '=', 'plan')
    .orderBy('sequence', 'desc')
    .limit(1)
    .executeTakeFirst();
  return row === undefined ? null : (JSON.parse(row.payload) as { shards: number }).shards;
}
