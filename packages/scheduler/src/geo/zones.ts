/**
 * Legal zones: ISO 3166-1 countries, their subdivisions (ISO 3166-2) and two groups of countries
 * whose data-protection law is one (GDPR; EEA Agreement, Annex XI).
 *
 * A zone is what an operator states and somebody attests; nothing here derives it from a place.
 */
import { z } from 'zod';

const EU = 'AT BE BG CY CZ DE DK EE ES FI FR GR HR HU IE IT LT LU LV MT NL PL PT RO SE SI SK';

/** Members of each group. A country missing here makes lawful nodes unusable, never the reverse. */
const GROUPS: ReadonlyMap<string, ReadonlySet<string>> = new Map([
  ['EU', new Set(EU.split(' '))],
  ['EEA', new Set([...EU.split(' '), 'EU', 'IS', 'LI', 'NO'])],
]);

export const ZONE_PATTERN = /^([A-Z]{2}(-[A-Z0-9]{1,3})?|EEA)$/;
export const zoneSchema = z.string().regex(ZONE_PATTERN);

/** True when everything in zone `inner` is in zone `outer`: DE-BY in DE, in EU, in EEA. */
export function isZoneWithin(inner: string, outer: string): boolean {
  if (inner === outer) return true;
  const country = inner.split('-')[0] ?? inner;
  return country === outer || (GROUPS.get(outer)?.has(country) ?? false);
}
