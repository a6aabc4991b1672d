/** What a task may use on this machine: what it states, with room to spare. Pure. */
import type { Resources } from '@helixmesh/pipelines';
import {
  MEMORY_HEADROOM_FACTOR,
  MEMORY_HEADROOM_MIB,
  PIDS_BASE,
  PIDS_PER_CORE,
  SCRATCH_BASE_BYTES,
  SCRATCH_PER_INPUT_BYTE,
} from '../limits.ts';
import type { GroupLimits } from './cgroup-plan.ts';

export interface TaskLimits extends GroupLimits {
  /** All that the attempt has written, and also the size of any one file. */
  readonly scratchBytes: number;
}

export interface Granted {
  readonly cores: number;
  readonly inputBytes: number;
  /** Multiplies memory, processes and scratch; 1 is usual. */
  readonly factor: number;
}

export function limitsOfTask(
  { memoryMib }: Pick<Resources, 'memoryMib'>,
  { cores, inputBytes, factor }: Granted,
): TaskLimits {
  const mib = MEMORY_HEADROOM_FACTOR * memoryMib + MEMORY_HEADROOM_MIB;
  return {
    memoryBytes: Math.ceil(mib * factor) * 2 ** 20,
    pids: Math.ceil((PIDS_BASE + PIDS_PER_CORE * cores) * factor),
    cores,
    scratchBytes: Math.ceil((SCRATCH_BASE_BYTES + SCRATCH_PER_INPUT_BYTE * inputBytes) * factor),
  };
}
