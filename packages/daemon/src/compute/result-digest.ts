/**
 * What two nodes that analysed the same sample must agree on: the digest over the job hash and the
 * canonical digest of every deliverable that is compared. Indexes are rebuilt from what they index,
 * and the report bears the day, so neither is in it.
 * What it is made of stands in the protocol.
 */
import type { OutputFormat, PipelineResult, TaskResult, TaskSpec } from '@helixmesh/pipelines';
import { AppError, type Digest } from '@helixmesh/protocol';
import {
  COMPARED_FORMATS,
  type ComparedFormat,
  type Crypto,
  resultDigestOf,
} from '@helixmesh/protocol/sealing';
import type { Database } from '../sql/database.ts';

export interface ComparedFile {
  /** Relative path in the output folder. */
  readonly path: string;
  readonly format: ComparedFormat;
  /** Of the canonical content. */
  readonly digest: Digest;
}

export interface JobResult {
  readonly jobHash: Digest;
  /** In order of path. */
  readonly files: readonly ComparedFile[];
}

/** The result of a finished job, as its node recorded it. INTERNAL for one that has not ended. */
export async function jobResult(database: Database, jobId: string): Promise<JobResult> {
  const job = await database
    .selectFrom('jobs')
    .select('result')
    .where('job_id', '=', jobId)
    .executeTakeFirst();
  if (job?.result == null) throw new AppError('INTERNAL', `job ${jobId} has no result`);
  const { jobHash, deliverables }: PipelineResult = JSON.parse(job.result);
  const files: ComparedFile[] = [];
  for (const { path, source } of deliverables) {
    const task = await database
      .selectFrom('tasks')
      .select(['spec', 'result'])
      .where('task_key', '=', source.task)
      .executeTakeFirstOrThrow();
    const spec: TaskSpec = JSON.parse(task.spec);
    const result: TaskResult = JSON.parse(task.result ?? '{"outputs":{}}');
    const format = spec.outputs.find(({ name }) => name === source.output)?.format;
    const digest = result.outputs[source.output]?.digest;
    if (format === undefined || digest === undefined) {
      throw new AppError('INTERNAL', `the output ${source.output} of job ${jobId} is not recorded`);
    }
    if (spec.pool !== 'report' && isCompared(format)) files.push({ path, format, digest });
  }
  return { jobHash, files: files.toSorted((a, b) => (a.path < b.path ? -1 : 1)) };
}

export function resultDigest(crypto: Crypto, network: Digest, result: JobResult): Digest {
  return resultDigestOf(crypto, network, result);
}

function isCompared(format: OutputFormat): format is ComparedFormat {
  return COMPARED_FORMATS.some((compared) => compared === format);
}
