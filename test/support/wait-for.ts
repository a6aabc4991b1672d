/** Waiting for a condition, never for a time. */
import assert from 'node:assert/strict';
import { setTimeout as delay } from 'node:timers/promises';
import { LOOK_MS } from './limits.ts';

export interface WaitOptions {
  /** Milliseconds after which the wait is a failure. */
  readonly deadline: number;
  /** What is awaited, for the message of that failure. */
  readonly what: string;
}

/** Looks until `condition` answers something other than undefined, and answers that. */
export async function waitFor<T>(
  condition: () => T | undefined | Promise<T | undefined>,
  { deadline, what }: WaitOptions,
): Promise<T> {
  const end = performance.now() + deadline;
  for (;;) {
    const found = await condition();
    if (found !== undefined) return found;
    assert.ok(performance.now() < end, `not within ${deadline} ms: ${what}`);
    await delay(LOOK_MS);
  }
}
