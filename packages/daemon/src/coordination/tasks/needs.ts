/**
 * What an analysis is expected to use, from the sizes of its sealed bodies alone: all that a
 * coordinator knows of the reads. A price is quoted from it, so it is the same for every node and
 * whoever computes it again.
 *
 * The figures are rough on purpose: germline analyses of one machine, rounded up. A node meters what
 * an attempt uses; nothing here limits it.
 */
import { USAGE_MAX_BYTES, USAGE_MAX_SECONDS, type Usage } from '@helixmesh/scheduler';

const MIB = 2 ** 20;
const GIB = 2 ** 30;

/** Starting tools and engine, and reading the reference, core-seconds. */
const FIXED_CORE_SECONDS = 120;
/** Aligning, calling and annotating reads at 30×: some 130 core-hours for 60 GiB of packed reads. */
const CORE_SECONDS_PER_MIB = 8;
/** Reads in, and results out: alignments are about as large as the reads. */
const TRANSFER_FACTOR = 2;
/** Reads in the clear, sorted and unsorted alignments, and the same for the sealed results. */
const DISK_FACTOR = 6;
const FIXED_DISK_BYTES = GIB;
/** An index of a human genome and a database of its genes take 12 GiB; small samples have small ones. */
const FIXED_MEMORY_BYTES = GIB;
const MEMORY_FACTOR = 16;
const MEMORY_MORE_MAX_BYTES = 11 * GIB;

export interface Needs {
  readonly usage: Usage;
  readonly cores: number;
  readonly memoryBytes: number;
  readonly diskBytes: number;
}

/** `bodyBytes` of each dataset of the job. */
export function needsOf(bodyBytes: readonly number[]): Needs {
  const total = bodyBytes.reduce((sum, bytes) => sum + bytes, 0);
  const coreSeconds = FIXED_CORE_SECONDS + Math.ceil(total / MIB) * CORE_SECONDS_PER_MIB;
  return {
    usage: {
      coreSeconds: Math.min(coreSeconds, USAGE_MAX_SECONDS),
      gpuSeconds: 0,
      transferBytes: Math.min(total * TRANSFER_FACTOR, USAGE_MAX_BYTES),
    },
    cores: 1,
    memoryBytes: FIXED_MEMORY_BYTES + Math.min(total * MEMORY_FACTOR, MEMORY_MORE_MAX_BYTES),
    diskBytes: FIXED_DISK_BYTES + total * DISK_FACTOR,
  };
}
