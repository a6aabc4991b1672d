/**
 * Ranking: hard constraints, then score, for every node of a fleet.
 *
 *   K1  The order of nodes in a fleet is that of their ids, so nothing depends on the order in which
 *       they were given.
 *   K2  Lawful nodes are ranked by score, equal scores by node id.
 */

import type { NodeId } from '@helixmesh/protocol';
import { AppError } from '@helixmesh/protocol';
import { type UnitVector, unitVector } from '../geo/distance.ts';
import { compareIds } from '../ids.ts';
import { CANDIDATES_MAX } from '../limits.ts';
import type { NodeFacts } from '../node/facts.ts';
import { isFit, isNear } from './constraints.ts';
import { type MeasuredRtt, pathsBuffer, pathsInto } from './paths.ts';
import type { PreparedRequest } from './prepared.ts';
import { SCORE_MAX, scoreOf, termsOf, type WeightedPolicy } from './weighted.ts';

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
  /** Places in `nodes` of the lawful ones, best first. */
  readonly order: readonly number[];
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
  return { nodes: fleet, order: orderOf(scores) };
}

/**
 * K2: places of the scores, best first, those that are null left out. `scores` stand in the order of
 * the ids.
 */
export function orderOf(scores: readonly (number | null)[]): number[] {
  // One number holds score and place, so that a numeric sort of a typed array does it.
  const keys = new Float64Array(scores.length);
  let lawful = 0;
  for (let place = 0; place < scores.length; place++) {
    const score = scores[place] ?? null;
    if (score !== null) keys[lawful++] = (SCORE_MAX - score) * KEY_PLACES + place;
  }
  const order: number[] = [];
  for (const key of keys.subarray(0, lawful).sort()) {
    order.push(key - Math.floor(key / KEY_PLACES) * KEY_PLACES);
  }
  return order;
}

/** Above every place; (SCORE_MAX + 1) × KEY_PLACES is 1.0 × 10¹², far below 2⁵³. */
const KEY_PLACES = 2 ** 20;
