/**
 * What an analysis is expected to use, from the sizes of its sealed bodies alone: all that a
 * coordinator knows of the reads. A price is quoted from it, so it is the same for every node and
 * whoever computes it again.
 *
 * The figures are rough on purpose: germline analyses of one machine, rounded up. A node meters what
 * an attempt uses; nothing here limits it.
 */
import { type AnalysisStage, spreadOf, stagesOf } from '@helixmesh/protocol';
import type { NetworkJob } from '@helixmesh/protocol/sealing';
import { USAGE_MAX_BYTES, USAGE_MAX_SECONDS, type Usage } from '@helixmesh/scheduler';

const MIB = 2 ** 20;
const GIB = 2 ** 30;

/** Starting tools and engine, and reading the reference, core-seconds. */
const FIXED_CORE_SECONDS = 120;
/** Aligning, calling and annotating reads at 30×: some 130 core-hours for 60 GiB of packed reads. */
const CORE_SECONDS_PER_MIB = 8;
const FIXED_DISK_BYTES = GIB;
/** An index of a human genome and a database of its genes take 12 GiB; small samples have small ones. */
const FIXED_MEMORY_BYTES = GIB;
const MEMORY_MORE_MAX_BYTES = 11 * GIB;

/** What a stage takes of the whole, and for each byte of the reads. */
interface StageNeeds {
  /** Share of the core-seconds that grow with the reads; of all calls together for one of them. */
  readonly work: number;
  /** In and out: alignments are about as large as the reads. */
  readonly transfer: number;
  /** What lies there in the clear, and the same sealed. */
  readonly disk: number;
  readonly memory: number;
}

const STAGES: Readonly<Record<AnalysisStage['kind'], StageNeeds>> = {
  whole: { work: 1, transfer: 2, disk: 6, memory: 16 },
  align: { work: 0.55, transfer: 2, disk: 6, memory: 16 },
  call: { work: 0.35, transfer: 1, disk: 3, memory: 4 },
  finish: { work: 0.1, transfer: 2, disk: 4, memory: 4 },
};

export interface Needs {
  readonly usage: Usage;
  readonly cores: number;
  readonly memoryBytes: number;
  readonly diskBytes: number;
}

/** `bodyBytes` of each dataset of the job. */
export function needsOf(bodyBytes: readonly number[], stage: AnalysisStage): Needs {
  const total = bodyBytes.reduce((sum, bytes) => sum + bytes, 0);
  const { work, transfer, disk, memory } = STAGES[stage.kind];
  const share = stage.kind === 'call' ? work / stage.part.count : work;
  const growing = Math.ceil(Math.ceil(total / MIB) * CORE_SECONDS_PER_MIB * share);
  const coreSeconds = FIXED_CORE_SECONDS + growing;
  return {
    usage: {
      coreSeconds: Math.min(coreSeconds, USAGE_MAX_SECONDS),
      gpuSeconds: 0,
      transferBytes: Math.min(total * transfer, USAGE_MAX_BYTES),
    },
    cores: 1,
    memoryBytes: FIXED_MEMORY_BYTES + Math.min(total * memory, MEMORY_MORE_MAX_BYTES),
    diskBytes: FIXED_DISK_BYTES + total * disk,
  };
}

/** Core-seconds of one replica of a stage, and of all that a job is expected to use. */
export interface PriceShare {
  readonly coreSeconds: number;
  readonly ofCoreSeconds: number;
}

/**
 * The share of a job's price that one replica of a stage may cost: by the core-seconds of all replicas
 * of all its tasks, the call that is done again included.
 */
export function priceShareOf(
  bodyBytes: readonly number[],
  { job, stage }: { readonly job: NetworkJob; readonly stage: AnalysisStage },
): PriceShare {
  const secondsOf = (each: AnalysisStage) => needsOf(bodyBytes, each).usage.coreSeconds;
  const stages = stagesOf(spreadOf(job.parameters));
  const once = stages.reduce((sum, each) => sum + secondsOf(each), 0);
  const again = job.redundancy === 1 ? stages.find(({ kind }) => kind === 'call') : undefined;
  const ofCoreSeconds = once * job.redundancy + (again === undefined ? 0 : secondsOf(again));
  return { coreSeconds: secondsOf(stage), ofCoreSeconds };
}
