/**
 * What this machine offers to a network, and how much of it is free now, in the form in which the
 * scheduler's rules hold it: cores, memory, disk, GPUs, tool versions and the strength of the sandbox.
 *
 * Everything is measured, nothing is configured but the cores that may be used. A GPU that its driver
 * tells no memory of is left out: nobody could place work on it.
 */
import { statfs } from 'node:fs/promises';
import { totalmem } from 'node:os';
import { probeTools, resolvedTools } from '@helixmesh/pipelines';
import {
  CORES_MAX,
  DISK_MAX_BYTES,
  type Hardware,
  type Heartbeat,
  MEMORY_MAX_BYTES,
  NAME_PATTERN,
  type SandboxStrength,
  TOOLS_MAX,
} from '@helixmesh/scheduler';
import { probeStrength } from '../executor/sandbox/strength.ts';
import { probeGpus } from './gpus.ts';

export interface HardwareOptions {
  /** Cores that all tools together may use. */
  readonly cores: number;
  /** The data folder: its disk holds scratch and vault. */
  readonly dataDir: string;
}

/** What the scheduler calls `process` is to people no sandbox at all. */
const STRENGTHS = { strong: 'strong', weak: 'weak', none: 'process' } as const satisfies Record<
  string,
  SandboxStrength
>;

/** What a registration says of the machine. Takes seconds when tools are asked for the first time. */
export async function measureHardware({ cores, dataDir }: HardwareOptions): Promise<Hardware> {
  const [disk, gpus, tools, sandbox] = await Promise.all([
    statfs(dataDir),
    probeGpus(),
    probeTools(),
    probeStrength(),
  ]);
  return {
    cores: Math.min(cores, CORES_MAX),
    memoryBytes: Math.min(memoryBytes(), MEMORY_MAX_BYTES),
    diskBytes: Math.min(disk.blocks * disk.bsize, DISK_MAX_BYTES),
    gpus: gpus.map(({ model, vramBytes }) => ({ model, vramBytes })),
    tools: versionsOf(resolvedTools(tools)),
    sandbox: STRENGTHS[sandbox.strength],
  };
}

export type FreeResources = Pick<
  Heartbeat,
  'freeCores' | 'freeMemoryBytes' | 'freeDiskBytes' | 'gpus'
>;

/**
 * What a heartbeat says of the machine; `heldCores` are those that attempts have, and of the disk
 * `releasableBytes` are let go of when an attempt needs them.
 */
export async function measureFree(
  { cores, dataDir }: HardwareOptions,
  heldCores: number,
  releasableBytes = 0,
): Promise<FreeResources> {
  const [disk, gpus] = await Promise.all([statfs(dataDir), probeGpus()]);
  return {
    freeCores: Math.max(0, Math.min(cores, CORES_MAX) - heldCores),
    freeMemoryBytes: Math.min(process.availableMemory(), MEMORY_MAX_BYTES),
    freeDiskBytes: Math.min(disk.bavail * disk.bsize + releasableBytes, DISK_MAX_BYTES),
    gpus: gpus.map(({ freeVramBytes, utilizationPercent }) => ({
      freeVramBytes,
      utilizationPercent,
      // No attempt holds a GPU yet: the pipelines of this version use none.
      isHeld: false,
    })),
  };
}

/** Of the machine, or of the container that the node runs in where that has less. */
function memoryBytes(): number {
  const constrained = process.constrainedMemory();
  return constrained > 0 ? Math.min(constrained, totalmem()) : totalmem();
}

/** Versions of the usable tools. One whose version the network has no spelling for is not offered. */
function versionsOf(tools: Readonly<Record<string, { readonly version: string }>>) {
  const versions = Object.entries(tools)
    .map(([name, { version }]) => [name, version] as const)
    .filter(([name, version]) => NAME_PATTERN.test(name) && NAME_PATTERN.test(version));
  return Object.fromEntries(versions.slice(0, TOOLS_MAX));
}
