import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { CITIES } from '../testing/fleet.ts';
import {
  distanceKm,
  estimatedRttMs,
  isLocationPlausible,
  type Location,
  unitVector,
} from './distance.ts';
import { isZoneIn, zoneSchema } from './zones.ts';

const km = (a: Location, b: Location) => distanceKm(unitVector(a), unitVector(b));

const place = fc.record({
  latitude: fc.double({ min: -90, max: 90, noNaN: true }),
  longitude: fc.double({ min: -180, max: 180, noNaN: true }),
});

/** Great-circle distances by the WGS-84 ellipsoid (Karney), km, to which the sphere is compared. */
const GEODESIC: readonly (readonly [Location, Location, number])[] = [
  // Vincenty's and Karney's textbook pairs: a degree of the equator, pole to equator, antipodes.
  [{ latitude: 0, longitude: 0 }, { latitude: 0, longitude: 1 }, 111.3195],
  [{ latitude: 90, longitude: 0 }, { latitude: 0, longitude: 0 }, 10_001.9657],
  [{ latitude: 90, longitude: 0 }, { latitude: -90, longitude: 0 }, 20_003.9315],
];

test('distances are within 0.6 % of the ellipsoid', () => {
  for (const [a, b, expected] of GEODESIC) {
    assert.ok(Math.abs(km(a, b) - expected) <= 0.006 * expected + 0.5, `${km(a, b)} ${expected}`);
  }
});

test('distance is the same both ways, 0 to itself and at most half the circumference', () => {
  fc.assert(
    fc.property(place, place, (a, b) => {
      const there = km(a, b);
      assert.equal(there, km(b, a));
      assert.equal(km(a, a), 0);
      assert.ok(Number.isInteger(there) && there >= 0 && there <= 20_016);
    }),
  );
});

test('agrees with the haversine formula', () => {
  const rad = (degrees: number) => (degrees * Math.PI) / 180;
  fc.assert(
    fc.property(place, place, (a, b) => {
      const h =
        Math.sin(rad(b.latitude - a.latitude) / 2) ** 2 +
        Math.cos(rad(a.latitude)) *
          Math.cos(rad(b.latitude)) *
          Math.sin(rad(b.longitude - a.longitude) / 2) ** 2;
      const expected = 2 * 6_371.0088 * Math.asin(Math.min(1, Math.sqrt(h)));
      assert.ok(Math.abs(km(a, b) - expected) < 0.6);
    }),
  );
});

test('an answer faster than light shows a wrong place; an ordinary route does not', () => {
  const from = CITIES.athens;
  assert.equal(isLocationPlausible(CITIES.singapore, []), true);
  assert.equal(isLocationPlausible(CITIES.singapore, [{ from, rttMs: 40 }]), false);
  fc.assert(
    fc.property(place, place, (claimed, observer) => {
      const rttMs = estimatedRttMs(km(claimed, observer));
      assert.ok(isLocationPlausible(claimed, [{ from: observer, rttMs }]));
    }),
  );
});

test('a part lies in its country, and a country in no group that nobody stated', () => {
  const isWithin = (inner: string, outer: string) => isZoneIn(inner, new Set([outer]));
  for (const outer of ['DE-BY', 'DE']) assert.ok(isWithin('DE-BY', outer), outer);
  for (const [inner, outer] of [
    ['DE', 'DE-BY'],
    ['DE-BW', 'DE-BY'],
    ['DE', 'EU'],
    ['EU', 'DE'],
  ] as const) {
    assert.equal(isWithin(inner, outer), false, `${inner} in ${outer}`);
  }
  assert.ok(isZoneIn('SG', new Set(['EU', 'SG'])));
  assert.equal(isZoneIn('SG', new Set()), false);
  for (const zone of ['', 'eu', 'EUR', 'DE-', 'DE-BYRN', 'any']) {
    assert.equal(zoneSchema.safeParse(zone).success, false, zone);
  }
});
