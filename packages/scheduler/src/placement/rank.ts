/**
 * Ranking: hard constraints, then score, for every node of a fleet.
 *
 *   K1  The order of nodes in a fleet is that of their ids, so nothing depends on the order in which
 *       they were given.
 *   K2  Lawful nodes are ranked by score; equal scores by the tie of task and node, equal ties by
 *       node id.
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
import { tieOf } from './tie.ts';
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
  const tie = ({ nodeId }: FleetNode) => tieOf(request.tieSeed, nodeId);
  return { nodes: fleet, order: orderOf(scores, (place) => tie(fleet[place] as FleetNode)) };
}

/**
 * K2: places of the scores, best first, those that are null left out. `scores` stand in the order of
 * the ids; `tieAt` is asked for places with equal scores only.
 */
export function orderOf(
  scores: readonly (number | null)[],
  tieAt: (place: number) => number,
): number[] {
  const keys = new Float64Array(scores.length);
  let lawful = 0;
  for (let place = 0; place < scores.length; place++) {
    const score = scores[place] ?? null;
    if (score !== null) keys[lawful++] = keyOf(SCORE_MAX - score, place);
  }
  const sorted = keys.subarray(0, lawful).sort();
  for (let start = 0, end = 0; start < lawful; start = end) {
    const rank = rankOf(sorted[start] ?? 0);
    for (end = start + 1; end < lawful && rankOf(sorted[end] ?? 0) === rank; ) end++;
    if (end - start > 1) breakTies(sorted.subarray(start, end), tieAt);
  }
  return Array.from(sorted, placeOf);
}

/** Puts places of equal score in the order of their ties. */
function breakTies(equal: Float64Array, tieAt: (place: number) => number): void {
  for (const [index, key] of equal.entries()) {
    const place = placeOf(key);
    equal[index] = keyOf(tieAt(place), place);
  }
  equal.sort();
}

/**
 * One number holds rank and place, so that a numeric sort of a typed array does it. Ranks are below
 * 2³² (scores and ties) and places below 2²⁰, so that it is exact.
 */
function keyOf(rank: number, place: number): number {
  return rank * KEY_PLACES + place;
}

function rankOf(key: number): number {
  return Math.floor(key / KEY_PLACES);
}

function placeOf(key: number): number {
  return key - rankOf(key) * KEY_PLACES;
}

const KEY_PLACES = 2 ** 20;
