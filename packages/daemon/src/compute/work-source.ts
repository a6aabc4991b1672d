/**
 * Where a compute node gets its work, and tells of it: the coordinator as the worker sees it.
 *
 * Invariants (upheld by every adapter)
 *   K1  An attempt is given to one node under one fencing token; what comes under a token that has
 *       lost its lease is answered `lost` and changes nothing.
 *   K2  Telling the same again changes nothing and is answered as before: a node that died between
 *       the telling and its own note of it tells again.
 *   K3  `reveal` is asked for only after the coordinator has said `reveal`: no result is shown
 *       before the others have committed to theirs.
 */
import type { AnalysisStage, AttemptId, Digest, JobSubmission, TaskId } from '@helixmesh/protocol';
import type { TaskInputs } from '@helixmesh/protocol/sealing';

/** One attempt at one task: a whole analysis of one sample, or a stage of one. */
export interface Assignment {
  readonly attemptId: AttemptId;
  readonly taskId: TaskId;
  readonly fencingToken: number;
  /** Base64 of the job that its requester has signed. */
  readonly job: string;
  readonly stage: AnalysisStage;
  /** Objects with the reads: one, or R1 and R2; none for stages that begin with what others made. */
  readonly reads: readonly SealedReads[];
  /**
   * Who keeps the key to what tasks of the job hand to each other, as `node_…@host:port`; null for a
   * job of one task.
   */
  readonly custodian: string | null;
  /** Without a name of the sample, which is the requester's affair. */
  readonly analysis: Pick<JobSubmission, 'pipeline' | 'reference' | 'parameters'>;
  /**
   * X25519 public keys that the outputs are sealed to; none where they are for later tasks, whose
   * key the custodian tells.
   */
  readonly recipients: readonly Uint8Array[];
}

export interface SealedReads {
  /** Id of the manifest. */
  readonly dataset: Digest;
  /** Who releases the keys, and where the body lies, as `node_…@host:port`. */
  readonly custodian: string;
  readonly vaults: readonly string[];
}

/** What shows a custodian that an attempt is this node's; base64 of signed documents. */
export interface Proof {
  readonly job: string;
  readonly assignment: string;
}

/** What the coordinator says of an attempt that this node holds. */
export type Order =
  /** Go on; ask again within `leaseMs`. */
  | { readonly status: 'held'; readonly leaseMs: number }
  /** All have committed, or the time for it is over: show the result. */
  | { readonly status: 'reveal' }
  /** The task is decided: outputs may be fetched until `keepUntilMs`. */
  | { readonly status: 'final'; readonly keepUntilMs: number }
  /** The lease is lost, or the job was canceled: wipe everything. */
  | { readonly status: 'lost' };

/** What a commit binds and a reveal shows. */
export interface Secret {
  readonly resultDigest: Digest;
  /** 32 random bytes in hex. */
  readonly salt: string;
}

export interface WorkSource {
  /** The next attempt for this node, claimed; waits for one. Rejects when `signal` aborts. */
  claim(signal: AbortSignal): Promise<Assignment>;
  renew(attempt: Held): Promise<Order>;
  /** Fresh for the length of a lease. Throws LEASE_EXPIRED when the attempt is lost. */
  proof(attempt: Held & Pick<Assignment, 'job'>): Promise<Proof>;
  /** What the tasks before this one have made, and where it is. Throws LEASE_EXPIRED. */
  inputs(attempt: Held): Promise<TaskInputs>;
  /** Tells the hash of the secret alone. */
  commit(attempt: Held, secret: Secret): Promise<Order>;
  reveal(attempt: Held, secret: Secret): Promise<Order>;
  /** The attempt ended without a result: a code of the error table, no text. */
  fail(attempt: Held, code: string): Promise<void>;
}

export type Held = Pick<Assignment, 'attemptId' | 'taskId' | 'fencingToken'>;
