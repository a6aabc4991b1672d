import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { nodeIdOf } from '../testing/fleet.ts';
import { bestFirst } from './best-first.ts';
import { TIE_MAX, tieOf, tieSeedOf } from './tie.ts';
import { SCORE_MAX } from './weighted.ts';

test('a tie is the same whenever it is asked for, on every machine', () => {
  const seed = tieSeedOf('task-1');
  assert.equal(tieOf(seed, nodeIdOf(1)), TASK_1_NODE_1);
  assert.equal(tieOf(tieSeedOf('task-1'), nodeIdOf(1)), TASK_1_NODE_1);
  assert.notEqual(tieOf(seed, nodeIdOf(2)), TASK_1_NODE_1);
  assert.notEqual(tieOf(tieSeedOf('task-2'), nodeIdOf(1)), TASK_1_NODE_1);
});

test('ties are whole numbers of 32 bits for any task and node', () => {
  fc.assert(
    fc.property(fc.string(), fc.nat(), (taskId, n) => {
      const tie = tieOf(tieSeedOf(taskId), nodeIdOf(n));
      assert.ok(Number.isInteger(tie) && tie >= 0 && tie <= TIE_MAX);
    }),
  );
});

test('places come by score, then by tie, then by place, whatever the numbers', () => {
  const entry = fc.record({
    score: fc.option(fc.constantFrom(0, 1, 500_000, SCORE_MAX - 1, SCORE_MAX)),
    tie: fc.constantFrom(0, 1, 2 ** 31, TIE_MAX - 1, TIE_MAX),
  });
  fc.assert(
    fc.property(fc.array(entry, { maxLength: 60 }), (entries) => {
      const expected = entries
        .map(({ score, tie }, place) => ({ score, tie, place }))
        .filter(({ score }) => score !== null)
        .toSorted((a, b) => (b.score ?? 0) - (a.score ?? 0) || a.tie - b.tie || a.place - b.place)
        .map(({ place }) => place);
      const scores = entries.map(({ score }) => score);
      const order = bestFirst(scores, (place) => entries[place]?.tie ?? assert.fail());
      assert.equal(order.length, expected.length);
      assert.deepEqual([...order], expected);
    }),
  );
});

/** Pinned: another value would make records of the past replay to another choice. */
const TASK_1_NODE_1 = 1_994_603_318;
