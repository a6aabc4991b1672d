/**
 * Ranking: hard constraints, then score, for every node of a fleet.
 *
 *   K1  The order of nodes in a fleet is that of their ids, so nothing depends on the order in which
 *       they were given.
 *   K2  Lawful nodes are ranked by score; equal scores by the tie of task and node, equal ties by
 *       node id (`best-first.ts`).
 */

import type { NodeId } from '@helixmesh/protocol';
import { AppError } from '@helixmesh/protocol';
import { type UnitVector, unitVector } from '../geo/distance.ts';
import { compareIds } from '../ids.ts';
import { CANDIDATES_MAX } from '../limits.ts';
import type { NodeFacts } from '../node/facts.ts';
import { bestFirst, type Order } from './best-first.ts';
import { isFit, isNear } from './constraints.ts';
import { type MeasuredRtt, pathsBuffer, pathsInto } from './paths.ts';
import type { PreparedRequest } from './prepared.ts';
import { tieOf } from './tie.ts';
import { scoreOf, termsOf, type WeightedPolicy } from './weighted.ts';

export interface FleetNode {
  readonly nodeId: NodeId;
  readonly facts: NodeFacts;
  readonly place: UnitVector | null;
}

/** Nodes in the order of their ids, each once. */
export type Fleet = readonly FleetNode[];

export interface Ranking {
  /** Every node, in the order of the ids. */
  readonly nodes: readonly { readonly facts: NodeFacts }[];
  /** Places in `nodes` of the lawful ones. */
  readonly order: Order;
}

/** Throws USAGE for too many nodes and CONFLICT for one that is there twice. */
export function fleetOf(nodes: readonly NodeFacts[]): Fleet {
  const sorted = nodes.toSorted((a, b) => compareIds(a.nodeId, b.nodeId));
  checkCandidates(sorted.map(({ nodeId }) => nodeId));
  return sorted.map((facts) => ({
    nodeId: facts.nodeId,
    facts,
    place: facts.location === null ? null : unitVector(facts.location),
  }));
}

/** `sorted` are ids in order. Throws USAGE and CONFLICT like `fleetOf`. */
export function checkCandidates(sorted: readonly NodeId[]): void {
  if (sorted.length > CANDIDATES_MAX) {
    throw new AppError('USAGE', `${sorted.length} nodes to rank, at most ${CANDIDATES_MAX}`, {
      hint: 'Rank the nodes of one region.',
    });
  }
  const twice = sorted.find((nodeId, index) => nodeId === sorted[index + 1]);
  if (twice === undefined) return;
  throw new AppError('CONFLICT', `node ${twice} is there twice`, {
    hint: 'Give the latest facts of each node once.',
  });
}

/** The lawful nodes of a fleet, best first. Looks at distances only where all else is met. */
export function rank(
  fleet: Fleet,
  request: PreparedRequest,
  policy: WeightedPolicy,
  measured?: ReadonlyMap<NodeId, MeasuredRtt>,
): Ranking {
  const buffer = pathsBuffer(request);
  const scores = fleet.map((node) => {
    if (!isFit(node.facts, request)) return null;
    const paths = pathsInto(buffer, node, request, measured?.get(node.nodeId));
    if (!isNear(paths, request)) return null;
    return scoreOf(termsOf(node.facts, paths, request), policy);
  });
  const tie = ({ nodeId }: FleetNode) => tieOf(request.tieSeed, nodeId);
  return { nodes: fleet, order: bestFirst(scores, (place) => tie(fleet[place] as FleetNode)) };
}
