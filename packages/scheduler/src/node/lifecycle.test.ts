import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type AttemptId, parseAttemptId } from '@helixmesh/protocol';
import fc from 'fast-check';
import {
  type NodeEvent,
  type NodeLifecycle,
  type NodePhase,
  phaseOf,
  transition,
  UNREGISTERED,
} from './lifecycle.ts';

const attempt = (n: number): AttemptId => parseAttemptId(`att_${String(n).padStart(16, '0')}`);
const first = attempt(1);

const register = (sequence: number, slots = 1): NodeEvent => ({
  type: 'register',
  sequence,
  slots,
  isVerifiedHardware: false,
});

function after(events: readonly NodeEvent[], from: NodeLifecycle = UNREGISTERED): NodeLifecycle {
  return events.reduce((node, event) => {
    const next = transition(node, event);
    assert.equal(next.status, 'moved', JSON.stringify({ event, next }));
    return next.status === 'moved' ? next.lifecycle : node;
  }, from);
}

const JOIN: readonly NodeEvent[] = [
  register(0),
  { type: 'begin_verification' },
  { type: 'verify', isPassed: true },
];

test('a node of one slot goes through the states of the seed in their order', () => {
  const events: readonly NodeEvent[] = [
    ...JOIN,
    { type: 'assign', attemptId: first },
    { type: 'start', attemptId: first },
    { type: 'submit', attemptId: first },
    { type: 'judge', attemptId: first },
    { type: 'release', attemptId: first },
  ];
  const phases: NodePhase[] = [phaseOf(UNREGISTERED)];
  let node = UNREGISTERED;
  for (const event of events) {
    node = after([event], node);
    phases.push(phaseOf(node));
  }
  assert.deepEqual(phases, [
    'unregistered',
    'registered',
    'pending_verification',
    'available',
    'busy',
    'executing',
    'complete',
    'reputation_update',
    'available',
  ]);
});

test('a node that is not verified gets no work', () => {
  const assign: NodeEvent = { type: 'assign', attemptId: first };
  for (const events of [[], JOIN.slice(0, 1), JOIN.slice(0, 2)]) {
    assert.deepEqual(transition(after(events), assign), {
      status: 'refused',
      reason: 'wrong_phase',
    });
  }
  const failed = after([...JOIN.slice(0, 2), { type: 'verify', isPassed: false }]);
  assert.equal(phaseOf(failed), 'registered');
});

test('each slot takes one attempt, and a lost attempt frees its slot', () => {
  const two = after([
    register(0, 2),
    ...JOIN.slice(1),
    { type: 'assign', attemptId: attempt(1) },
    { type: 'assign', attemptId: attempt(2) },
  ]);
  assert.equal(phaseOf(two), 'busy');
  const third: NodeEvent = { type: 'assign', attemptId: attempt(3) };
  assert.deepEqual(transition(two, third), { status: 'refused', reason: 'no_free_slot' });
  const twice: NodeEvent = { type: 'assign', attemptId: attempt(2) };
  assert.deepEqual(transition(two, twice), { status: 'refused', reason: 'attempt_exists' });
  const freed = after([{ type: 'lose', attemptId: attempt(1) }], two);
  assert.equal(phaseOf(freed), 'available');
  after([third], freed);
});

test('changed hardware is verified anew while attempts go on; the same is not', () => {
  const working = after([...JOIN, { type: 'assign', attemptId: first }]);
  const changed = after([register(1)], working);
  assert.equal(changed.admission, 'registered');
  assert.equal(phaseOf(after([{ type: 'start', attemptId: first }], changed)), 'registered');
  const same: NodeEvent = { type: 'register', sequence: 1, slots: 4, isVerifiedHardware: true };
  assert.equal(phaseOf(after([same], working)), 'available');
});

test('an old registration is refused, and nothing leaves a ban', () => {
  const node = after([register(5)]);
  assert.deepEqual(transition(node, register(5)), { status: 'refused', reason: 'stale_sequence' });
  const banned = after([{ type: 'ban' }], node);
  for (const event of [register(9), ...JOIN]) {
    assert.deepEqual(transition(banned, event), { status: 'refused', reason: 'banned' });
  }
});

test('whatever happens, slots are never over-full after an assignment and no attempt is there twice', () => {
  const attemptId = fc.integer({ min: 1, max: 4 }).map(attempt);
  const event = fc.oneof(
    fc.record({
      type: fc.constant('register' as const),
      sequence: fc.nat({ max: 20 }),
      slots: fc.integer({ min: 1, max: 3 }),
      isVerifiedHardware: fc.boolean(),
    }),
    fc.constant<NodeEvent>({ type: 'begin_verification' }),
    fc.constant<NodeEvent>({ type: 'verify', isPassed: true }),
    fc.record({
      type: fc.constantFrom('assign', 'start', 'submit', 'judge', 'release', 'lose'),
      attemptId,
    }),
  ) as fc.Arbitrary<NodeEvent>;
  fc.assert(
    fc.property(fc.array(event, { maxLength: 60 }), (events) => {
      let node = after(JOIN);
      for (const each of events) {
        const next = transition(node, each);
        if (next.status === 'refused') continue;
        if (each.type === 'assign') assert.ok(next.lifecycle.held.length <= next.lifecycle.slots);
        node = next.lifecycle;
        assert.equal(new Set(node.held.map((slot) => slot.attemptId)).size, node.held.length);
      }
    }),
  );
});
