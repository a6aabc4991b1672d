import assert from 'node:assert/strict';
import { test } from 'node:test';
import { NOW_MS } from '../testing/fleet.ts';
import { NODES, SCENARIOS } from '../testing/scenarios.ts';
import { inputsToFetch } from './choose.ts';
import { decide, decodeDecision, encodeDecision, replay } from './decision.ts';
import { prepare } from './prepared.ts';
import { fleetOf } from './rank.ts';
import { requestSchema } from './request.ts';
import { DEFAULT_POLICY } from './weighted.ts';

for (const { title, nodes, request, measured, expected } of SCENARIOS) {
  test(title, () => {
    const fleet = fleetOf(nodes);
    const record = decide({ fleet, request, policy: DEFAULT_POLICY, nowMs: NOW_MS, measured });
    assert.deepEqual(record.outcome.chosen, [expected.chosen]);
    const refused = record.candidates
      .filter(({ failed }) => failed.length > 0)
      .map(({ facts, failed }) => [facts.nodeId, failed.map(({ constraint }) => constraint)]);
    assert.deepEqual(Object.fromEntries(refused), expected.refused);
    const prepared = prepare(request, NOW_MS);
    assert.deepEqual(inputsToFetch(expected.chosen, prepared), expected.fetched);
    assert.ok(requestSchema.safeParse(request).success);
    assert.ok(replay(decodeDecision(encodeDecision(record))).isSame);
  });
}

test('with data kept in Europe and no European node, nothing runs', () => {
  const scenario = SCENARIOS.find(({ title }) => title.includes('keeps the data there'));
  assert.ok(scenario !== undefined);
  const fleet = fleetOf(scenario.nodes.filter(({ nodeId }) => nodeId !== NODES.europe));
  const { request, measured } = scenario;
  const record = decide({ fleet, request, policy: DEFAULT_POLICY, nowMs: NOW_MS, measured });
  assert.deepEqual(record.outcome, { status: 'wait', chosen: [], lawful: 0 });
});
