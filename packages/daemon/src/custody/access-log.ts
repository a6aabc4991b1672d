/**
 * The access log of a custody: each request for keys, what it was for, and its outcome with every
 * reason. The owner reads it; it holds ids and accounts, no file names.
 *
 * An entry is written in the transaction that decides, so that no key leaves without its entry.
 * Releases are kept for ever; of refusals, which strangers can cause, the latest ones.
 */
import type { Digest, NodeId } from '@helixmesh/protocol';
import type { Purpose } from '@helixmesh/protocol/sealing';
import type { CustodyParts } from './custody.ts';
import { LOG_ENTRIES_LISTED, REFUSALS_KEPT_MAX } from './limits.ts';
import type { ReleaseReason } from './release-reasons.ts';

export interface NewAccess {
  readonly who: string;
  readonly dataset: Digest;
  /** The grant that the release rests on, or that was offered. */
  readonly grant: Digest | null;
  readonly purpose: Purpose;
  /** Name of the task of a job that it was for; null for what a person asked. */
  readonly task: string | null;
  readonly outcome: 'released' | 'refused';
  /** None for a release. */
  readonly reasons: readonly ReleaseReason[];
}

export interface AccessEntry extends NewAccess {
  /** Rises from entry to entry. */
  readonly sequence: number;
  readonly atMs: number;
  /** Who got keys for a task, and so sees the plaintext; null for a refusal and for a person. */
  readonly node: { readonly nodeId: NodeId; readonly operator: string } | null;
}

export interface AccessLog {
  /** Latest first. `before`: the entries that come after the one of that sequence in this order. */
  accessLog(options?: {
    readonly dataset?: Digest;
    readonly before?: number;
    readonly limit?: number;
  }): AccessEntry[];
}

interface Row {
  sequence: number;
  at: number;
  who: string;
  dataset: string;
  grant_id: string | null;
  pipeline: string;
  is_commercial: number;
  zone: string;
  task: string | null;
  outcome: 'released' | 'refused';
  reasons: string;
  node: string | null;
  operator: string | null;
}

const COLUMNS = 'access_log.*, node, operator';
const ENTRIES = 'access_log LEFT JOIN task_releases USING (sequence)';

export function accessLog({ database }: CustodyParts): AccessLog {
  return {
    accessLog({ dataset, before, limit = LOG_ENTRIES_LISTED } = {}) {
      const last = before ?? Number.MAX_SAFE_INTEGER;
      const order = 'ORDER BY sequence DESC LIMIT ?';
      const rows =
        dataset === undefined
          ? database.all<Row>(
              `SELECT ${COLUMNS} FROM ${ENTRIES} WHERE sequence < ? ${order}`,
              last,
              limit,
            )
          : database.all<Row>(
              `SELECT ${COLUMNS} FROM ${ENTRIES}
               WHERE access_log.dataset = ? AND sequence < ? ${order}`,
              dataset,
              last,
              limit,
            );
      return rows.map(entryOf);
    },
  };
}

/** How often old refusals are looked for, in entries. */
const PRUNE_EVERY = 1_000;

/** Writes one entry, within the transaction of the caller; answers its sequence. */
export function logAccess({ database, now }: CustodyParts, access: NewAccess): number {
  const { purpose } = access;
  const row = database.get<{ sequence: number }>(
    `INSERT INTO access_log
     (at, who, dataset, grant_id, pipeline, is_commercial, zone, task, outcome, reasons)
     VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?) RETURNING sequence`,
    now(),
    access.who,
    access.dataset,
    access.grant,
    purpose.pipeline,
    purpose.isCommercial ? 1 : 0,
    purpose.zone,
    access.task,
    access.outcome,
    JSON.stringify(access.reasons),
  );
  const sequence = row?.sequence ?? 0;
  if (sequence % PRUNE_EVERY === 0) pruneRefusals(database);
  return sequence;
}

function pruneRefusals(database: CustodyParts['database']): void {
  database.run(
    `DELETE FROM access_log WHERE outcome = 'refused' AND sequence <=
     (SELECT sequence FROM access_log WHERE outcome = 'refused'
      ORDER BY sequence DESC LIMIT 1 OFFSET ?)`,
    REFUSALS_KEPT_MAX,
  );
}

function entryOf(row: Row): AccessEntry {
  const { node, operator } = row;
  return {
    sequence: row.sequence,
    atMs: row.at,
    node: node === null || operator === null ? null : { nodeId: node as NodeId, operator },
    who: row.who,
    dataset: row.dataset as Digest,
    grant: row.grant_id as Digest | null,
    purpose: { pipeline: row.pipeline, isCommercial: row.is_commercial === 1, zone: row.zone },
    task: row.task,
    outcome: row.outcome,
    reasons: JSON.parse(row.reasons) as ReleaseReason[],
  };
}
