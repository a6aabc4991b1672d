/**
 * What follows for a task from its replicas and the time. Pure; whether results agree says
 * `quorumOf` of the scheduler.
 *
 * Invariants
 * T1  Reveals of a round open when every replica that it wants has committed or ended, or when its
 *     commit deadline passes; what has not committed by then ends, so no commit follows a reveal.
 * T2  A round that is open is never topped up: who is missing then comes in the next one.
 * T3  Offers that nobody took are no replicas; there are so many of them at most.
 */
import assert from 'node:assert/strict';
import type { AttemptId, Digest, NodeId } from '@helixmesh/protocol';
import { type OperatorId, type Quorum, quorumOf, type Replica } from '@helixmesh/scheduler';
import type { NetworkReplicasTable, NetworkTasksTable } from '../../sql/network-tasks-schema.ts';
import { OFFERS_UNANSWERED_MAX, RETRY_FIRST_MS, RETRY_MAX_MS } from './limits.ts';

export type TaskRow = NetworkTasksTable;
export type ReplicaRow = NetworkReplicasTable;

type Agreed = Extract<Quorum, { status: 'agreed' }>;

export type NextStep =
  | { readonly kind: 'none' }
  /** Reveals are taken from now on; `tooLate` end. */
  | { readonly kind: 'open_reveals'; readonly tooLate: readonly ReplicaRow[] }
  /** They have committed and not revealed in time. */
  | { readonly kind: 'end_unrevealed'; readonly replicas: readonly ReplicaRow[] }
  | { readonly kind: 'next_round'; readonly count: number }
  | { readonly kind: 'agreed'; readonly quorum: Agreed }
  | { readonly kind: 'no_consensus' };

/** `replicas` are those of the task's generation. */
export function nextStep(task: TaskRow, replicas: readonly ReplicaRow[], nowMs: number): NextStep {
  const inRound = replicas.filter(({ round }) => round === task.round);
  const atWork = inRound.filter(isAtWork);
  const committed = inRound.filter(({ state }) => state === 'COMMITTED');
  if (task.reveal_deadline === null) {
    const isComplete = atWork.length === 0 && missingOf(task, replicas) === 0;
    const isLate = task.commit_deadline !== null && task.commit_deadline <= nowMs;
    if (committed.length > 0) {
      return isComplete || isLate ? { kind: 'open_reveals', tooLate: atWork } : { kind: 'none' };
    }
    return isComplete ? decided(task, replicas) : { kind: 'none' };
  }
  if (committed.length === 0) return decided(task, replicas);
  if (task.reveal_deadline > nowMs) return { kind: 'none' };
  return { kind: 'end_unrevealed', replicas: committed };
}

/** How many replicas are to be placed in the task's round now. */
export function missingOf(task: TaskRow, replicas: readonly ReplicaRow[]): number {
  if (task.reveal_deadline !== null) return 0;
  const unanswered = replicas.filter(({ state }) => state === 'WITHDRAWN').length;
  if (unanswered >= OFFERS_UNANSWERED_MAX) return 0;
  const wanted = replicas.filter((each) => each.round === task.round && isOpen(each)).length;
  const used = replicas.length - unanswered;
  return Math.max(0, Math.min(task.round_target - wanted, task.replicas_max - used));
}

/**
 * Operators that get no other replica of the task: those at work on it, and those that have ever
 * committed. Who lost a lease or failed before may try again; replicasMax ends that.
 */
export function takenOperators(replicas: readonly ReplicaRow[]): OperatorId[] {
  const taken = replicas.filter((each) => isOpen(each) || each.commit_sequence !== null);
  return [...new Set(taken.map(({ operator }) => operator as OperatorId))].sort();
}

/** Offered or running. */
export function isAtWork({ state }: ReplicaRow): boolean {
  return state === 'OFFERED' || state === 'RUNNING';
}

/** At work, or has answered. */
export function isOpen(replica: ReplicaRow): boolean {
  return isAtWork(replica) || replica.state === 'COMMITTED' || replica.state === 'REVEALED';
}

/** `failures` counts from 1. */
export function retryDelayMs(failures: number): number {
  return Math.min(RETRY_MAX_MS, RETRY_FIRST_MS * 2 ** Math.min(failures - 1, 30));
}

function decided(task: TaskRow, replicas: readonly ReplicaRow[]): NextStep {
  const policy = { redundancy: task.redundancy, replicasMax: task.replicas_max };
  const quorum = quorumOf(policy, quorumReplicas(replicas));
  // Only replicas that have ended or revealed are left when this is asked.
  assert(quorum.status !== 'waiting');
  if (quorum.status === 'agreed') return { kind: 'agreed', quorum };
  if (quorum.status === 'no_consensus') return { kind: 'no_consensus' };
  // Where nothing more can be offered, another round would wait for ever.
  const next = {
    ...task,
    round: task.round + 1,
    round_target: quorum.count,
    reveal_deadline: null,
  };
  return missingOf(next, replicas) > 0
    ? { kind: 'next_round', count: quorum.count }
    : { kind: 'no_consensus' };
}

/** The replicas as the quorum reads them; offers are none yet (T3). */
export function quorumReplicas(rows: readonly ReplicaRow[]): Replica[] {
  return rows.flatMap((row) => {
    const state = QUORUM_STATE[row.state];
    if (state === null) return [];
    return {
      attemptId: row.attempt_id as AttemptId,
      nodeId: row.node_id as NodeId,
      operator: row.operator as OperatorId,
      round: row.round,
      state,
      commitSequence: row.commit_sequence,
      revealSequence: row.reveal_sequence,
      digest: row.digest as Digest | null,
    };
  });
}

const QUORUM_STATE = {
  OFFERED: null,
  WITHDRAWN: null,
  RUNNING: 'running',
  COMMITTED: 'committed',
  REVEALED: 'revealed',
  ENDED: 'ended',
} as const;
