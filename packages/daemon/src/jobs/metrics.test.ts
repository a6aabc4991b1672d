import assert from 'node:assert/strict';
import { test } from 'node:test';
import { measure } from './metrics.ts';

test('coordination is the wall time that no attempt covers, however they overlap', () => {
  const metrics = measure({
    startedAtMs: 0,
    endedAtMs: 1_000,
    attempts: [
      { startedAtMs: 100, endedAtMs: 500 },
      { startedAtMs: 200, endedAtMs: 400 },
      { startedAtMs: 450, endedAtMs: 990 },
    ],
    tasks: 3,
    barriers: 2,
  });
  assert.equal(metrics.computeMs, 400 + 200 + 540);
  assert.equal(metrics.coordinationMs, 110);
  assert.equal(metrics.ratio, 1140 / 110);
  assert.equal(metrics.messages, 6);
});

test('a job under way has no ratio yet', () => {
  const metrics = measure({
    startedAtMs: 5,
    endedAtMs: null,
    attempts: [{ startedAtMs: 6, endedAtMs: null }],
    tasks: 1,
    barriers: 0,
  });
  assert.equal(metrics.ratio, null);
  assert.equal(metrics.computeMs, 0);
});
