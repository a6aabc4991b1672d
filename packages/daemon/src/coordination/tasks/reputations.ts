/**
 * What finished tasks say about nodes, for each set of tools: kept with the verdicts, in the same
 * transaction, so that each counts once. The rules are the scheduler's (`quorum/reputation.ts`).
 */
import type { AttemptId, NodeId } from '@helixmesh/protocol';
import { applyVerdict, type ReplicaVerdict, type Reputation } from '@helixmesh/scheduler';
import type { Database } from '../../sql/database.ts';
import type { LoadedTask } from './advance.ts';

/** Of all nodes, by their id. */
export async function reputationsOf(database: Database): Promise<Map<NodeId, Reputation[]>> {
  const rows = await database.selectFrom('network_reputations').selectAll().execute();
  return Map.groupBy(
    rows.map((row) => ({
      nodeId: row.node_id as NodeId,
      toolSet: row.tool_set,
      consecutiveValid: row.consecutive_valid,
      invalid: row.invalid,
    })),
    ({ nodeId }) => nodeId,
  );
}

/** The verdicts of one task that has come to an agreement. */
export async function noteVerdicts(
  trx: Database,
  { task, replicas }: LoadedTask,
  quorum: { readonly isChecked: boolean; readonly verdicts: readonly ReplicaVerdict[] },
): Promise<void> {
  const placed = await trx
    .selectFrom('network_decisions')
    .select('tool_set')
    .where('task_id', '=', task.task_id)
    .where('generation', '=', task.generation)
    .where('status', '!=', 'wait')
    .executeTakeFirst();
  if (placed === undefined) return;
  const nodes = new Map(replicas.map((row) => [row.attempt_id as AttemptId, row.node_id]));
  for (const { attemptId, verdict } of quorum.verdicts) {
    const nodeId = nodes.get(attemptId);
    if (verdict === 'none' || nodeId === undefined) continue;
    const before = await reputationOf(trx, nodeId as NodeId, placed.tool_set);
    const after = applyVerdict(before, { verdict, isCompared: quorum.isChecked });
    const change = { consecutive_valid: after.consecutiveValid, invalid: after.invalid };
    await trx
      .insertInto('network_reputations')
      .values({ node_id: nodeId, tool_set: placed.tool_set, ...change })
      .onConflict((conflict) => conflict.columns(['node_id', 'tool_set']).doUpdateSet(change))
      .execute();
  }
}

async function reputationOf(trx: Database, nodeId: NodeId, toolSet: string): Promise<Reputation> {
  const row = await trx
    .selectFrom('network_reputations')
    .select(['consecutive_valid', 'invalid'])
    .where('node_id', '=', nodeId)
    .where('tool_set', '=', toolSet)
    .executeTakeFirst();
  const { consecutive_valid = 0, invalid = 0 } = row ?? {};
  return { nodeId, toolSet, consecutiveValid: consecutive_valid, invalid };
}
