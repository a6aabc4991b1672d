/**
 * Great-circle distance between places, and what it says about round-trip times.
 *
 * The sphere has the IUGG mean radius; against the WGS-84 ellipsoid that the seed's `geodesic` uses,
 * the difference is below 0.6 %, which moves a score by less than 0.6 of 100 points. Distances are
 * whole kilometres, so that what is recorded is what was used.
 */
import { z } from 'zod';

export const locationSchema = z.strictObject({
  /** Degrees north. */
  latitude: z.number().min(-90).max(90),
  /** Degrees east. */
  longitude: z.number().min(-180).max(180),
});
export type Location = z.infer<typeof locationSchema>;

/** IUGG mean radius R1 = (2a + b) / 3 of WGS-84 (Moritz 2000), km. */
const EARTH_RADIUS_KM = 6_371.0088;
/** Light in vacuum, km/ms: no answer comes back sooner. */
const LIGHT_KM_PER_MS = 299.792458;
/** Light in fibre, km/ms (refractive index 1.47). */
const FIBRE_KM_PER_MS = 204;
/** How much longer a route is than the great circle; generous, as an estimate may disqualify. */
const ROUTE_FACTOR = 2;
/** Last mile and switching at both ends, ms. */
const ROUTE_FIXED_MS = 5;

/** A place on the unit sphere. */
export interface UnitVector {
  readonly x: number;
  readonly y: number;
  readonly z: number;
}

export function unitVector({ latitude, longitude }: Location): UnitVector {
  const phi = (latitude * Math.PI) / 180;
  const lambda = (longitude * Math.PI) / 180;
  return {
    x: Math.cos(phi) * Math.cos(lambda),
    y: Math.cos(phi) * Math.sin(lambda),
    z: Math.sin(phi),
  };
}

/** Whole kilometres along the great circle. The chord is exact for near places, unlike the cosine. */
export function distanceKm(a: UnitVector, b: UnitVector): number {
  const dx = a.x - b.x;
  const dy = a.y - b.y;
  const dz = a.z - b.z;
  const halfChord = Math.min(1, Math.sqrt(dx * dx + dy * dy + dz * dz) / 2);
  return Math.round(2 * EARTH_RADIUS_KM * Math.asin(halfChord));
}

/** Round-trip time that a path of this length has on an ordinary route, whole ms. */
export function estimatedRttMs(km: number): number {
  return Math.ceil(ROUTE_FIXED_MS + (2 * km * ROUTE_FACTOR) / FIBRE_KM_PER_MS);
}

/** One round trip to a node, measured from a place that is known. */
export interface RttObservation {
  readonly from: Location;
  readonly rttMs: number;
}

/** False when an answer came back faster than light could from where the node says it is. */
export function isLocationPlausible(
  claimed: Location,
  observations: readonly RttObservation[],
): boolean {
  const place = unitVector(claimed);
  return observations.every(
    ({ from, rttMs }) =>
      // A kilometre less, as distances are rounded.
      rttMs >= (2 * (distanceKm(place, unitVector(from)) - 1)) / LIGHT_KM_PER_MS,
  );
}
