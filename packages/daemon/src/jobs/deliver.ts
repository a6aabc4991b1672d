/**
 * Hands a finished job's files to its user: into the output folder, with the provenance crate, then
 * the state COMPLETE. Driven by SQL alone, so a crash in the middle simply does it again.
 */
import { readFile } from 'node:fs/promises';
import {
  type AnalysisDocument,
  buildCrate,
  type CrateTask,
  type PipelineResult,
  type TaskSpec,
} from '@helixmesh/pipelines';
import { AppError } from '@helixmesh/protocol';
import type { Database } from '../sql/database.ts';
import { endCanceled } from './cancel.ts';
import { completeJob, getJobRow, type JobRow, pauseJob, unpauseJob } from './jobs.ts';
import {
  claimOutFolder,
  type Placed,
  placeFile,
  placeText,
  prepareOutFolder,
  releaseOutFolder,
} from './out-folder.ts';
import { pruneIntermediates } from './prune.ts';

export interface DeliverOptions {
  readonly database: Database;
  readonly dataDir: string;
  readonly outputPath: (task: string, output: string) => string;
  readonly version: string;
}

/** Jobs whose workflow has returned and whose files are not handed over (or given up) yet. */
export async function undelivered(database: Database): Promise<string[]> {
  const rows = await database
    .selectFrom('jobs')
    .select('job_id')
    .where('result', 'is not', null)
    .where('state', 'in', ['RUNNING', 'CANCELING'])
    .execute();
  return rows.map((row) => row.job_id);
}

/**
 * Delivers one job, or ends it if it was canceled. A full disk, a lost folder or one that another
 * job has taken meanwhile pauses it; `resume` delivers again.
 */
export async function deliverJob(options: DeliverOptions, jobId: string): Promise<void> {
  const { database } = options;
  const job = await getJobRow(database, jobId);
  const ref = { jobId, generation: job.generation };
  if (job.result === null) return;
  if (job.state === 'CANCELING') return endCanceled(database, ref, job.out_dir);
  if (job.state !== 'RUNNING') return;
  try {
    // Again: a crash may have come between the job and its claim, or between the end of the claim
    // and of the job.
    await prepareOutFolder(job.out_dir);
    await claimOutFolder(job.out_dir, { jobId, dataDir: options.dataDir });
    const result: PipelineResult = JSON.parse(job.result);
    const placed: (Placed & { description: string })[] = [];
    for (const { path, source, description } of result.deliverables) {
      const file = await placeFile(
        job.out_dir,
        path,
        options.outputPath(source.task, source.output),
      );
      placed.push({ ...file, description });
    }
    await placeText(
      job.out_dir,
      'ro-crate-metadata.json',
      await crateOf(options, { job, result, placed }),
    );
    // Before the job is COMPLETE, for nobody comes back to it then.
    if (job.keep_intermediates === 0) await pruneIntermediates(options, { jobId });
  } catch (thrown) {
    const error = AppError.from(thrown);
    await pauseJob(database, ref, { error: error.toRecord(), occasion: `deliver ${Date.now()}` });
    return;
  }
  // Before the state, so that a crash in between leaves no claim of a finished job.
  await releaseOutFolder(job.out_dir, jobId);
  await completeJob(database, ref);
}

/** A delivery that had failed is tried again. */
export async function retryDelivery(database: Database, job: JobRow): Promise<void> {
  await unpauseJob(
    database,
    { jobId: job.job_id, generation: job.generation },
    `deliver ${Date.now()}`,
  );
}

async function crateOf(
  { database, version, outputPath }: DeliverOptions,
  {
    job,
    result,
    placed,
  }: { job: JobRow; result: PipelineResult; placed: readonly (Placed & { description: string })[] },
): Promise<string> {
  const rows = await database
    .selectFrom('job_tasks')
    .innerJoin('tasks', 'tasks.task_key', 'job_tasks.task_key')
    .select(['job_tasks.name', 'job_tasks.reused', 'job_tasks.started_at', 'job_tasks.ended_at'])
    .select(['tasks.task_key', 'tasks.spec', 'tasks.result'])
    .where('job_tasks.job_id', '=', job.job_id)
    .orderBy('job_tasks.position')
    .execute();
  const tasks: CrateTask[] = rows.map((row) => ({
    name: row.name,
    key: row.task_key,
    spec: JSON.parse(row.spec) as TaskSpec,
    outputs: JSON.parse(row.result ?? '{"outputs":{}}').outputs,
    reused: row.reused === 1,
    startedAtMs: row.started_at,
    endedAtMs: row.ended_at,
  }));
  const crate = buildCrate({
    jobId: job.job_id,
    jobHash: result.jobHash,
    sampleId: job.sample_id,
    workflow: job.workflow,
    helixmeshVersion: version,
    startedAtMs: job.started_at ?? job.created_at,
    endedAtMs: Date.now(),
    readsSha256: await readsSha256(job, (task) => outputPath(task, INTAKE_OUTPUT), tasks),
    tasks,
    deliverables: placed.map((file, i) => ({
      ...file,
      source: result.deliverables[i]?.source ?? null,
    })),
  });
  return `${JSON.stringify(crate, null, 2)}\n`;
}

const INTAKE_OUTPUT = 'intake.json';

/** Hex digests of the read files as they lay on disk, as the intake step measured them. */
async function readsSha256(
  job: JobRow,
  intakePath: (task: string) => string,
  tasks: readonly CrateTask[],
): Promise<Record<string, string>> {
  const intake = tasks.find((task) => INTAKE_OUTPUT in task.outputs);
  if (intake === undefined) return {};
  const { reads }: AnalysisDocument = JSON.parse(job.document);
  if (reads === null) return {};
  const measured = JSON.parse(await readFile(intakePath(intake.key), 'utf8'));
  const found: Record<string, string> = { [reads.r1.location]: measured.r1.rawSha256 };
  if (reads.r2 !== null) found[reads.r2.location] = measured.r2.rawSha256;
  return found;
}
