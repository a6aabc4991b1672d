import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { distanceKm, unitVector } from '../geo/distance.ts';
import { datasetIdSchema } from '../ids.ts';
import { CITIES, inputOf, NOW_MS, nodeIdOf, nodeOf, requestOf } from '../testing/fleet.ts';
import { decide } from './decision.ts';
import { fleetOf } from './rank.ts';
import type { PlacementInput } from './request.ts';
import { DEFAULT_POLICY, SCORE_MAX, scoreOf, weightedPolicySchema } from './weighted.ts';

const km = (a: keyof typeof CITIES, b: keyof typeof CITIES) =>
  distanceKm(unitVector(CITIES[a]), unitVector(CITIES[b]));

function evaluated(inputs: readonly PlacementInput[], node = nodeOf(1)) {
  const request = requestOf({ inputs: [...inputs], maxDataLatencyMs: null });
  const fleet = fleetOf([node]);
  const record = decide({ fleet, request, policy: DEFAULT_POLICY, nowMs: NOW_MS });
  return record.candidates[0] ?? assert.fail('the node was not evaluated');
}

test('the score is the formula of the seed', () => {
  const distance = fc.nat({ max: 20_038 });
  const uptime = fc.nat({ max: 10_000 });
  fc.assert(
    fc.property(distance, distance, uptime, (userKm, dataKm, uptimeBps) => {
      const terms = {
        latency: Math.max(0, 10_000 - userKm),
        bandwidth: Math.max(0, 10_000 - dataKm),
        resources: 10_000,
        reliability: uptimeBps,
        cost: 10_000,
      };
      const seed =
        Math.max(0, 100 - userKm / 100) * 0.3 +
        Math.max(0, 100 - dataKm / 100) * 0.2 +
        100 * 0.3 +
        (uptimeBps / 100) * 0.1 +
        100 * 0.1;
      assert.ok(Math.abs(scoreOf(terms, DEFAULT_POLICY) / 10_000 - seed) < 1e-9);
    }),
  );
});

test('terms are those of the node: near is good, full uptime is good', () => {
  const { terms, score } = evaluated([inputOf()], nodeOf(1, { uptimeBps: 9_500 }));
  assert.deepEqual(terms, {
    latency: 10_000 - km('berlin', 'lisbon'),
    bandwidth: 10_000,
    resources: 10_000,
    reliability: 9_500,
    cost: 10_000,
  });
  assert.equal(score, 30 * (10_000 - km('berlin', 'lisbon')) + 20e4 + 30e4 + 9.5e4 + 10e4);
});

test('several inputs count by size, each from its nearest copy', () => {
  const near = inputOf({ sizeBytes: 2 ** 30 });
  const far = inputOf({
    datasetId: datasetIdSchema.parse('dataset-2'),
    sizeBytes: 3 * 2 ** 30,
    places: [
      { nodeId: null, location: CITIES.tokyo },
      { nodeId: null, location: CITIES.athens },
    ],
  });
  const mean = Math.round((3 * km('berlin', 'athens')) / 4);
  assert.equal(evaluated([near, far]).terms?.bandwidth, 10_000 - mean);
});

test('a copy on the node counts as here, one of unknown place as far away', () => {
  const here = inputOf({ places: [{ nodeId: nodeIdOf(1), location: CITIES.tokyo }] });
  const unknown = inputOf({ places: [{ nodeId: null, location: null }] });
  assert.equal(evaluated([here]).terms?.bandwidth, 10_000);
  assert.equal(evaluated([unknown]).terms?.bandwidth, 0);
  assert.equal(evaluated([here, unknown]).terms?.bandwidth, 0);
  assert.equal(evaluated([]).terms?.bandwidth, 10_000);
});

test('weights that do not add up to 100 are refused', () => {
  assert.ok(weightedPolicySchema.safeParse(DEFAULT_POLICY).success);
  const weights = { ...DEFAULT_POLICY.weights, cost: 11 };
  assert.equal(weightedPolicySchema.safeParse({ name: 'weighted', weights }).success, false);
  const all = { latency: 100, bandwidth: 0, resources: 0, reliability: 0, cost: 0 };
  const best = { latency: 1e4, bandwidth: 1e4, resources: 1e4, reliability: 1e4, cost: 1e4 };
  assert.equal(scoreOf(best, { name: 'weighted', weights: all }), SCORE_MAX);
});
