/**
 * Attempts at work: leases that are renewed, lost or given back, and the sweep of all that is late.
 *
 * Invariants
 * A1  Whatever is asked for an attempt needs its id, its fencing token and its node; anything else is
 *     as if there were none.
 * A2  An attempt that has ended never comes back: its node hears so, and nothing changes.
 */
import type { AttemptRef } from '@helixmesh/protocol/sealing';
import { atomically, type Database } from '../../sql/database.ts';
import { advance, endFailed, endTask, isFinal, type LoadedTask, loadTask } from './advance.ts';
import { LEASE_MS, TASKS_AT_ONCE_MAX } from './limits.ts';
import type { AttemptCall } from './placement.ts';
import type { ReplicaRow } from './rounds.ts';

export interface LoadedAttempt extends LoadedTask {
  readonly replica: ReplicaRow;
  readonly isOfThisGeneration: boolean;
}

/** A1 */
export async function loadAttempt(
  trx: Database,
  { attemptId, fencingToken, nodeId }: AttemptRef & { readonly nodeId: string },
): Promise<LoadedAttempt | undefined> {
  const replica = await trx
    .selectFrom('network_replicas')
    .selectAll()
    .where('attempt_id', '=', attemptId)
    .where('fencing_token', '=', fencingToken)
    .where('node_id', '=', nodeId)
    .executeTakeFirst();
  if (replica === undefined) return undefined;
  const loaded = await loadTask(trx, replica.task_id);
  if (loaded === undefined) return undefined;
  return { ...loaded, replica, isOfThisGeneration: replica.generation === loaded.task.generation };
}

export type Lease =
  | {
      readonly status: 'held';
      readonly phase: 'work' | 'wait' | 'reveal';
      /** For `wait` and `reveal` until when that may last. */
      readonly leaseEndsAtMs: number;
    }
  /** Nothing is left to do: revealed, or committed to a task that is final. */
  | { readonly status: 'over' }
  | { readonly status: 'lost' };

/** Extends the lease of a running attempt, and says what its node is to do. */
export async function renewLease(database: Database, call: AttemptCall): Promise<Lease> {
  const { nowMs } = call;
  return atomically(database, async (trx) => {
    await advanceOf(trx, call);
    const loaded = await loadAttempt(trx, call);
    if (loaded === undefined) return { status: 'lost' };
    const { task, replica, isOfThisGeneration } = loaded;
    // What was canceled is withheld and wiped, whoever has canceled it.
    if (task.state === 'CANCELED') return { status: 'lost' };
    const hasCommitted = replica.commit_sequence !== null;
    if (replica.state === 'REVEALED') return { status: 'over' };
    if (isFinal(task.state)) return { status: hasCommitted ? 'over' : 'lost' };
    if (!isOfThisGeneration) return { status: 'lost' };
    if (replica.state === 'COMMITTED') return committedLease(loaded);
    if (replica.state !== 'RUNNING' || replica.lease_ends_at <= nowMs) return { status: 'lost' };
    const leaseEndsAtMs = nowMs + LEASE_MS;
    await trx
      .updateTable('network_replicas')
      .set({ lease_ends_at: leaseEndsAtMs })
      .where('attempt_id', '=', replica.attempt_id)
      .execute();
    return { status: 'held', phase: 'work', leaseEndsAtMs };
  });
}

/** Deadlines may have passed since the last sweep. */
async function advanceOf(trx: Database, call: AttemptCall): Promise<void> {
  const loaded = await loadAttempt(trx, call);
  if (loaded !== undefined) await advance(trx, loaded.task.task_id, call.nowMs);
}

function committedLease({ task, replica }: LoadedAttempt): Lease {
  if (task.reveal_deadline !== null) {
    return { status: 'held', phase: 'reveal', leaseEndsAtMs: task.reveal_deadline };
  }
  const leaseEndsAtMs = task.commit_deadline ?? replica.lease_ends_at;
  return { status: 'held', phase: 'wait', leaseEndsAtMs };
}

/**
 * A node gives an attempt up, with a code of the error table; or turns an offer down. False when
 * there is no such attempt; one that has ended already stays as it is.
 */
export async function failAttempt(
  database: Database,
  call: AttemptCall & { readonly code: string },
): Promise<boolean> {
  return atomically(database, async (trx) => {
    const loaded = await loadAttempt(trx, call);
    if (loaded === undefined) return false;
    const { replica, task, isOfThisGeneration } = loaded;
    const isOpen = ['OFFERED', 'RUNNING', 'COMMITTED'].includes(replica.state);
    if (!isOpen || !isOfThisGeneration || isFinal(task.state)) return true;
    await endFailed(trx, { task, replicas: [replica], nowMs: call.nowMs }, call.code);
    return true;
  });
}

/**
 * Ends offers and leases whose time is over, carries tasks on whose deadlines have passed, and ends
 * jobs that have expired. Answers how many attempts were ended.
 */
export async function expireLeases(database: Database, nowMs: number): Promise<number> {
  return atomically(database, async (trx) => {
    const late = await trx
      .selectFrom('network_replicas')
      .selectAll()
      .where('state', 'in', ['OFFERED', 'RUNNING'])
      .where('lease_ends_at', '<=', nowMs)
      .execute();
    const byTask = Map.groupBy(late, ({ task_id }) => task_id);
    for (const [taskId, replicas] of byTask) {
      const loaded = await loadTask(trx, taskId);
      if (loaded === undefined) continue;
      await endFailed(trx, { ...loaded, replicas, nowMs }, 'lease_lost');
    }
    await passDeadlines(trx, nowMs);
    await expireJobs(trx, nowMs);
    return late.length;
  });
}

async function passDeadlines(trx: Database, nowMs: number): Promise<void> {
  const tasks = await trx
    .selectFrom('network_tasks')
    .select('task_id')
    .where('state', 'in', ['QUEUED', 'RUNNING'])
    .where((eb) => eb.or([eb('commit_deadline', '<=', nowMs), eb('reveal_deadline', '<=', nowMs)]))
    .limit(TASKS_AT_ONCE_MAX)
    .execute();
  for (const { task_id } of tasks) await advance(trx, task_id, nowMs);
}

async function expireJobs(trx: Database, nowMs: number): Promise<void> {
  const tasks = await trx
    .selectFrom('network_tasks')
    .innerJoin('network_jobs', 'network_jobs.job_id', 'network_tasks.job_id')
    .select('network_tasks.task_id')
    .where('network_tasks.state', 'in', ['QUEUED', 'RUNNING'])
    .where('network_jobs.expires_at', '<=', nowMs)
    .limit(TASKS_AT_ONCE_MAX)
    .execute();
  const reason = { code: 'CANCELED', message: 'the job has expired' } as const;
  for (const { task_id } of tasks) {
    const loaded = await loadTask(trx, task_id);
    if (loaded === undefined || isFinal(loaded.task.state)) continue;
    await endTask(trx, { ...loaded, nowMs }, { state: 'SYSTEM_ERROR', reason });
  }
}
