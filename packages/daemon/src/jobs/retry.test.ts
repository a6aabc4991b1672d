import assert from 'node:assert/strict';
import { test } from 'node:test';
import { afterFailure, BACKOFF_FIRST_MS, MAX_ATTEMPTS } from './retry.ts';

test('a crashed tool is tried again with a growing pause, then waits for its user', () => {
  const error = { code: 'TOOL_CRASHED', message: 'killed' } as const;
  assert.deepEqual(afterFailure(error, 1), { action: 'retry', delayMs: BACKOFF_FIRST_MS });
  assert.deepEqual(afterFailure(error, 2), { action: 'retry', delayMs: 2 * BACKOFF_FIRST_MS });
  assert.deepEqual(afterFailure(error, MAX_ATTEMPTS), { action: 'pause' });
});

test('bad input is never tried again', () => {
  for (const code of ['INPUT_TRUNCATED', 'MATES_UNEQUAL', 'TOOL_FAILED'] as const) {
    assert.deepEqual(afterFailure({ code, message: '' }, 1), { action: 'fail' });
  }
});

test('a missing tool or a limit that was passed waits for its user at once', () => {
  for (const code of ['TOOL_MISSING', 'MEMORY_EXCEEDED', 'SCRATCH_EXCEEDED'] as const) {
    assert.deepEqual(afterFailure({ code, message: '' }, 1), { action: 'pause' });
  }
});
