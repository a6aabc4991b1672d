/**
 * From tasks that want replicas to offers, and from an offer to a lease.
 *
 * Invariants
 * P1  An offer is an attempt in state OFFERED; it has a fencing token higher than any before it of
 *     its task.
 * P2  Whoever claims does so by compare-and-set of that state, before the offer ends; claiming again
 *     under the same token answers the same.
 * P3  A decision is carried out once, and only while the task still wants so many replicas and none
 *     of its operators has one.
 * P4  A task is placed when all tasks that it needs are COMPLETE.
 *
 * Left out: who decides. `tasksToPlace` says what is wanted, the scheduler's record what was chosen.
 */
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import type { AttemptId, Digest, NodeId, TaskId } from '@helixmesh/protocol';
import { type AttemptRef, OFFERS_LISTED_MAX } from '@helixmesh/protocol/sealing';
import type { Decision, OperatorId } from '@helixmesh/scheduler';
import { atomically, type Database } from '../../sql/database.ts';
import { advance, isFinal, type LoadedTask, loadTask, type Reason, setTask } from './advance.ts';
import { barrier } from './barrier.ts';
import type { ChainKeeper } from './commits.ts';
import { isKnown, keepRecord, recordOf } from './decisions.ts';
import {
  LEASE_MS,
  OFFER_MS,
  PLACE_AGAIN_MS,
  REFUSALS_TOLD_MAX,
  TASKS_AT_ONCE_MAX,
} from './limits.ts';
import { giveUpRerun } from './rerun.ts';
import { missingOf, takenOperators } from './rounds.ts';

export interface TaskToPlace {
  readonly taskId: TaskId;
  readonly name: string;
  readonly jobId: Digest;
  /** The signed job, canonical JSON. */
  readonly job: string;
  /** Replicas to place now. */
  readonly count: number;
  readonly takenOperators: readonly OperatorId[];
}

/** Tasks that want replicas and whose pause is over, longest waiting first. */
export async function tasksToPlace(database: Database, nowMs: number): Promise<TaskToPlace[]> {
  const rows = await database
    .selectFrom('network_tasks')
    .innerJoin('network_jobs', 'network_jobs.job_id', 'network_tasks.job_id')
    .select(['network_tasks.task_id', 'network_tasks.job_id', 'network_tasks.name'])
    .select('network_jobs.document')
    .where('network_tasks.state', 'in', ['QUEUED', 'RUNNING'])
    .where('network_tasks.place_after', '<=', nowMs)
    .where('network_tasks.reveal_deadline', 'is', null)
    .where('network_jobs.expires_at', '>', nowMs)
    .orderBy('network_tasks.place_after')
    .orderBy('network_tasks.task_id')
    .execute();
  const wanted: TaskToPlace[] = [];
  const isReady = barrier(database);
  for (const { task_id, job_id, name, document } of rows) {
    if (!(await isReady({ jobId: job_id, name, document }))) continue;
    const loaded = await loadTask(database, task_id);
    if (loaded === undefined) continue;
    const count = missingOf(loaded.task, loaded.replicas);
    if (count === 0) continue;
    wanted.push({
      taskId: task_id as TaskId,
      name,
      jobId: job_id as Digest,
      job: document,
      count,
      takenOperators: takenOperators(loaded.replicas),
    });
    if (wanted.length === TASKS_AT_ONCE_MAX) break;
  }
  return wanted;
}

export type Placed =
  | { readonly status: 'placed'; readonly attempts: readonly AttemptId[] }
  /** Too few lawful nodes; the task is asked for again after a pause. */
  | { readonly status: 'waiting' }
  /** It was carried out before. */
  | { readonly status: 'known' }
  /** The task wants something else by now. */
  | { readonly status: 'stale' };

/** Carries a decision of the scheduler out; its signed record is kept with it. */
export async function placeReplicas(
  database: Database,
  { decision, keeper, nowMs }: PlaceOptions,
): Promise<Placed> {
  const { taskId } = decision.request;
  return atomically(database, async (trx) => {
    const loaded = await loadTask(trx, taskId);
    if (loaded === undefined || isFinal(loaded.task.state)) return { status: 'stale' };
    const record = recordOf(keeper, loaded.task, decision);
    if (await isKnown(trx, record)) return { status: 'known' };
    if (decision.outcome.status === 'wait') {
      await keepRecord(trx, record);
      return waiting(trx, loaded, { decision, nowMs });
    }
    const chosen = chosenOf(decision);
    if (!isWanted(loaded, { decision, chosen })) return { status: 'stale' };
    await keepRecord(trx, record);
    if (decision.outcome.status === 'run_once') {
      await setTask(trx, taskId, { redundancy: 1, round_target: 1 });
    }
    return { status: 'placed', attempts: await insertOffers(trx, loaded, { chosen, nowMs }) };
  });
}

export interface PlaceOptions {
  readonly decision: Decision;
  readonly keeper: ChainKeeper;
  readonly nowMs: number;
}

interface Chosen {
  readonly nodeId: NodeId;
  readonly operator: OperatorId;
}

function chosenOf({ candidates, outcome }: Decision): Chosen[] {
  return outcome.chosen.map((nodeId) => {
    const facts = candidates.find((candidate) => candidate.facts.nodeId === nodeId)?.facts;
    assert(facts !== undefined, 'a decision has chosen nobody that it knows');
    return { nodeId, operator: facts.operator };
  });
}

/** P3 */
function isWanted(
  { task, replicas }: LoadedTask,
  { decision, chosen }: { readonly decision: Decision; readonly chosen: readonly Chosen[] },
): boolean {
  const taken = new Set(takenOperators(replicas));
  const isFirst = replicas.every(({ state }) => state === 'WITHDRAWN');
  return (
    chosen.length <= missingOf(task, replicas) &&
    chosen.every(({ operator }) => !taken.has(operator)) &&
    (decision.outcome.status !== 'run_once' || isFirst)
  );
}

/** Puts a task off that cannot be decided on now, and says why. */
export async function postpone(
  database: Database,
  taskId: TaskId,
  { reason, untilMs }: { readonly reason: Reason; readonly untilMs: number },
): Promise<void> {
  await atomically(database, async (trx) => {
    const loaded = await loadTask(trx, taskId);
    if (loaded === undefined || isFinal(loaded.task.state)) return;
    const text = JSON.stringify(reason);
    await setTask(trx, taskId, { place_after: untilMs, reason: text });
    await setJobReason(trx, loaded.task.job_id, text);
  });
}

async function waiting(
  trx: Database,
  { task, replicas }: LoadedTask,
  { decision, nowMs }: { readonly decision: Decision; readonly nowMs: number },
): Promise<Placed> {
  if (await giveUpRerun(trx, { task, replicas, nowMs })) {
    await advance(trx, task.task_id, nowMs);
    return { status: 'waiting' };
  }
  const { lawful } = decision.outcome;
  const wanted = decision.request.replicas;
  const refusals = refusalsOf(decision);
  const message =
    `${wanted} replicas want a node each of another operator; ${lawful} nodes are lawful` +
    (refusals === '' ? '' : `; refused: ${refusals}`);
  const reason = { code: 'BUSY', message };
  const change = { place_after: nowMs + PLACE_AGAIN_MS, reason: JSON.stringify(reason) };
  await setTask(trx, task.task_id, change);
  await setJobReason(trx, task.job_id, JSON.stringify(reason));
  return { status: 'waiting' };
}

/** `not_verified 2, price_high 1`: how many nodes fail for which reason. */
function refusalsOf({ candidates }: Decision): string {
  const counts = new Map<string, number>();
  for (const { failed } of candidates) {
    for (const reason of new Set(failed.map((failure) => failure.reason))) {
      counts.set(reason, (counts.get(reason) ?? 0) + 1);
    }
  }
  return [...counts]
    .sort(([a, m], [b, n]) => n - m || (a < b ? -1 : 1))
    .slice(0, REFUSALS_TOLD_MAX)
    .map(([reason, count]) => `${reason} ${count}`)
    .join(', ');
}

async function setJobReason(trx: Database, jobId: string, reason: string | null): Promise<void> {
  await trx.updateTable('network_jobs').set({ reason }).where('job_id', '=', jobId).execute();
}

async function insertOffers(
  trx: Database,
  { task }: LoadedTask,
  { chosen, nowMs }: { readonly chosen: readonly Chosen[]; readonly nowMs: number },
): Promise<AttemptId[]> {
  const attempts = chosen.map(() => `att_${randomBytes(8).toString('hex')}` as AttemptId);
  for (const [index, { nodeId, operator }] of chosen.entries()) {
    await trx
      .insertInto('network_replicas')
      .values({
        attempt_id: attempts[index] as AttemptId,
        task_id: task.task_id,
        generation: task.generation,
        fencing_token: task.last_token + 1 + index,
        node_id: nodeId,
        operator,
        round: task.round,
        state: 'OFFERED',
        lease_ends_at: nowMs + OFFER_MS,
        commit_digest: null,
        commit_sequence: null,
        reveal_sequence: null,
        digest: null,
        end_reason: null,
        verdict: null,
        created_at: nowMs,
        started_at: null,
        ended_at: null,
      })
      .execute();
  }
  const last_token = task.last_token + chosen.length;
  await setTask(trx, task.task_id, { last_token, reason: null });
  await setJobReason(trx, task.job_id, null);
  return attempts;
}

export interface Offer extends AttemptRef {
  readonly taskId: TaskId;
  /** The signed job, canonical JSON. */
  readonly job: string;
  readonly expiresAtMs: number;
}

/** What a node may claim now, oldest first. */
export async function offersOf(
  database: Database,
  nodeId: NodeId,
  nowMs: number,
): Promise<Offer[]> {
  const rows = await database
    .selectFrom('network_replicas')
    .innerJoin('network_tasks', 'network_tasks.task_id', 'network_replicas.task_id')
    .innerJoin('network_jobs', 'network_jobs.job_id', 'network_tasks.job_id')
    .select([
      'network_replicas.attempt_id',
      'network_replicas.task_id',
      'network_replicas.fencing_token',
      'network_replicas.lease_ends_at',
      'network_jobs.document',
    ])
    .where('network_replicas.node_id', '=', nodeId)
    .where('network_replicas.state', '=', 'OFFERED')
    .where('network_replicas.lease_ends_at', '>', nowMs)
    .where('network_jobs.expires_at', '>', nowMs)
    .orderBy('network_replicas.created_at')
    .orderBy('network_replicas.attempt_id')
    .limit(OFFERS_LISTED_MAX)
    .execute();
  return rows.map((row) => ({
    attemptId: row.attempt_id as AttemptId,
    fencingToken: row.fencing_token,
    taskId: row.task_id as TaskId,
    job: row.document,
    expiresAtMs: row.lease_ends_at,
  }));
}

export interface AttemptCall extends AttemptRef {
  /** Who calls. */
  readonly nodeId: NodeId;
  readonly nowMs: number;
}

export type Claim =
  | { readonly status: 'claimed'; readonly leaseEndsAtMs: number }
  /** It has ended, belongs to another node, or never was. */
  | { readonly status: 'lost' };

/** P2 */
export async function claim(database: Database, call: AttemptCall): Promise<Claim> {
  const { attemptId, fencingToken, nodeId, nowMs } = call;
  return atomically(database, async (trx) => {
    const row = await trx
      .selectFrom('network_replicas')
      .innerJoin('network_tasks', 'network_tasks.task_id', 'network_replicas.task_id')
      .innerJoin('network_jobs', 'network_jobs.job_id', 'network_tasks.job_id')
      .select(['network_replicas.task_id', 'network_replicas.state'])
      .select(['network_replicas.lease_ends_at', 'network_jobs.job_id'])
      .where('network_replicas.attempt_id', '=', attemptId)
      .where('network_replicas.fencing_token', '=', fencingToken)
      .where('network_replicas.node_id', '=', nodeId)
      .where('network_replicas.lease_ends_at', '>', nowMs)
      .where('network_jobs.expires_at', '>', nowMs)
      .executeTakeFirst();
    if (row?.state === 'RUNNING') return { status: 'claimed', leaseEndsAtMs: row.lease_ends_at };
    if (row?.state !== 'OFFERED') return { status: 'lost' };
    const leaseEndsAtMs = nowMs + LEASE_MS;
    await trx
      .updateTable('network_replicas')
      .set({ state: 'RUNNING', lease_ends_at: leaseEndsAtMs, started_at: nowMs })
      .where('attempt_id', '=', attemptId)
      .where('state', '=', 'OFFERED')
      .execute();
    await setTask(trx, row.task_id, { state: 'RUNNING' });
    await trx
      .updateTable('network_jobs')
      .set({ state: 'RUNNING' })
      .where('job_id', '=', row.job_id)
      .execute();
    return { status: 'claimed', leaseEndsAtMs };
  });
}
