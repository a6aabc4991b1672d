import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { NodeId } from '@helixmesh/protocol';
import { AppError } from '@helixmesh/protocol';
import fc from 'fast-check';
import { compareIds } from '../ids.ts';
import { DECISION_MAX_BYTES } from '../limits.ts';
import { arbitraryNodes, arbitraryRequest } from '../testing/arbitraries.ts';
import {
  inputOf,
  NOW_MS,
  nodeIdOf,
  nodeOf,
  operatorOf,
  randomFleet,
  requestOf,
} from '../testing/fleet.ts';
import {
  type Decision,
  decide,
  decodeDecision,
  encodeDecision,
  place,
  replay,
} from './decision.ts';
import { fleetOf } from './rank.ts';
import type { PlacementRequest } from './request.ts';
import { DEFAULT_POLICY } from './weighted.ts';

function decided(nodes: Parameters<typeof fleetOf>[0], request: PlacementRequest): Decision {
  return decide({ fleet: fleetOf(nodes), request, policy: DEFAULT_POLICY, nowMs: NOW_MS });
}

/** The same array in an order that `seed` gives. */
function shuffled<T>(items: readonly T[], seed: number): T[] {
  return items
    .map((item, index) => ({ item, key: Math.imul(index + 1, 2_654_435_761 ^ seed) >>> 0 }))
    .toSorted((a, b) => a.key - b.key)
    .map(({ item }) => item);
}

const scene = fc.record({ nodes: arbitraryNodes, request: arbitraryRequest, seed: fc.nat() });

test('the order in which nodes are given changes no byte of the record', () => {
  fc.assert(
    fc.property(scene, ({ nodes, request, seed }) => {
      const bytes = encodeDecision(decided(nodes, request));
      assert.deepEqual(encodeDecision(decided(shuffled(nodes, seed), request)), bytes);
    }),
  );
});

test('replaying a record gives the same choice, also with its candidates in another order', () => {
  let placed = 0;
  fc.assert(
    fc.property(scene, ({ nodes, request, seed }) => {
      const record = decided(nodes, request);
      const again = replay(decodeDecision(encodeDecision(record)));
      assert.ok(again.isSame);
      assert.deepEqual(again.differing, []);
      assert.deepEqual(encodeDecision(again.decision), encodeDecision(record));
      const permuted = { ...record, candidates: shuffled(record.candidates, seed) };
      assert.deepEqual(replay(permuted).decision.outcome, record.outcome);
      assert.ok(replay(permuted).isSame);
      if (record.outcome.chosen.length > 0) placed++;
    }),
  );
  assert.ok(placed > 10, `only ${placed} of the scenes placed anything`);
});

test('the fast choice is the one that the record explains', () => {
  fc.assert(
    fc.property(scene, ({ nodes, request }) => {
      const fleet = fleetOf(nodes);
      const outcome = place({ fleet, request, policy: DEFAULT_POLICY, nowMs: NOW_MS });
      assert.deepEqual(outcome, decided(nodes, request).outcome);
    }),
  );
});

test('what is chosen meets every constraint, once for each operator and under each cap', () => {
  fc.assert(
    fc.property(scene, ({ nodes, request }) => {
      const { candidates, outcome } = decided(nodes, request);
      const chosen = outcome.chosen.map(
        (id) => candidates.find(({ facts }) => facts.nodeId === id) ?? assert.fail(id),
      );
      for (const { failed, score } of chosen) {
        assert.deepEqual(failed, []);
        assert.notEqual(score, null);
      }
      const operators = chosen.map(({ facts }) => facts.operator);
      assert.equal(new Set(operators).size, operators.length);
      for (const { policy, plaintextOperators } of request.inputs) {
        const seen = new Set([...plaintextOperators, ...operators]);
        const isGrown = seen.size > plaintextOperators.length;
        assert.ok(!isGrown || seen.size <= policy.plaintextOperatorsMax);
      }
      const expected = { placed: request.replicas, run_once: 1, wait: 0 }[outcome.status];
      assert.equal(chosen.length, expected);
    }),
  );
});

test('nobody lawful of an operator that is not taken stands before the first choice', () => {
  fc.assert(
    fc.property(scene, ({ nodes, request }) => {
      const { candidates, outcome } = decided(nodes, request);
      const best = candidates
        .filter(({ failed }) => failed.length === 0)
        .toSorted(
          (a, b) =>
            (b.score ?? 0) - (a.score ?? 0) ||
            (a.tie ?? 0) - (b.tie ?? 0) ||
            compareIds(a.facts.nodeId, b.facts.nodeId),
        )
        .at(0)?.facts.nodeId;
      assert.equal(outcome.lawful === 0, best === undefined);
      if (outcome.chosen.length > 0) assert.equal(outcome.chosen[0], best);
    }),
  );
});

test('equal nodes share the tasks, and a record tells why one was taken', () => {
  const nodes = [1, 2, 3, 4].map((n) => nodeOf(n));
  const taken = new Map<string, number>();
  for (let n = 0; n < 400; n++) {
    const record = decided(nodes, requestOf({ taskId: `task-${n}` }));
    const [first = assert.fail()] = record.outcome.chosen;
    const lowest = record.candidates.toSorted((a, b) => (a.tie ?? 0) - (b.tie ?? 0))[0];
    assert.equal(lowest?.facts.nodeId, first);
    assert.ok(replay(decodeDecision(encodeDecision(record))).isSame);
    taken.set(first, (taken.get(first) ?? 0) + 1);
  }
  // 100 each on average; five standard deviations are 43.
  assert.deepEqual(
    nodes.map(({ nodeId }) => Math.abs((taken.get(nodeId) ?? 0) - 100) <= 43),
    [true, true, true, true],
  );
});

test('a tie decides between equal scores only', () => {
  const nodes = [nodeOf(1, { uptimeBps: 9_999 }), nodeOf(2), nodeOf(3, { uptimeBps: 9_999 })];
  for (let n = 0; n < 50; n++) {
    const { outcome } = decided(nodes, requestOf({ taskId: `task-${n}` }));
    assert.deepEqual(outcome.chosen, [nodeIdOf(2)]);
  }
});

test('a record whose tie was changed does not replay', () => {
  const record = decided([nodeOf(1), nodeOf(2)], requestOf());
  const [first = assert.fail(), ...others] = record.candidates;
  const changed = { ...first, tie: ((first.tie ?? 0) + 1) % 2 ** 32 };
  const again = replay({ ...record, candidates: [changed, ...others] });
  assert.deepEqual(again.differing, [nodeIdOf(1)]);
  assert.equal(again.isSame, false);
});

test('too few operators: wait, or run once when the job says so and nothing is placed yet', () => {
  const nodes = [nodeOf(1), nodeOf(2, { operator: operatorOf(1) })];
  const with_ = (change: Partial<PlacementRequest>) =>
    decided(nodes, requestOf({ replicas: 2, ...change })).outcome;
  assert.deepEqual(with_({}), { status: 'wait', chosen: [], lawful: 2 });
  const once = with_({ onShortfall: 'run_once' });
  assert.deepEqual([once.status, once.chosen.length, once.lawful], ['run_once', 1, 2]);
  const started = { onShortfall: 'run_once' as const, takenOperators: [operatorOf(9)] };
  assert.equal(with_(started).status, 'wait');
  assert.equal(decided([], requestOf({ onShortfall: 'run_once' })).outcome.status, 'wait');
});

test('the cap on plaintext holds over the replicas of one choice', () => {
  const nodes = [1, 2, 3].map((n) => nodeOf(n));
  const seen = inputOf({ plaintextOperators: [operatorOf(3)] });
  const two = decided(nodes, requestOf({ inputs: [seen], replicas: 2 }));
  assert.equal(two.outcome.chosen.length, 2);
  assert.ok(two.outcome.chosen.includes(nodeIdOf(3)));
  assert.equal(decided(nodes, requestOf({ replicas: 3 })).outcome.status, 'wait');
});

test('a record that was changed does not replay', () => {
  const record = decided(randomFleet(20, 1), requestOf({ maxDataLatencyMs: null }));
  const [first] = record.outcome.chosen;
  const other = record.candidates.find(({ facts }) => facts.nodeId !== first) ?? assert.fail();
  const swapped = { ...record, outcome: { ...record.outcome, chosen: [other.facts.nodeId] } };
  assert.equal(replay(swapped).isSame, false);
  const flattered = record.candidates.map((candidate) =>
    candidate === other ? { ...candidate, failed: [], score: 1_000_000 } : candidate,
  );
  assert.deepEqual(replay({ ...record, candidates: flattered }).differing, [other.facts.nodeId]);
  const missing = record.candidates.filter(({ facts }) => facts.nodeId !== first);
  assert.equal(replay({ ...record, candidates: missing }).isSame, false);
});

test('bytes that are not a canonical record are refused in words', () => {
  const bytes = encodeDecision(decided([nodeOf(1)], requestOf()));
  const text = new TextDecoder().decode(bytes);
  const bad = [
    '',
    '{}',
    ` ${text}`,
    text.replace('"v":1', '"v":2'),
    text.replace('"v":1', '"v":1,"w":1'),
    text.replace('"inputs":[{"km":0,"rttMs":null}]', '"inputs":[]'),
  ];
  for (const each of bad) {
    assert.notEqual(each, text);
    assert.throws(
      () => decodeDecision(new TextEncoder().encode(each)),
      (error) => error instanceof AppError && error.code === 'INPUT_MALFORMED',
    );
  }
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 64 }), (noise) => {
      const isRefused = (error: unknown) => error instanceof AppError;
      assert.throws(() => decodeDecision(noise), isRefused);
    }),
  );
  assert.throws(() => decodeDecision(new Uint8Array(DECISION_MAX_BYTES + 1)), /more than/);
});

test('a node that is there twice is refused', () => {
  const isConflict = (error: unknown) => error instanceof AppError && error.code === 'CONFLICT';
  assert.throws(() => fleetOf([nodeOf(1), nodeOf(2), nodeOf(1)]), isConflict);
  const record = decided([nodeOf(1)], requestOf());
  const twice = { ...record, candidates: [...record.candidates, ...record.candidates] };
  assert.throws(() => replay(twice), isConflict);
});

test('measured round trips stand in the record, rounded up', () => {
  const fleet = fleetOf([nodeOf(1), nodeOf(2)]);
  const measured = new Map<NodeId, { userMs: number; inputMs: number[] }>([
    [nodeIdOf(1), { userMs: 12.2, inputMs: [Number.NaN] }],
  ]);
  const arguments_ = { fleet, request: requestOf(), policy: DEFAULT_POLICY, nowMs: NOW_MS };
  const record = decide({ ...arguments_, measured });
  const [first, second] = record.candidates;
  assert.equal(first?.paths.user.rttMs, 13);
  assert.equal(first?.paths.inputs[0]?.rttMs, null);
  assert.equal(second?.paths.user.rttMs, null);
  assert.ok(replay(decodeDecision(encodeDecision(record))).isSame);
});

test('the record holds of a node only the tools and services that were asked for', () => {
  const tools = { ...nodeOf(1).tools, fastp: '0.23.2' };
  const [candidate] = decided([nodeOf(1, { tools })], requestOf()).candidates;
  assert.deepEqual(Object.keys(candidate?.facts.tools ?? {}), ['bwa', 'samtools', 'freebayes']);
  assert.deepEqual(candidate?.facts.services, ['trio']);
});
