/**
 * Ranking: constraints, then score, for every node of a fleet.
 *
 *   K1  The order of nodes in a fleet is that of their ids, so nothing depends on the order in which
 *       they were given.
 *   K2  Lawful nodes are ranked by score, equal scores by node id.
 */
import { AppError } from '@helixmesh/protocol';
import { type UnitVector, unitVector } from '../geo/distance.ts';
import { compareIds, type NodeId } from '../ids.ts';
import { CANDIDATES_MAX } from '../limits.ts';
import type { NodeFacts } from '../node/facts.ts';
import { failuresOf } from './constraints.ts';
import type { Failure } from './failure.ts';
import { type MeasuredRtt, type Paths, pathsOf } from './paths.ts';
import type { PreparedRequest } from './prepared.ts';
import { SCORE_MAX, scoreOf, type Terms, termsOf, type WeightedPolicy } from './weighted.ts';

export interface FleetNode {
  readonly nodeId: NodeId;
  readonly facts: NodeFacts;
  readonly place: UnitVector | null;
}

/** Nodes in the order of their ids, each once. */
export type Fleet = readonly FleetNode[];

export interface Evaluation {
  readonly facts: NodeFacts;
  readonly paths: Paths;
  readonly failed: readonly Failure[];
  /** Null for a node that fails a constraint. */
  readonly terms: Terms | null;
  /** 0–1,000,000; null for a node that fails a constraint. */
  readonly score: number | null;
}

export interface Ranking {
  /** Every node, in the order of the ids. */
  readonly evaluations: readonly Evaluation[];
  /** Places in `evaluations` of the lawful nodes, best first. */
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

export function rank(
  fleet: Fleet,
  request: PreparedRequest,
  policy: WeightedPolicy,
  measured: ReadonlyMap<NodeId, MeasuredRtt> = new Map(),
): Ranking {
  return ranked(
    fleet.map((node) => {
      const paths = pathsOf(node, request, measured.get(node.nodeId));
      return evaluate(node.facts, paths, request, policy);
    }),
  );
}

export function evaluate(
  facts: NodeFacts,
  paths: Paths,
  request: PreparedRequest,
  policy: WeightedPolicy,
): Evaluation {
  const failed = failuresOf(facts, paths, request);
  if (failed.length > 0) return { facts, paths, failed, terms: null, score: null };
  const terms = termsOf(facts, paths, request);
  return { facts, paths, failed, terms, score: scoreOf(terms, policy) };
}

/** `evaluations` stand in the order of the ids. */
export function ranked(evaluations: readonly Evaluation[]): Ranking {
  // One number holds score and place, so that a numeric sort of a typed array does K2.
  const keys = new Float64Array(evaluations.length);
  let lawful = 0;
  for (let place = 0; place < evaluations.length; place++) {
    const score = evaluations[place]?.score ?? null;
    if (score !== null) keys[lawful++] = (SCORE_MAX - score) * KEY_PLACES + place;
  }
  const order = Array.from(keys.subarray(0, lawful).sort(), (key) => key % KEY_PLACES);
  return { evaluations, order };
}

/** Above every place; (SCORE_MAX + 1) × KEY_PLACES is 1.0 × 10¹², far below 2⁵³. */
const KEY_PLACES = 2 ** 20;
