/**
 * The record of a placement: the request, every candidate with the facts that were used, each failed
 * constraint, each term, what breaks ties, and the choice. Its canonical JSON is what a coordinator
 * signs.
 *
 *   D1  The same nodes, request, policy and time give the same bytes, in whatever order the nodes
 *       were given.
 *   D2  `replay` needs nothing but the record, and comes to the same choice.
 *   D3  The record holds datasets and the requester's place: it is for the parties, and never part of
 *       a log or of the public record.
 */

import type { NodeId } from '@helixmesh/protocol';
import { AppError, canonicalJson } from '@helixmesh/protocol';
import { z } from 'zod';
import { compareIds } from '../ids.ts';
import { CANDIDATES_MAX, DECISION_MAX_BYTES } from '../limits.ts';
import { type NodeFacts, nodeFactsSchema } from '../node/facts.ts';
import { bestFirst } from './best-first.ts';
import { choose, type Outcome, outcomeSchema } from './choose.ts';
import { failuresOf } from './constraints.ts';
import { failureSchema } from './failure.ts';
import { type MeasuredRtt, pathsBuffer, pathsInto, pathsSchema } from './paths.ts';
import { type PreparedRequest, prepare } from './prepared.ts';
import { checkCandidates, type Fleet, rank } from './rank.ts';
import { type PlacementRequest, requestSchema } from './request.ts';
import { TIE_MAX, tieOf } from './tie.ts';
import {
  SCORE_MAX,
  scoreOf,
  termsOf,
  termsSchema,
  type WeightedPolicy,
  weightedPolicySchema,
} from './weighted.ts';

const FAILURES_MAX = 1_000;

export const candidateSchema = z.strictObject({
  /** Of the tools and services only those that the request names. */
  facts: nodeFactsSchema,
  paths: pathsSchema,
  failed: z.array(failureSchema).max(FAILURES_MAX),
  terms: termsSchema.nullable(),
  score: z.int().min(0).max(SCORE_MAX).nullable(),
  /** Among candidates of equal score the lowest comes first; like the score null for the unlawful. */
  tie: z.int().min(0).max(TIE_MAX).nullable(),
});
export type Candidate = z.infer<typeof candidateSchema>;

export const decisionSchema = z
  .strictObject({
    type: z.literal('helixmesh/decision'),
    v: z.literal(1),
    decidedAtMs: z.int().min(0),
    policy: weightedPolicySchema,
    request: requestSchema,
    /** In the order of the node ids. */
    candidates: z.array(candidateSchema).max(CANDIDATES_MAX),
    outcome: outcomeSchema,
  })
  .refine(
    ({ candidates, request }) =>
      candidates.every(({ paths }) => paths.inputs.length === request.inputs.length),
    { path: ['candidates'], error: 'a candidate has not one path for each input' },
  );
export type Decision = z.infer<typeof decisionSchema>;

export interface DecideArguments {
  readonly fleet: Fleet;
  readonly request: PlacementRequest;
  readonly policy: WeightedPolicy;
  readonly nowMs: number;
  readonly measured?: ReadonlyMap<NodeId, MeasuredRtt>;
}

/**
 * The choice alone, as fast as it can be made. The record can follow when there is time: for the same
 * arguments `decide` comes to the same choice.
 */
export function place({ fleet, request, policy, nowMs, measured }: DecideArguments): Outcome {
  const prepared = prepare(request, nowMs);
  return choose(rank(fleet, prepared, policy, measured), prepared);
}

/** The choice with everything that led to it. */
export function decide({ fleet, request, policy, nowMs, measured }: DecideArguments): Decision {
  const prepared = prepare(request, nowMs);
  const nodes = fleet.map((node) => ({
    facts: relevantFacts(node.facts, prepared),
    paths: pathsInto(pathsBuffer(prepared), node, prepared, measured?.get(node.nodeId)),
  }));
  return recordOf(nodes, prepared, policy);
}

/** The bytes that are signed: UTF-8 of the canonical JSON. */
export function encodeDecision(decision: Decision): Uint8Array {
  return new TextEncoder().encode(canonicalJson(decision));
}

/** Throws INPUT_MALFORMED for bytes that are not the canonical form of a decision. */
export function decodeDecision(bytes: Uint8Array): Decision {
  if (bytes.length > DECISION_MAX_BYTES) throw malformed(`more than ${DECISION_MAX_BYTES} bytes`);
  const text = textOf(bytes);
  const parsed = decisionSchema.safeParse(jsonOf(text));
  if (!parsed.success) throw malformed(z.prettifyError(parsed.error).slice(0, 500));
  if (canonicalJson(parsed.data) !== text) throw malformed('not in canonical form');
  return parsed.data;
}

export interface Replay {
  /** True when constraints, terms and choice are those of the record. */
  readonly isSame: boolean;
  /** What follows from the recorded facts. */
  readonly decision: Decision;
  /** Nodes whose constraints or terms differ from the record. */
  readonly differing: readonly NodeId[];
}

/** Decides again from the recorded facts. Throws CONFLICT when a node is there twice. */
export function replay(record: Decision): Replay {
  const { policy, request, decidedAtMs } = record;
  const prepared = prepare(request, decidedAtMs);
  const sorted = record.candidates.toSorted((a, b) => compareIds(a.facts.nodeId, b.facts.nodeId));
  checkCandidates(sorted.map(({ facts }) => facts.nodeId));
  const decision = recordOf(sorted, prepared, policy);
  const differing = sorted.flatMap((recorded, index) =>
    verdictText(recorded) === verdictText(decision.candidates[index])
      ? []
      : [recorded.facts.nodeId],
  );
  const isSame =
    differing.length === 0 && canonicalJson(record.outcome) === canonicalJson(decision.outcome);
  return { isSame, decision, differing };
}

/** What was concluded of a candidate, without the facts that it was concluded from. */
function verdictText(candidate: Candidate | undefined): string {
  return canonicalJson({ ...candidate, facts: null, paths: null });
}

type Seen = Pick<Candidate, 'facts' | 'paths'>;

/** `nodes` stand in the order of the ids. */
function recordOf(
  nodes: readonly Seen[],
  prepared: PreparedRequest,
  policy: WeightedPolicy,
): Decision {
  const candidates = nodes.map((node) => evaluated(node, prepared, policy));
  const scores = candidates.map(({ score }) => score);
  const order = bestFirst(scores, (place) => candidates[place]?.tie ?? 0);
  return {
    type: 'helixmesh/decision',
    v: 1,
    decidedAtMs: prepared.nowMs,
    policy,
    request: prepared.request,
    candidates,
    outcome: choose({ nodes: candidates, order }, prepared),
  };
}

function evaluated(
  { facts, paths }: Seen,
  prepared: PreparedRequest,
  policy: WeightedPolicy,
): Candidate {
  const failed = failuresOf(facts, paths, prepared);
  if (failed.length > 0) {
    return { facts, paths, failed: [...failed], terms: null, score: null, tie: null };
  }
  const terms = termsOf(facts, paths, prepared);
  const tie = tieOf(prepared.tieSeed, facts.nodeId);
  return { facts, paths, failed: [], terms, score: scoreOf(terms, policy), tie };
}

/** What the constraints of this request read; a node's other tools are nobody's business here. */
function relevantFacts(facts: NodeFacts, { request, toolSet }: PreparedRequest): NodeFacts {
  const { toolVersions, services } = request;
  return {
    ...facts,
    services: services.filter((service) => facts.services.includes(service)),
    tools: Object.fromEntries(
      Object.entries(facts.tools).filter(([name]) => Object.hasOwn(toolVersions, name)),
    ),
    bannedToolSets: facts.bannedToolSets.filter((banned) => banned === toolSet),
  };
}

function textOf(bytes: Uint8Array): string {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch (cause) {
    throw malformed('not UTF-8', cause);
  }
}

function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw malformed('not JSON', cause);
  }
}

function malformed(why: string, cause?: unknown): AppError {
  return new AppError('INPUT_MALFORMED', `not a record of a placement: ${why}`, {
    hint: 'Give the bytes as the coordinator signed them.',
    cause,
  });
}
