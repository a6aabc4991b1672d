import assert from 'node:assert/strict';
import { test } from 'node:test';
import { bytes, duration, percent } from './format.ts';
import { progressText } from './job-text.ts';
import { padEnd, widthOf } from './style.ts';
import { pairs, table } from './table.ts';

test('durations have the unit that a person would choose', () => {
  const cases = [0, 999, 1_000, 59_900, 60_000, 3_599_000, 3_600_000, 90_061_000];
  assert.deepEqual(cases.map(duration), [
    '0 ms',
    '999 ms',
    '1.0 s',
    '59.9 s',
    '1 min 00 s',
    '59 min 59 s',
    '1 h 00 min',
    '25 h 01 min',
  ]);
});

test('progress is rounded down, so that 100 % means done', () => {
  assert.equal(percent(0.999), '99 %');
  assert.equal(
    progressText({ progress: 0.65, contigs: { done: 15, total: 24 } }),
    '65 % (15/24 contigs)',
  );
  assert.equal(progressText({ progress: 0.04, contigs: null }), '4 %');
});

test('sizes are binary', () => {
  assert.deepEqual([0, 1023, 1024, 1.5 * 1024 ** 3].map(bytes), [
    '0 B',
    '1023 B',
    '1.0 KiB',
    '1.5 GiB',
  ]);
});

test('columns line up whatever colours they have', () => {
  const green = '\u001b[32mok\u001b[39m';
  assert.equal(widthOf(green), 2);
  assert.equal(widthOf(padEnd(green, 5)), 5);
  const text = table(
    [{ title: 'a' }, { title: 'n', align: 'right' }],
    [
      [green, '7'],
      ['long', '11'],
    ],
  );
  assert.deepEqual(text.split('\n').map(widthOf), [8, 8, 8]);
});

test('names and values line up', () => {
  assert.equal(
    pairs([
      ['a', '1'],
      ['long', '2'],
    ]),
    '  a     1\n  long  2',
  );
});
