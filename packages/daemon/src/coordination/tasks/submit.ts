/**
 * Jobs of requesters: submitted once, watched, canceled.
 *
 * Invariants
 * J1  One nonce of a requester is one job: the same document again is the same job, another document
 *     is refused.
 * J2  A view holds a result only when its task is final.
 */

import type { NodeId, TaskId } from '@helixmesh/protocol';
import { AppError, type Digest, spreadOf, stagesOf, taskOfStage } from '@helixmesh/protocol';
import {
  ATTEMPTS_LISTED_MAX,
  type Crypto,
  encodeDocument,
  type NetworkJob,
  type NetworkJobView,
  networkTaskId,
  parseNetworkJob,
  type Signed,
  textOf,
  utf8,
  verifyNetworkJob,
} from '@helixmesh/protocol/sealing';
import { atomically, type Database } from '../../sql/database.ts';
import { addressOf } from '../node-rows.ts';
import { endTask, isFinal, loadTask, unknown } from './advance.ts';
import { type Evidence, type EvidencePapers, keepEvidence, verifyEvidence } from './evidence.ts';
import { OPEN_JOBS_MAX } from './limits.ts';

export interface SubmitOptions {
  readonly crypto: Crypto;
  readonly network: Digest;
  readonly coordinator: NodeId;
  readonly nowMs: number;
  /** Whose jobs are taken; by default anybody's. */
  readonly isServed?: ((account: string) => boolean) | undefined;
}

export interface SubmittedNetworkJob {
  readonly status: 'created' | 'known';
  readonly jobId: Digest;
}

export interface JobPapers {
  /** Canonical bytes of the signed job. */
  readonly job: Uint8Array;
  /** In the order of its datasets. */
  readonly evidence: readonly EvidencePapers[];
}

/**
 * Takes a signed job with what shows that its requester may use the datasets. Throws INPUT_MALFORMED,
 * USAGE, ACCESS_REFUSED where a signature does not hold, the use is not granted or it is too late,
 * CONFLICT for a used nonce, QUOTA_EXCEEDED.
 */
export async function submitNetworkJob(
  database: Database,
  papers: JobPapers,
  options: SubmitOptions,
): Promise<SubmittedNetworkJob> {
  const signed = parseNetworkJob(papers.job);
  const { crypto, network, coordinator, nowMs } = options;
  const verdict = verifyNetworkJob(crypto, signed, { network, coordinator, nowMs });
  if (verdict.status === 'invalid') throw refused(verdict.reason);
  if (options.isServed?.(signed.document.requester) === false) throw notServed();
  const jobId = verdict.id;
  return atomically(database, async (trx) => {
    const known = await trx
      .selectFrom('network_jobs')
      .select('job_id')
      .where('requester', '=', signed.document.requester)
      .where('nonce', '=', signed.document.nonce)
      .executeTakeFirst();
    if (known?.job_id === jobId) return { status: 'known', jobId };
    if (known !== undefined) {
      throw new AppError('CONFLICT', 'another job has this nonce', {
        hint: 'Sign the job again with a fresh nonce.',
      });
    }
    // Of a job that is known it was looked at before: a grant that has ended since ends no answer.
    const evidence = verifyEvidence(crypto, signed.document, papers.evidence, nowMs);
    assertSpread(signed.document);
    await assertRoom(trx, signed.document.requester);
    await insertJob(trx, { jobId, signed, evidence, options });
    return { status: 'created', jobId };
  });
}

/** What its tasks hand to each other goes through one custodian, who asks for the owner each time. */
function assertSpread({ parameters, datasets }: NetworkJob): void {
  if (spreadOf(parameters) === 1) return;
  const custodians = new Set(datasets.map(({ custodian }) => custodian));
  if (custodians.size === 1) return;
  throw new AppError('USAGE', `a job of ${custodians.size} custodians cannot be spread`, {
    hint: 'Ask for it on one node (--spread 1), or have the reads with one owner.',
  });
}

async function assertRoom(trx: Database, requester: string): Promise<void> {
  const { open } = await trx
    .selectFrom('network_jobs')
    .select((eb) => eb.fn.countAll<number>().as('open'))
    .where('requester', '=', requester)
    .where('ended_at', 'is', null)
    .executeTakeFirstOrThrow();
  if (Number(open) < OPEN_JOBS_MAX) return;
  throw new AppError('QUOTA_EXCEEDED', `${OPEN_JOBS_MAX} jobs of this requester are under way`, {
    hint: 'Wait until some of them have ended, or cancel some.',
  });
}

async function insertJob(
  trx: Database,
  {
    jobId,
    signed,
    evidence,
    options: { crypto, network, nowMs },
  }: {
    readonly jobId: Digest;
    readonly signed: Signed<NetworkJob>;
    readonly evidence: readonly Evidence[];
    readonly options: SubmitOptions;
  },
): Promise<void> {
  const job = signed.document;
  await trx
    .insertInto('network_jobs')
    .values({
      job_id: jobId,
      requester: job.requester,
      nonce: job.nonce,
      document: textOf(encodeDocument(signed), 'a job'),
      state: 'QUEUED',
      reason: null,
      expires_at: job.expiresAtMs,
      created_at: nowMs,
      ended_at: null,
    })
    .execute();
  await keepEvidence(trx, crypto, jobId, { job, evidence });
  const names = stagesOf(spreadOf(job.parameters)).map(taskOfStage);
  for (const name of names) {
    const taskId = networkTaskId(crypto, { network, job: jobId, name });
    await insertTask(trx, { job, jobId, taskId, name, nowMs });
  }
  const [source] = job.datasets;
  if (names.length === 1 || source === undefined) return;
  const { custodian } = source;
  const row = { job_id: jobId, custodian, expires_at: job.expiresAtMs };
  await trx.insertInto('network_handovers').values(row).execute();
}

interface NewTask {
  readonly job: NetworkJob;
  readonly jobId: Digest;
  readonly taskId: TaskId;
  readonly name: string;
  readonly nowMs: number;
}

async function insertTask(
  trx: Database,
  { job, jobId, taskId, name, nowMs }: NewTask,
): Promise<void> {
  await trx
    .insertInto('network_tasks')
    .values({
      task_id: taskId,
      job_id: jobId,
      name,
      state: 'QUEUED',
      generation: 1,
      redundancy: job.redundancy,
      replicas_max: job.replicasMax,
      round: 0,
      round_target: job.redundancy,
      commit_deadline: null,
      reveal_deadline: null,
      last_token: 0,
      failures: 0,
      place_after: nowMs,
      result_digest: null,
      is_checked: null,
      reason: null,
      created_at: nowMs,
      ended_at: null,
    })
    .execute();
}

/** Ends a job of `requester` and all that is at work for it. One that is final stays as it is. */
export async function cancelNetworkJob(
  database: Database,
  { jobId, requester, nowMs }: JobOf & { readonly nowMs: number },
): Promise<NetworkJobView> {
  return atomically(database, async (trx) => {
    await jobRow(trx, { jobId, requester });
    const tasks = await trx
      .selectFrom('network_tasks')
      .select('task_id')
      .where('job_id', '=', jobId)
      .execute();
    const reason = { code: 'CANCELED', message: 'its requester has canceled it' } as const;
    for (const { task_id } of tasks) {
      const loaded = await loadTask(trx, task_id);
      if (loaded === undefined || isFinal(loaded.task.state)) continue;
      await endTask(trx, { ...loaded, nowMs }, { state: 'CANCELED', reason });
    }
    return viewNetworkJob(trx, { jobId, requester });
  });
}

export interface JobOf {
  readonly jobId: Digest;
  /** Who asks: a job is its requester's business alone. */
  readonly requester: string;
}

async function jobRow(trx: Database, { jobId, requester }: JobOf) {
  const row = await trx
    .selectFrom('network_jobs')
    .selectAll()
    .where('job_id', '=', jobId)
    .where('requester', '=', requester)
    .executeTakeFirst();
  if (row === undefined) throw unknown('job');
  return row;
}

/** Throws OBJECT_NOT_FOUND for a job that is not there, and for another's. */
export async function viewNetworkJob(database: Database, job: JobOf): Promise<NetworkJobView> {
  const row = await jobRow(database, job);
  const tasks = await database
    .selectFrom('network_tasks')
    .selectAll()
    .where('job_id', '=', row.job_id)
    .execute();
  const order = namesOf(row.document);
  tasks.sort((a, b) => order.indexOf(a.name) - order.indexOf(b.name));
  const views = await Promise.all(
    tasks.map(async (task) => ({
      taskId: task.task_id,
      name: task.name,
      state: task.state,
      resultDigest: task.result_digest,
      isChecked: task.is_checked === null ? null : task.is_checked === 1,
      attempts: await attemptsOf(database, task.task_id),
    })),
  );
  return {
    jobId: row.job_id,
    state: row.state,
    reason: row.reason === null ? null : JSON.parse(row.reason),
    createdAtMs: row.created_at,
    endedAtMs: row.ended_at,
    tasks: views,
  } as NetworkJobView;
}

/** Of the tasks of a job, each after those that it needs. */
function namesOf(document: string): string[] {
  const { parameters } = parseNetworkJob(utf8(document)).document;
  return stagesOf(spreadOf(parameters)).map(taskOfStage);
}

/** The newest, oldest of them first. */
async function attemptsOf(database: Database, taskId: string) {
  const rows = await database
    .selectFrom('network_replicas')
    .leftJoin('nodes', 'nodes.node_id', 'network_replicas.node_id')
    .select(['network_replicas.attempt_id', 'network_replicas.node_id'])
    .select(['network_replicas.operator', 'network_replicas.state', 'network_replicas.verdict'])
    .select(['network_replicas.created_at', 'network_replicas.started_at'])
    .select(['network_replicas.ended_at', 'network_replicas.end_reason'])
    .select('nodes.registration')
    .where('network_replicas.task_id', '=', taskId)
    .orderBy('network_replicas.fencing_token', 'desc')
    .limit(ATTEMPTS_LISTED_MAX)
    .execute();
  const said = await saidAt(database, taskId);
  return rows.toReversed().map(({ attempt_id, registration, ...row }) => ({
    attemptId: attempt_id,
    nodeId: row.node_id,
    address: registration === null ? null : addressOf({ registration }),
    operator: row.operator,
    state: row.state,
    verdict: row.verdict,
    offeredAtMs: row.created_at,
    startedAtMs: row.started_at,
    committedAtMs: said(attempt_id, 'commit'),
    revealedAtMs: said(attempt_id, 'reveal'),
    endedAtMs: row.ended_at,
    endReason: row.end_reason,
  }));
}

/** When the chain took what the attempts of a task have said; null for what they have not. */
async function saidAt(database: Database, taskId: string) {
  const entries = await database
    .selectFrom('network_chain')
    .select(['attempt_id', 'kind', 'at'])
    .where('task_id', '=', taskId)
    .execute();
  return (attemptId: string, kind: 'commit' | 'reveal'): number | null =>
    entries.find((entry) => entry.attempt_id === attemptId && entry.kind === kind)?.at ?? null;
}

function notServed(): AppError {
  return new AppError('ACCESS_REFUSED', 'this coordinator takes no jobs of that account', {
    hint: 'Ask its operator to name your wallet in limits.accounts, or use another coordinator.',
  });
}

function refused(reason: string): AppError {
  return new AppError('ACCESS_REFUSED', `the job is not valid here: ${reason}`, {
    hint: 'Sign the job for this network and this coordinator, with an expiry that lies ahead.',
  });
}
