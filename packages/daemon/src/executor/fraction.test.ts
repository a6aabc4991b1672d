import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { attemptFraction, type CommandShare, type FileReading, readFraction } from './fraction.ts';

const share: fc.Arbitrary<CommandShare> = fc.record({
  weight: fc.integer({ min: 1, max: 20 }),
  done: fc.option(fc.double({ min: 0, max: 1, noNaN: true })),
});
const before = fc.option(fc.double({ min: 0, max: 0.99, noNaN: true }));
const reading: fc.Arbitrary<FileReading> = fc.record({
  position: fc.nat(),
  sizeBytes: fc.nat(),
});

test('the fraction of an attempt is below 1 and never below the one before', () => {
  fc.assert(
    fc.property(fc.array(share, { minLength: 1 }), before, (commands, told) => {
      const now = attemptFraction(commands, told);
      if (now === null) {
        assert.ok(told === null && commands.every(({ done }) => done === null));
      } else {
        assert.ok(now >= (told ?? 0) && now < 1);
      }
    }),
  );
});

test('a command that gets further never takes the attempt back', () => {
  const pair = fc.tuple(share, fc.double({ min: 0, max: 1, noNaN: true }));
  fc.assert(
    fc.property(fc.array(pair, { minLength: 1 }), (pairs) => {
      const commands = pairs.map(([command]) => command);
      const further = pairs.map(([{ weight, done }, by]) => {
        return { weight, done: Math.min(1, (done ?? 0) + by) };
      });
      const first = attemptFraction(commands, null) ?? 0;
      assert.ok((attemptFraction(further, null) ?? 0) >= first);
    }),
  );
});

test('commands count by their weight, and those that cannot be told as not begun', () => {
  const commands = [
    { weight: 6, done: 0.5 },
    { weight: 3, done: null },
    { weight: 1, done: 1 },
  ];
  assert.equal(attemptFraction(commands, null), 0.4);
  assert.equal(attemptFraction([{ weight: 1, done: null }], null), null);
  assert.equal(attemptFraction([{ weight: 1, done: 1 }], null), 0.99);
});

test('reading is told by bytes, and not before the first of them', () => {
  const files = [
    { position: 50, sizeBytes: 100 },
    { position: 0, sizeBytes: 300 },
  ];
  assert.equal(readFraction(files), 0.125);
  assert.equal(readFraction([]), null);
  assert.equal(readFraction([{ position: 0, sizeBytes: 7 }]), null);
  assert.equal(readFraction([{ position: 9, sizeBytes: 7 }]), 1, 'a file that has shrunk');
  fc.assert(
    fc.property(fc.array(reading), (several) => {
      const fraction = readFraction(several);
      assert.ok(fraction === null || (fraction > 0 && fraction <= 1));
    }),
  );
});
