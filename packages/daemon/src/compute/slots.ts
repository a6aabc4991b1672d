/** How many attempts of others a machine holds at once. */
import { ATTEMPT_CORES, SLOTS_MAX } from './limits.ts';

/** Each has `ATTEMPT_CORES`, or all there are. */
export function attemptSlots(cores: number): number {
  return Math.min(Math.max(1, Math.floor(cores / ATTEMPT_CORES)), SLOTS_MAX);
}
