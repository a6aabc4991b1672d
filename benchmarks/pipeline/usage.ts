/**
 * What processes use, from /proc: peak resident memory of our own ones, without the tools that they
 * start, and processor time with the tools.
 */
import { readdirSync, readFileSync } from 'node:fs';

/** How often /proc is read; a shorter peak of the sum is missed. */
const SAMPLE_INTERVAL_MS = 200;
const KIB_PER_MIB = 1024;
/** Linux tells processor time in hundredths of a second. */
const MS_PER_TICK = 10;

export interface Usage {
  /** Since watching began: of the process, of its ended children and of its Restate server. */
  readonly cpuMs: number;
  /** The process itself: the daemon, or the command with a node of its own. */
  readonly nodeMib: number;
  /** Its durable engine. */
  readonly engineMib: number;
  /** Largest sum of both at one time. */
  readonly togetherMib: number;
}

/** Watches `pid` and the Restate server that it has started, until stopped. */
export function watchUsage(pid: number): { stop(): Usage } {
  let nodeMib = 0;
  let engineMib = 0;
  let togetherMib = 0;
  let cpuMs = 0;
  const sample = () => {
    const node = residentMib(pid);
    const engines = childrenOf(pid).filter((child) => commandOf(child).startsWith('restate'));
    const engine = engines.reduce((sum, child) => sum + residentMib(child), 0);
    const used = engines.reduce((sum, child) => sum + cpuOf(child), cpuOf(pid));
    cpuMs = Math.max(cpuMs, used);
    nodeMib = Math.max(nodeMib, node);
    engineMib = Math.max(engineMib, engine);
    togetherMib = Math.max(togetherMib, node + engine);
  };
  sample();
  const cpuBeforeMs = cpuMs;
  const timer = setInterval(sample, SAMPLE_INTERVAL_MS);
  return {
    stop: () => {
      clearInterval(timer);
      sample();
      return { cpuMs: cpuMs - cpuBeforeMs, nodeMib, engineMib, togetherMib };
    },
  };
}

function residentMib(pid: number): number {
  return Number(/^VmRSS:\s+(\d+) kB/m.exec(read(`/proc/${pid}/status`))?.[1] ?? 0) / KIB_PER_MIB;
}

/** User and system time, that of children that were waited for included. */
function cpuOf(pid: number): number {
  // The name in brackets may hold spaces; the 14th to 17th field count from before it.
  const fields = read(`/proc/${pid}/stat`).split(') ')[1]?.split(' ').slice(11, 15) ?? [];
  return fields.reduce((sum, ticks) => sum + Number(ticks), 0) * MS_PER_TICK;
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
