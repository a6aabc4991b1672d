/**
 * The signed records of decisions: kept when they are made, read by the parties.
 *
 * Invariants
 * D1  A decision that placed something has its record for good; of those of a task that found too few
 *     lawful nodes there is the last one.
 * D2  Records are told to the job's requester, to nodes that a decision chose, and to the coordinator's
 *     own key. Whoever else asks hears that there is no such job.
 */
import { gzipSync } from 'node:zlib';
import type { Digest, TaskId } from '@helixmesh/protocol';
import {
  documentId,
  encodeDocument,
  PLACEMENTS_LISTED_MAX,
  type PlacementExplanation,
  signWithKey,
  textOf,
  toBase64,
  utf8,
} from '@helixmesh/protocol/sealing';
import { type Decision, PLACEMENT_TYPE, type Placement, toolSetOf } from '@helixmesh/scheduler';
import type { Caller } from '../../network/caller.ts';
import type { Database } from '../../sql/database.ts';
import type { NetworkDecisionsTable } from '../../sql/network-tasks-schema.ts';
import { unknown } from './advance.ts';
import type { ChainKeeper } from './commits.ts';
import type { TaskRow } from './rounds.ts';

/** The row of a decision about a task, signed. */
export function recordOf(
  { crypto, network, coordinator, secretKey }: ChainKeeper,
  task: TaskRow,
  decision: Decision,
): NetworkDecisionsTable {
  const document: Placement = {
    type: PLACEMENT_TYPE,
    network,
    coordinator,
    job: task.job_id as Digest,
    taskId: task.task_id as TaskId,
    decision,
  };
  const signed = signWithKey(crypto, secretKey, document);
  return {
    task_id: task.task_id,
    placement_id: documentId(crypto, document),
    job_id: task.job_id,
    generation: task.generation,
    status: decision.outcome.status,
    record: textOf(encodeDocument(signed), 'a record of a placement'),
    tool_set: toolSetOf(decision.request.toolVersions),
    at: decision.decidedAtMs,
  };
}

export async function isKnown(
  trx: Database,
  { task_id, placement_id }: Pick<NetworkDecisionsTable, 'task_id' | 'placement_id'>,
): Promise<boolean> {
  const row = await trx
    .selectFrom('network_decisions')
    .select('placement_id')
    .where('task_id', '=', task_id)
    .where('placement_id', '=', placement_id)
    .executeTakeFirst();
  return row !== undefined;
}

/** D1 */
export async function keepRecord(trx: Database, record: NetworkDecisionsTable): Promise<void> {
  await trx
    .deleteFrom('network_decisions')
    .where('task_id', '=', record.task_id)
    .where('status', '=', 'wait')
    .execute();
  await trx.insertInto('network_decisions').values(record).execute();
}

export interface ExplainOptions {
  /** A job or a task. */
  readonly subject: Digest | TaskId;
  /** Which decision; the newest by default. */
  readonly placement: Digest | undefined;
  readonly caller: Caller;
  readonly keeper: Pick<ChainKeeper, 'coordinator'>;
}

/** D2. Throws OBJECT_NOT_FOUND. */
export async function explain(
  database: Database,
  { subject, placement, caller, keeper }: ExplainOptions,
): Promise<PlacementExplanation> {
  const rows = await database
    .selectFrom('network_decisions')
    .innerJoin('network_jobs', 'network_jobs.job_id', 'network_decisions.job_id')
    .innerJoin('network_tasks', 'network_tasks.task_id', 'network_decisions.task_id')
    .select(['network_decisions.job_id', 'network_decisions.task_id', 'network_jobs.requester'])
    .select('network_tasks.name')
    .select(['network_decisions.placement_id', 'network_decisions.status', 'network_decisions.at'])
    .where((eb) =>
      eb.or([
        eb('network_decisions.job_id', '=', subject),
        eb('network_decisions.task_id', '=', subject),
      ]),
    )
    .orderBy('network_decisions.at', 'desc')
    .orderBy('network_decisions.placement_id')
    .limit(PLACEMENTS_LISTED_MAX)
    .execute();
  const told = (await mayRead(database, rows[0], { caller, keeper })) ? rows : [];
  const asked = told.find((row) => placement === undefined || row.placement_id === placement);
  if (asked === undefined) throw unknown('job');
  const { record } = await database
    .selectFrom('network_decisions')
    .select('record')
    .where('task_id', '=', asked.task_id)
    .where('placement_id', '=', asked.placement_id)
    .executeTakeFirstOrThrow();
  return {
    placements: told.map((row) => ({
      placement: row.placement_id as Digest,
      jobId: row.job_id as Digest,
      taskId: row.task_id as TaskId,
      task: row.name,
      status: row.status,
      atMs: row.at,
    })),
    record: toBase64(gzipSync(utf8(record))),
  };
}

async function mayRead(
  database: Database,
  job: { readonly job_id: string; readonly requester: string } | undefined,
  { caller, keeper }: Pick<ExplainOptions, 'caller' | 'keeper'>,
): Promise<boolean> {
  if (job === undefined || caller.kind === 'nobody') return false;
  if (caller.kind === 'account') return caller.account === job.requester;
  if (caller.nodeId === keeper.coordinator) return true;
  const chosen = await database
    .selectFrom('network_replicas')
    .innerJoin('network_tasks', 'network_tasks.task_id', 'network_replicas.task_id')
    .select('network_replicas.attempt_id')
    .where('network_tasks.job_id', '=', job.job_id)
    .where('network_replicas.node_id', '=', caller.nodeId)
    .executeTakeFirst();
  return chosen !== undefined;
}
