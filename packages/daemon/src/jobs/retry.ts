/** What follows a failed attempt: again after a pause, wait for the user, or give up. Pure. */
import type { ErrorRecord } from '@helixmesh/protocol';

/** Attempts of one task before it waits for its user. */
export const MAX_ATTEMPTS = 3;
/** Wait before the second attempt; doubles. */
export const BACKOFF_FIRST_MS = 500;

export type AfterFailure =
  | { readonly action: 'retry'; readonly delayMs: number }
  | { readonly action: 'pause' }
  | { readonly action: 'fail' };

/** Trying again can help: the cause may pass by itself. */
const PASSING: readonly ErrorRecord['code'][] = ['TOOL_CRASHED', 'DISK_FULL', 'INTERNAL'];
/** The user can mend the machine and go on from here. */
const MENDABLE: readonly ErrorRecord['code'][] = [
  'TOOL_MISSING',
  'TOOL_VERSION',
  'OUTPUT_UNWRITABLE',
  'MEMORY_EXCEEDED',
  'PROCESSES_EXCEEDED',
  'SCRATCH_EXCEEDED',
];

/** `failures` counts from 1. */
export function afterFailure(error: ErrorRecord, failures: number): AfterFailure {
  if (PASSING.includes(error.code)) {
    if (failures >= MAX_ATTEMPTS) return { action: 'pause' };
    return { action: 'retry', delayMs: BACKOFF_FIRST_MS * 2 ** (failures - 1) };
  }
  return MENDABLE.includes(error.code) ? { action: 'pause' } : { action: 'fail' };
}
