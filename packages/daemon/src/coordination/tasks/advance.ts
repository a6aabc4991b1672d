/**
 * Carries a task on after anything that has happened to it, within the transaction in which it did.
 *
 * Invariants
 * V1  A task that is final stays as it is; only `retryDead` opens one again, as a new generation.
 * V2  With a final task no attempt is open, and its job is final too when all its tasks are.
 * V3  A task that ends without a result ends all tasks of its job that are not final, for its reason:
 *     what it was to hand on nobody else will.
 */
import type { Digest } from '@helixmesh/protocol';
import { AppError, type ErrorCode } from '@helixmesh/protocol';
import type { NetworkJobState } from '@helixmesh/protocol/sealing';
import type { Database } from '../../sql/database.ts';
import { REVEAL_WAIT_MS } from './limits.ts';
import { noteVerdicts } from './reputations.ts';
import { chooseRerun } from './rerun.ts';
import {
  isOpen,
  type NextStep,
  nextStep,
  type ReplicaRow,
  retryDelayMs,
  type TaskRow,
} from './rounds.ts';

const FINAL: readonly NetworkJobState[] = ['COMPLETE', 'SYSTEM_ERROR', 'CANCELED'];

export interface LoadedTask {
  readonly task: TaskRow;
  /** Of the task's generation, oldest first. */
  readonly replicas: readonly ReplicaRow[];
}

export interface Reason {
  readonly code: ErrorCode;
  readonly message: string;
}

export function isFinal(state: NetworkJobState): boolean {
  return FINAL.includes(state);
}

export async function loadTask(trx: Database, taskId: string): Promise<LoadedTask | undefined> {
  const task = await trx
    .selectFrom('network_tasks')
    .selectAll()
    .where('task_id', '=', taskId)
    .executeTakeFirst();
  if (task === undefined) return undefined;
  const replicas = await trx
    .selectFrom('network_replicas')
    .selectAll()
    .where('task_id', '=', taskId)
    .where('generation', '=', task.generation)
    .orderBy('fencing_token')
    .execute();
  return { task, replicas };
}

/** Does what follows, until nothing does. */
export async function advance(trx: Database, taskId: string, nowMs: number): Promise<void> {
  for (;;) {
    const loaded = await loadTask(trx, taskId);
    if (loaded === undefined || isFinal(loaded.task.state)) return;
    const step = nextStep(loaded.task, loaded.replicas, nowMs);
    if (step.kind === 'none') return;
    await apply(trx, { ...loaded, step, nowMs });
  }
}

interface Applied extends LoadedTask {
  readonly step: NextStep;
  readonly nowMs: number;
}

async function apply(trx: Database, applied: Applied): Promise<void> {
  const { task, step, nowMs } = applied;
  switch (step.kind) {
    case 'open_reveals':
      await endReplicas(trx, step.tooLate, { reason: 'too_late', nowMs });
      return setTask(trx, task.task_id, { reveal_deadline: nowMs + REVEAL_WAIT_MS });
    case 'end_unrevealed':
      return endReplicas(trx, step.replicas, { reason: 'unrevealed', nowMs });
    case 'next_round':
      return setTask(trx, task.task_id, {
        round: task.round + 1,
        round_target: step.count,
        commit_deadline: null,
        reveal_deadline: null,
      });
    case 'agreed':
      return completeTask(trx, applied, step.quorum);
    case 'no_consensus':
      return endTask(trx, applied, {
        state: 'SYSTEM_ERROR',
        reason: {
          code: 'RESULT_DIFFERS',
          message: 'no result had a majority in as many attempts as the job allows',
        },
      });
    case 'none':
  }
}

async function completeTask(
  trx: Database,
  { task, replicas, nowMs }: Applied,
  quorum: Extract<NextStep, { kind: 'agreed' }>['quorum'],
): Promise<void> {
  for (const { attemptId, verdict } of quorum.verdicts) {
    await trx
      .updateTable('network_replicas')
      .set({ verdict })
      .where('attempt_id', '=', attemptId)
      .execute();
  }
  await noteVerdicts(trx, { task, replicas }, quorum);
  await setTask(trx, task.task_id, {
    result_digest: quorum.digest satisfies Digest,
    is_checked: quorum.isChecked ? 1 : 0,
  });
  await endTask(trx, { task, replicas, nowMs }, { state: 'COMPLETE', reason: null });
  await chooseRerun(trx, task);
}

/** Makes a task final, and its job where all of that is (V2). */
export async function endTask(
  trx: Database,
  { task, replicas, nowMs }: LoadedTask & { readonly nowMs: number },
  end: { readonly state: NetworkJobState; readonly reason: Reason | null },
): Promise<void> {
  const reason = end.reason === null ? null : JSON.stringify(end.reason);
  const open = replicas.filter((each) => isOpen(each) && each.state !== 'REVEALED');
  await endReplicas(trx, open, { reason: 'task_final', nowMs });
  await setTask(trx, task.task_id, { state: end.state, reason, ended_at: nowMs });
  if (end.state === 'SYSTEM_ERROR') {
    await trx
      .insertInto('network_dead_letters')
      .values({
        task_id: task.task_id,
        generation: task.generation,
        job_id: task.job_id,
        reason: reason ?? 'null',
        at: nowMs,
        retried_at: null,
      })
      .execute();
  }
  if (end.state !== 'COMPLETE') await endOthers(trx, { task, nowMs }, reason);
  await endJob(trx, task.job_id, nowMs);
}

/** V3 */
async function endOthers(
  trx: Database,
  { task, nowMs }: Pick<LoadedTask, 'task'> & { readonly nowMs: number },
  reason: string | null,
): Promise<void> {
  const others = await trx
    .selectFrom('network_tasks')
    .select('task_id')
    .where('job_id', '=', task.job_id)
    .where('state', 'not in', FINAL)
    .execute();
  for (const { task_id } of others) {
    const loaded = await loadTask(trx, task_id);
    if (loaded === undefined) continue;
    const open = loaded.replicas.filter((each) => isOpen(each) && each.state !== 'REVEALED');
    await endReplicas(trx, open, { reason: 'task_final', nowMs });
    await setTask(trx, task_id, { state: 'CANCELED', reason, ended_at: nowMs });
  }
}

async function endJob(trx: Database, jobId: string, nowMs: number): Promise<void> {
  const tasks = await trx
    .selectFrom('network_tasks')
    .select(['state', 'reason'])
    .where('job_id', '=', jobId)
    .execute();
  if (!tasks.every(({ state }) => isFinal(state))) return;
  const failed =
    tasks.find(({ state }) => state === 'SYSTEM_ERROR') ??
    tasks.find(({ state }) => state !== 'COMPLETE');
  await trx
    .updateTable('network_jobs')
    .set({ state: failed?.state ?? 'COMPLETE', reason: failed?.reason ?? null, ended_at: nowMs })
    .where('job_id', '=', jobId)
    .where('state', 'not in', FINAL)
    .execute();
}

/** Ends replicas without a result. An offer is withdrawn. */
export async function endReplicas(
  trx: Database,
  replicas: readonly ReplicaRow[],
  { reason, nowMs }: { readonly reason: string; readonly nowMs: number },
): Promise<void> {
  for (const { attempt_id, state } of replicas) {
    await trx
      .updateTable('network_replicas')
      .set({
        state: state === 'OFFERED' ? 'WITHDRAWN' : 'ENDED',
        end_reason: reason,
        ended_at: nowMs,
      })
      .where('attempt_id', '=', attempt_id)
      .where('state', 'in', ['OFFERED', 'RUNNING', 'COMMITTED'])
      .execute();
  }
}

/** Replicas that ended by themselves: another is placed after a pause that grows. */
export async function endFailed(
  trx: Database,
  { task, replicas, nowMs }: LoadedTask & { readonly nowMs: number },
  reason: string,
): Promise<void> {
  await endReplicas(trx, replicas, { reason, nowMs });
  const failures = task.failures + 1;
  const place_after = nowMs + retryDelayMs(failures);
  await setTask(trx, task.task_id, { failures, place_after });
  await advance(trx, task.task_id, nowMs);
}

export async function setTask(
  trx: Database,
  taskId: string,
  change: Partial<Omit<TaskRow, 'task_id'>>,
): Promise<void> {
  await trx.updateTable('network_tasks').set(change).where('task_id', '=', taskId).execute();
}

/** The same words for what is not there and what is another's. */
export function unknown(what: 'job' | 'attempt'): AppError {
  return new AppError('OBJECT_NOT_FOUND', `there is no such ${what}, or it is another's`, {
    hint: `Check the id of the ${what}, and that you ask as its owner.`,
  });
}
