/**
 * From the ranking to the nodes that get a replica: best first, each operator once, and no dataset
 * shown to more operators than its owner lets see it.
 */

import type { NodeId } from '@helixmesh/protocol';
import { z } from 'zod';
import { type DatasetId, nodeIdSchema } from '../ids.ts';
import { CANDIDATES_MAX, REDUNDANCY_MAX } from '../limits.ts';
import type { NodeFacts } from '../node/facts.ts';
import type { PreparedRequest } from './prepared.ts';
import type { Ranking } from './rank.ts';

export const outcomeSchema = z.strictObject({
  /**
   * `placed`: as many replicas as asked for. `run_once`: one, because there are too few lawful
   * operators and the job chose so; its receipt says that nobody checked. `wait`: none.
   */
  status: z.enum(['placed', 'run_once', 'wait']),
  /** Best first. */
  chosen: z.array(nodeIdSchema).max(REDUNDANCY_MAX),
  /** Nodes that met every constraint. */
  lawful: z.int().min(0).max(CANDIDATES_MAX),
});
export type Outcome = z.infer<typeof outcomeSchema>;

export function choose(ranking: Ranking, prepared: PreparedRequest): Outcome {
  const { replicas, onShortfall, takenOperators } = prepared.request;
  const lawful = ranking.order.length;
  const found = take(ranking, prepared, replicas);
  if (found.length === replicas) return { status: 'placed', chosen: found, lawful };
  const best = found[0];
  // A task that has replicas elsewhere is not run once: it waits for the one that is missing.
  const isFirst = takenOperators.length === 0;
  if (onShortfall === 'run_once' && isFirst && best !== undefined) {
    return { status: 'run_once', chosen: [best], lawful };
  }
  return { status: 'wait', chosen: [], lawful };
}

function take({ nodes, order }: Ranking, prepared: PreparedRequest, count: number): NodeId[] {
  const operators = new Set<string>();
  const roomLeft = prepared.inputs.map(
    ({ input, plaintextOperators }) => input.policy.plaintextOperatorsMax - plaintextOperators.size,
  );
  const chosen: NodeId[] = [];
  for (const place of order) {
    if (chosen.length === count) break;
    const facts = nodes[place]?.facts;
    if (facts === undefined || operators.has(facts.operator)) continue;
    const newFor = inputsNewTo(facts, prepared);
    if (newFor.some((input) => (roomLeft[input] ?? 0) <= 0)) continue;
    for (const input of newFor) roomLeft[input] = (roomLeft[input] ?? 0) - 1;
    operators.add(facts.operator);
    chosen.push(facts.nodeId);
  }
  return chosen;
}

/** Places of the inputs whose plaintext the node's operator has not seen. */
function inputsNewTo({ operator }: NodeFacts, { inputs }: PreparedRequest): number[] {
  return inputs.flatMap(({ plaintextOperators }, index) =>
    plaintextOperators.has(operator) ? [] : [index],
  );
}

/** Datasets that must come to the node before the task starts; none on a second run there. */
export function inputsToFetch(nodeId: NodeId, { inputs }: PreparedRequest): DatasetId[] {
  return inputs.flatMap(({ holders, input }) => (holders.has(nodeId) ? [] : [input.datasetId]));
}
