import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { nodeIdOf } from '../testing/fleet.ts';
import { applyVerdict, isBanned, type Reputation, toolSetOf, VERDICTS } from './reputation.ts';

const NEW: Reputation = {
  nodeId: nodeIdOf(1),
  toolSet: toolSetOf({ bwa: '0.7.17' }),
  consecutiveValid: 0,
  invalid: 0,
};
const right = { verdict: 'valid', isCompared: true } as const;
const wrong = { verdict: 'invalid', isCompared: true } as const;

test('right results add up, a wrong one resets them', () => {
  const three = [right, right, right].reduce(applyVerdict, NEW);
  assert.equal(three.consecutiveValid, 3);
  assert.deepEqual(applyVerdict(three, wrong), { ...NEW, invalid: 1 });
});

test('the third wrong result bans, whatever lies between, and nothing lifts the ban', () => {
  const two = [wrong, right, right, wrong].reduce(applyVerdict, NEW);
  assert.equal(isBanned(two), false);
  const three = applyVerdict(two, wrong);
  assert.equal(isBanned(three), true);
  assert.equal(isBanned([right, right, right, right].reduce(applyVerdict, three)), true);
});

test('a result that nobody else has checked proves nothing, and none changes nothing', () => {
  assert.deepEqual(applyVerdict(NEW, { verdict: 'valid', isCompared: false }), NEW);
  assert.deepEqual(applyVerdict(NEW, { verdict: 'none', isCompared: true }), NEW);
});

test('a tool set is the same whatever the order of its tools, and another for another version', () => {
  assert.equal(toolSetOf({ a: '1', b: '2' }), toolSetOf({ b: '2', a: '1' }));
  assert.notEqual(toolSetOf({ a: '1', b: '2' }), toolSetOf({ a: '1', b: '3' }));
});

test('a ban follows exactly from the number of wrong results', () => {
  const step = fc.record({ verdict: fc.constantFrom(...VERDICTS), isCompared: fc.boolean() });
  fc.assert(
    fc.property(fc.array(step, { maxLength: 30 }), (steps) => {
      const end = steps.reduce(applyVerdict, NEW);
      assert.equal(end.invalid, steps.filter(({ verdict }) => verdict === 'invalid').length);
      assert.equal(isBanned(end), end.invalid >= 3);
    }),
  );
});
