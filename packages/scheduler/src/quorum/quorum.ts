/**
 * Agreement of replicas: fixed redundancy, commit then reveal, results equal by canonical digest.
 *
 *   Q1  One operator has one vote for a task: that of its earliest commit.
 *   Q2  A commit after the first reveal of its round has no vote and earns nothing: whoever made it
 *       could have copied. Each replica that disagreement adds begins a round of its own, since the
 *       reveals of earlier rounds stay sealed until the task is final.
 *   Q3  A digest wins with more than half of the wanted redundancy and more than half of all votes.
 *   Q4  Nothing is decided while a replica that can still vote has not revealed; the caller ends
 *       replicas that miss a deadline.
 *   Q5  Only a decided task gives verdicts.
 *
 * The order of commits and reveals is that of the coordinator's chain of countersignatures, given
 * as sequence numbers. Whether a reveal opens its commit is checked by whoever holds the keys.
 */
import { type AttemptId, DIGEST_PATTERN, type Digest } from '@helixmesh/protocol';
import { z } from 'zod';
import { compareIds, nodeIdSchema, operatorIdSchema } from '../ids.ts';
import { REDUNDANCY_MAX, REPLICAS_MAX } from '../limits.ts';
import type { Verdict } from './reputation.ts';

export const quorumPolicySchema = z
  .strictObject({
    /** Replicas that are started, k. */
    redundancy: z.int().min(1).max(REDUNDANCY_MAX),
    /** Replicas in all, failed ones and those added on disagreement included. */
    replicasMax: z.int().min(1).max(REPLICAS_MAX),
  })
  .refine(({ redundancy, replicasMax }) => replicasMax >= redundancy, {
    path: ['replicasMax'],
    error: 'must not be below redundancy',
  });
export type QuorumPolicy = z.infer<typeof quorumPolicySchema>;

const chainSequence = z.int().min(0);

export const replicaSchema = z.strictObject({
  attemptId: z.string().transform((text) => text as AttemptId),
  nodeId: nodeIdSchema,
  operator: operatorIdSchema,
  /** 0 for the replicas that the task began with; higher for those added. */
  round: z.int().min(0).max(REPLICAS_MAX),
  /** `ended` without a result: failed, lost its lease, or missed the deadline of its reveal. */
  state: z.enum(['running', 'committed', 'revealed', 'ended']),
  commitSequence: chainSequence.nullable(),
  revealSequence: chainSequence.nullable(),
  /** What was revealed; null before, and when the reveal does not open the commit. */
  digest: z
    .string()
    .regex(DIGEST_PATTERN)
    .transform((text) => text as Digest)
    .nullable(),
});
export type Replica = z.infer<typeof replicaSchema>;

export interface ReplicaVerdict {
  readonly attemptId: AttemptId;
  readonly verdict: Verdict;
}

export type Quorum =
  /** Replicas that can vote are at work. */
  | { readonly status: 'waiting' }
  /** Place so many more, at operators that have none of this task. */
  | { readonly status: 'add_replicas'; readonly count: number }
  | {
      readonly status: 'agreed';
      readonly digest: Digest;
      /** False when one operator alone has answered: the receipt says 'not independently checked'. */
      readonly isChecked: boolean;
      readonly verdicts: readonly ReplicaVerdict[];
    }
  /** The cap is reached without agreement. */
  | { readonly status: 'no_consensus' };

export function quorumOf(policy: QuorumPolicy, replicas: readonly Replica[]): Quorum {
  const able = replicasAbleToVote(replicas);
  if (able.some(({ state }) => state === 'running' || state === 'committed')) {
    return { status: 'waiting' };
  }
  const voters = able.filter(({ state }) => state === 'revealed');
  const votes = voters.flatMap(({ digest }) => digest ?? []);
  const winner = winnerOf(votes, policy);
  if (winner === null) return more(policy, { votes: votes.length, started: replicas.length });
  return {
    status: 'agreed',
    digest: winner,
    isChecked: votes.length > 1,
    verdicts: replicas.map((replica) => ({
      attemptId: replica.attemptId,
      verdict: voters.includes(replica) ? verdictOf(replica, winner) : 'none',
    })),
  };
}

/** Q1 and Q2. A replica that runs is able while a commit of its round would still be in time. */
function replicasAbleToVote(replicas: readonly Replica[]): readonly Replica[] {
  const inTime = replicas.filter((replica) => {
    if (replica.state === 'ended') return false;
    const firstReveal = Math.min(
      ...replicas
        .filter(({ round }) => round === replica.round)
        .map(({ revealSequence }) => revealSequence ?? Number.POSITIVE_INFINITY),
    );
    return (replica.commitSequence ?? lastSequence(replicas)) < firstReveal;
  });
  const byOperator = new Map<string, Replica>();
  for (const replica of inTime.toSorted(byCommit)) {
    if (!byOperator.has(replica.operator)) byOperator.set(replica.operator, replica);
  }
  return [...byOperator.values()];
}

/** A commit that is still to come gets a higher number than every one so far. */
function lastSequence(replicas: readonly Replica[]): number {
  return Math.max(
    -1,
    ...replicas.map((each) => Math.max(each.commitSequence ?? -1, each.revealSequence ?? -1)),
  );
}

function byCommit(a: Replica, b: Replica): number {
  const at = (replica: Replica) => replica.commitSequence ?? Number.MAX_SAFE_INTEGER;
  return at(a) - at(b) || compareIds(a.attemptId, b.attemptId);
}

/** Q3. At most one digest can have more than half of the votes. */
function winnerOf(votes: readonly Digest[], { redundancy }: QuorumPolicy): Digest | null {
  const needed = Math.floor(redundancy / 2) + 1;
  const counts = new Map<Digest, number>();
  for (const digest of votes) counts.set(digest, (counts.get(digest) ?? 0) + 1);
  for (const [digest, count] of counts) {
    if (count >= needed && 2 * count > votes.length) return digest;
  }
  return null;
}

/** As many as are missing from the redundancy, or one more on disagreement; never above the cap. */
function more(
  { redundancy, replicasMax }: QuorumPolicy,
  { votes, started }: { readonly votes: number; readonly started: number },
): Quorum {
  const count = Math.min(Math.max(1, redundancy - votes), replicasMax - started);
  return count > 0 ? { status: 'add_replicas', count } : { status: 'no_consensus' };
}

function verdictOf({ digest }: Replica, winner: Digest): Verdict {
  return digest === winner ? 'valid' : 'invalid';
}
