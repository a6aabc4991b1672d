/**
 * Legal zones: `EU`, a country (ISO 3166-1), or a part of one (`US-CA`, ISO 3166-2).
 *
 * Which zones a node is in is what its operator states and somebody attests: nothing here derives a
 * zone from a place, or `EU` from a country.
 */
import { z } from 'zod';

export const ZONE_PATTERN = /^[A-Z]{2}(-[A-Z0-9]{1,3})?$/;
export const zoneSchema = z.string().regex(ZONE_PATTERN);

/** Letters of a country, which a dash parts from its subdivision. */
const COUNTRY_CHARS = 2;

/** True when `zone`, or the country that it is a part of, is among the zones. */
export function isZoneIn(zone: string, zones: ReadonlySet<string>): boolean {
  if (zones.has(zone)) return true;
  return zone.length > COUNTRY_CHARS && zones.has(zone.slice(0, COUNTRY_CHARS));
}
