/**
 * Commits and reveals: what nodes bind themselves to, put into one order and countersigned.
 *
 * Invariants
 * C1  A commit is taken from an attempt that runs, within its lease, under its token, signed by its
 *     node: once. The same statement again gets the same countersignature, another one nothing.
 * C2  A reveal is taken while reveals of its round are open, so no commit of the round can follow.
 * C3  Commits and reveals stand in one chain, each behind the one before it, whatever their task.
 * C4  Nobody reads a reveal before its task is final.
 */

import type { AttemptId, Digest, NodeId, TaskId } from '@helixmesh/protocol';
import {
  CHAIN_ENTRY_TYPE,
  type ChainEntry,
  type CommitStatement,
  type Crypto,
  commitOf,
  documentId,
  encodeDocument,
  isSignedByItsNode,
  type Reveal,
  type Signed,
  signWithKey,
  textOf,
} from '@helixmesh/protocol/sealing';
import { atomically, type Database } from '../../sql/database.ts';
import { advance, isFinal, setTask } from './advance.ts';
import { type LoadedAttempt, loadAttempt } from './attempts.ts';
import { COMMIT_WAIT_MS } from './limits.ts';
import type { TaskRow } from './rounds.ts';

/** Who countersigns. */
export interface ChainKeeper {
  readonly crypto: Crypto;
  readonly network: Digest;
  readonly coordinator: NodeId;
  /** Ed25519. */
  readonly secretKey: Uint8Array;
}

export type Taken =
  /** The countersignature, canonical JSON. */
  | { readonly status: 'taken'; readonly entry: string }
  /** The attempt has ended, is another node's, or never was. */
  | { readonly status: 'lost' }
  /** Reveals are not open yet. */
  | { readonly status: 'too_early' }
  /** Another statement of this attempt was taken. */
  | { readonly status: 'different' }
  | { readonly status: 'bad_signature' };

export interface TakeOptions<T extends CommitStatement | Reveal> {
  readonly signed: Signed<T>;
  readonly keeper: ChainKeeper;
  readonly nowMs: number;
}

/** C1 */
export async function commitResult(
  database: Database,
  options: TakeOptions<CommitStatement>,
): Promise<Taken> {
  const { signed, nowMs } = options;
  return taking(database, { ...options, kind: 'commit' }, async (trx, loaded) => {
    const { task, replica } = loaded;
    if (replica.state !== 'RUNNING' || replica.lease_ends_at <= nowMs) return { status: 'lost' };
    const { entry, sequence } = await append(trx, { ...options, kind: 'commit' });
    await trx
      .updateTable('network_replicas')
      .set({
        state: 'COMMITTED',
        commit_digest: signed.document.commit,
        commit_sequence: sequence,
      })
      .where('attempt_id', '=', replica.attempt_id)
      .where('state', '=', 'RUNNING')
      .execute();
    if (task.commit_deadline === null) {
      await setTask(trx, task.task_id, { commit_deadline: nowMs + COMMIT_WAIT_MS });
    }
    await wakeOthers(trx, task, nowMs);
    return { status: 'taken', entry };
  });
}

/** Its node has a slot for another task of the job again, which may have waited for one. */
async function wakeOthers(trx: Database, task: TaskRow, nowMs: number): Promise<void> {
  await trx
    .updateTable('network_tasks')
    .set({ place_after: nowMs })
    .where('job_id', '=', task.job_id)
    .where('task_id', '!=', task.task_id)
    .where('state', 'in', ['QUEUED', 'RUNNING'])
    .where('place_after', '>', nowMs)
    // The pause after a failure stays.
    .where('failures', '=', 0)
    .execute();
}

/** C2. A reveal that does not open its commit is taken as one, and has no vote. */
export async function revealResult(
  database: Database,
  options: TakeOptions<Reveal>,
): Promise<Taken> {
  const { signed, keeper } = options;
  return taking(database, { ...options, kind: 'reveal' }, async (trx, { task, replica }) => {
    if (replica.state === 'RUNNING') return { status: 'too_early' };
    if (replica.state !== 'COMMITTED') return { status: 'lost' };
    if (task.reveal_deadline === null) return { status: 'too_early' };
    const { entry, sequence } = await append(trx, { ...options, kind: 'reveal' });
    const isOpened = commitOf(keeper.crypto, signed.document) === replica.commit_digest;
    await trx
      .updateTable('network_replicas')
      .set({
        state: 'REVEALED',
        reveal_sequence: sequence,
        digest: isOpened ? signed.document.resultDigest : null,
      })
      .where('attempt_id', '=', replica.attempt_id)
      .where('state', '=', 'COMMITTED')
      .execute();
    return { status: 'taken', entry };
  });
}

type Kind = ChainEntry['kind'];
type Taking = TakeOptions<CommitStatement | Reveal> & { readonly kind: Kind };

/** What both have in common: the signature, the attempt, and that it is done once. */
async function taking(
  database: Database,
  options: Taking,
  take: (trx: Database, loaded: LoadedAttempt) => Promise<Taken>,
): Promise<Taken> {
  const { signed, keeper, kind, nowMs } = options;
  const { crypto, network } = keeper;
  if (!isSignedByItsNode(crypto, signed, network)) return { status: 'bad_signature' };
  const { attemptId, taskId } = signed.document;
  return atomically(database, async (trx) => {
    const named = await loadAttempt(trx, signed.document);
    if (named === undefined || named.task.task_id !== taskId) return { status: 'lost' };
    const before = await takenBefore(trx, { attemptId, kind });
    if (before !== undefined) {
      const isSame = before.statement_id === documentId(crypto, signed.document);
      return isSame ? { status: 'taken', entry: before.entry } : { status: 'different' };
    }
    await advance(trx, taskId, nowMs);
    const loaded = await loadAttempt(trx, signed.document);
    if (loaded === undefined || !loaded.isOfThisGeneration || isFinal(loaded.task.state)) {
      return { status: 'lost' };
    }
    const taken = await take(trx, loaded);
    await advance(trx, taskId, nowMs);
    return taken;
  });
}

async function takenBefore(
  trx: Database,
  { attemptId, kind }: { readonly attemptId: AttemptId; readonly kind: Kind },
) {
  return trx
    .selectFrom('network_statements')
    .innerJoin('network_chain', (join) =>
      join
        .onRef('network_chain.attempt_id', '=', 'network_statements.attempt_id')
        .onRef('network_chain.kind', '=', 'network_statements.kind'),
    )
    .select(['network_statements.statement_id', 'network_chain.entry'])
    .where('network_statements.attempt_id', '=', attemptId)
    .where('network_statements.kind', '=', kind)
    .executeTakeFirst();
}

/** C3 */
async function append(
  trx: Database,
  { signed, keeper, kind, nowMs }: Taking,
): Promise<{ readonly entry: string; readonly sequence: number }> {
  const { crypto, network, coordinator, secretKey } = keeper;
  const last = await trx
    .selectFrom('network_chain')
    .select(['sequence', 'entry_id', 'at'])
    .orderBy('sequence', 'desc')
    .limit(1)
    .executeTakeFirst();
  const { taskId, attemptId } = signed.document;
  const document: ChainEntry = {
    type: CHAIN_ENTRY_TYPE,
    network,
    coordinator,
    sequence: last === undefined ? 0 : last.sequence + 1,
    previous: (last?.entry_id as Digest | undefined) ?? null,
    kind,
    taskId,
    attemptId,
    statement: documentId(crypto, signed.document),
    // A clock that was set back does not turn the order around.
    atMs: Math.max(nowMs, last?.at ?? 0),
  };
  const entry = canonicalText(signWithKey(crypto, secretKey, document));
  await trx
    .insertInto('network_chain')
    .values({
      sequence: document.sequence,
      entry_id: documentId(crypto, document),
      kind,
      task_id: taskId,
      attempt_id: attemptId,
      entry,
      at: document.atMs,
    })
    .execute();
  await trx
    .insertInto('network_statements')
    .values({
      attempt_id: attemptId,
      kind,
      statement_id: document.statement,
      document: canonicalText(signed),
    })
    .execute();
  return { entry, sequence: document.sequence };
}

function canonicalText(value: unknown): string {
  return textOf(encodeDocument(value), 'a document');
}

/** C4: the signed reveals of a task, canonical JSON, in the order of the chain; none before its end. */
export async function revealsOf(database: Database, taskId: TaskId): Promise<string[]> {
  const rows = await database
    .selectFrom('network_statements')
    .innerJoin('network_replicas', 'network_replicas.attempt_id', 'network_statements.attempt_id')
    .innerJoin('network_tasks', 'network_tasks.task_id', 'network_replicas.task_id')
    .select(['network_statements.document', 'network_tasks.state'])
    .where('network_replicas.task_id', '=', taskId)
    .where('network_statements.kind', '=', 'reveal')
    .orderBy('network_replicas.reveal_sequence')
    .execute();
  return rows.filter(({ state }) => isFinal(state)).map(({ document }) => document);
}
