/**
 * `POST /bionfs/v1/execute_job` of the Sequentias protocol, on a coordinator: the same job as any
 * other, in the words of that protocol. Who calls has been verified by the token in the body.
 *
 * What those clients ask for and nobody can do here is refused with the reason. The job that their
 * wallet has signed says what is done; the fields beside it have to say the same.
 */
import { AppError } from '@helixmesh/protocol';
import {
  type ExecuteJob,
  type ExecuteJobReply,
  fromBase64,
  type NetworkJobState,
  type NetworkJobView,
  parseNetworkJob,
} from '@helixmesh/protocol/sealing';
import { accountOf } from '../../network/caller.ts';
import type { NetworkListener } from '../../network/listener.ts';
import type { Database } from '../../sql/database.ts';
import type { SubmitOptions } from './submit.ts';
import { submitSent } from './submit-request.ts';

export interface ExecuteJobOptions {
  readonly database: Database;
  readonly listener: Pick<NetworkListener, 'route'>;
  readonly keeper: Omit<SubmitOptions, 'nowMs'>;
  /** Milliseconds since 1970. */
  readonly now: () => number;
  /** Whose jobs are taken; by default anybody's. */
  readonly isServed?: (account: string) => boolean;
}

/** What a network runs; nodes understand no other job. */
const PIPELINES: ReadonlySet<string> = new Set(['germline']);
/** Of the protocol's document: with a GPU, which no pipeline of this version uses. */
const GPU_PIPELINES: ReadonlySet<string> = new Set(['alphagenome', 'deepvariant', 'clara']);

/** Before the listener listens. */
export function serveExecuteJob({
  database,
  listener,
  keeper,
  now,
  isServed,
}: ExecuteJobOptions): void {
  listener.route('executeJob', async ({ body }, caller) => {
    const { account } = accountOf(caller, 'submit');
    assertServed(body);
    const sentBy = { ...keeper, account, isServed, nowMs: now() };
    const view = await submitSent(database, body.parameters, sentBy);
    return replyOf(view);
  });
}

/** Throws TOOL_MISSING and NOT_FOUND for pipelines that nobody runs, USAGE for another job than asked. */
function assertServed({ pipeline, ip_id, parameters }: ExecuteJob): void {
  if (GPU_PIPELINES.has(pipeline)) {
    throw new AppError('TOOL_MISSING', `no node runs ${pipeline}: it needs a GPU pipeline`, {
      hint: `This version has none. Ask for one of: ${[...PIPELINES].join(', ')}.`,
    });
  }
  if (!PIPELINES.has(pipeline)) {
    throw new AppError('NOT_FOUND', `there is no pipeline ${pipeline} in this network`, {
      hint: `Ask for one of: ${[...PIPELINES].join(', ')}.`,
    });
  }
  const job = parseNetworkJob(fromBase64(parameters.job, 'a job')).document;
  const isAsked =
    job.pipeline.name === pipeline && job.datasets.some(({ dataset }) => dataset === ip_id);
  if (isAsked) return;
  throw new AppError('USAGE', 'the signed job is not for this pipeline and ip_id', {
    hint: 'Send the pipeline and a dataset of the job that the wallet has signed.',
  });
}

const STATUSES: Readonly<Record<NetworkJobState, ExecuteJobReply['status']>> = {
  QUEUED: 'queued',
  RUNNING: 'running',
  COMPLETE: 'success',
  SYSTEM_ERROR: 'failed',
  CANCELED: 'canceled',
};

/** The last task is the one whose result is the job's. */
export function replyOf({ jobId, state, reason, tasks }: NetworkJobView): ExecuteJobReply {
  const result = state === 'COMPLETE' ? tasks.findLast((task) => task.resultDigest !== null) : null;
  const source = result?.attempts.find((one) => one.verdict === 'valid' && one.address !== null);
  return {
    status: STATUSES[state],
    job_id: jobId,
    result_ip_id: result?.resultDigest ?? null,
    download_url: source == null ? null : `bionfs://${source.address}/${source.attemptId}`,
    error: reason?.message ?? null,
  };
}
