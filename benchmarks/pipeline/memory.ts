/** Peak resident memory of our own processes, from /proc; the tools they start do not count. */
import { readdirSync, readFileSync } from 'node:fs';

/** How often /proc is read; a shorter peak of the sum is missed. */
const SAMPLE_INTERVAL_MS = 200;
const KIB_PER_MIB = 1024;

export interface MemoryPeak {
  /** The process itself: the daemon, or the command with a node of its own. */
  readonly nodeMib: number;
  /** Its durable engine. */
  readonly engineMib: number;
  /** Largest sum of both at one time. */
  readonly togetherMib: number;
}

/** Watches `pid` and the Restate server that it has started, until stopped. */
export function watchMemory(pid: number): { stop(): MemoryPeak } {
  let nodeMib = 0;
  let engineMib = 0;
  let togetherMib = 0;
  const sample = () => {
    const node = residentMib(pid);
    const engines = childrenOf(pid).filter((child) => commandOf(child).startsWith('restate'));
    const engine = engines.reduce((sum, child) => sum + residentMib(child), 0);
    nodeMib = Math.max(nodeMib, node);
    engineMib = Math.max(engineMib, engine);
    togetherMib = Math.max(togetherMib, node + engine);
  };
  sample();
  const timer = setInterval(sample, SAMPLE_INTERVAL_MS);
  return {
    stop: () => {
      clearInterval(timer);
      sample();
      return { nodeMib, engineMib, togetherMib };
    },
  };
}

function residentMib(pid: number): number {
  return Number(/^VmRSS:\s+(\d+) kB/m.exec(read(`/proc/${pid}/status`))?.[1] ?? 0) / KIB_PER_MIB;
}

function commandOf(pid: number): string {
  return read(`/proc/${pid}/comm`).trim();
}

/** Of every thread: a child belongs to the thread that started it. */
function childrenOf(pid: number): number[] {
  return list(`/proc/${pid}/task`).flatMap((thread) =>
    read(`/proc/${pid}/task/${thread}/children`).split(' ').filter(Boolean).map(Number),
  );
}

/** A process may end between two looks; then it has nothing. */
function read(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return '';
  }
}

function list(path: string): string[] {
  try {
    return readdirSync(path);
  } catch {
    return [];
  }
}
