/**
 * How far a node is from the requester and from the nearest copy of each input. Distances are
 * computed once, when a decision is made, and recorded: replaying uses whole numbers only and does
 * not depend on how a machine computes a sine.
 */

import type { NodeId } from '@helixmesh/protocol';
import { z } from 'zod';
import { distanceKm, estimatedRttMs, type UnitVector } from '../geo/distance.ts';
import { INPUTS_MAX, LATENCY_MAX_MS } from '../limits.ts';
import type { PreparedInput, PreparedRequest } from './prepared.ts';

/** Half of the Earth's circumference, rounded up. */
const KM_MAX = 20_038;

const pathSchema = z.strictObject({
  /** Great circle, whole km; null when a place is not known. */
  km: z.int().min(0).max(KM_MAX).nullable(),
  /** Measured; null when nobody has. */
  rttMs: z.int().min(0).max(LATENCY_MAX_MS).nullable(),
});
export type Path = z.infer<typeof pathSchema>;

export const pathsSchema = z.strictObject({
  user: pathSchema,
  /** In the order of the request's inputs; 0 km and 0 ms where the node holds a copy. */
  inputs: z.array(pathSchema).max(INPUTS_MAX),
});
export type Paths = z.infer<typeof pathsSchema>;

/** Measured round trips of one node, ms; null where nobody has measured. */
export interface MeasuredRtt {
  readonly userMs: number | null;
  /** To the nearest copy of each input of the request. */
  readonly inputMs: readonly (number | null)[];
}

/** Paths to be filled in, for as many inputs as the request has. */
export function pathsBuffer({ inputs }: PreparedRequest): Paths {
  const unknown = (): Path => ({ km: null, rttMs: null });
  return { user: unknown(), inputs: inputs.map(unknown) };
}

/** Fills `buffer`, whose former content is lost, and gives it back. */
export function pathsInto(
  buffer: Paths,
  node: { readonly nodeId: NodeId; readonly place: UnitVector | null },
  prepared: PreparedRequest,
  measured: MeasuredRtt | undefined,
): Paths {
  const { nodeId, place } = node;
  const { user } = buffer;
  user.km = place === null || prepared.user === null ? null : distanceKm(place, prepared.user);
  user.rttMs = wholeMs(measured?.userMs);
  for (let index = 0; index < prepared.inputs.length; index++) {
    const input = prepared.inputs[index];
    const path = buffer.inputs[index];
    if (input === undefined || path === undefined) continue;
    const isHere = input.holders.has(nodeId);
    path.km = isHere ? 0 : place === null ? null : nearestKm(place, input);
    path.rttMs = isHere ? 0 : wholeMs(measured?.inputMs[index]);
  }
  return buffer;
}

/** Rounded up and bounded; what is no time at all is not known. */
function wholeMs(ms: number | null | undefined): number | null {
  if (ms === null || ms === undefined || !(ms >= 0)) return null;
  return Math.min(LATENCY_MAX_MS, Math.ceil(ms));
}

/** Round trip of a path: measured, else estimated from its length; null when neither is known. */
export function latencyMs({ km, rttMs }: Path): number | null {
  if (rttMs !== null) return rttMs;
  return km === null ? null : estimatedRttMs(km);
}

function nearestKm(place: UnitVector, { places }: PreparedInput): number | null {
  let nearest: number | null = null;
  for (const copy of places) {
    const km = distanceKm(place, copy);
    if (nearest === null || km < nearest) nearest = km;
  }
  return nearest;
}
