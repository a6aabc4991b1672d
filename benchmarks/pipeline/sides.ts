/** The sides that are compared, each one run from an empty folder; answers what it took. */
import type { ChildProcess } from 'node:child_process';
import { mkdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { AppError, type JobView, jobViewSchema } from '@helixmesh/protocol';
import {
  type CommandLine,
  commandOf,
  finished,
  startCommand,
  stopCommand,
  untilSaid,
} from '../support/commands.ts';
import { copyReference, type Input, REFERENCE, readsOf } from '../support/simulated.ts';
import { type MemoryPeak, watchMemory } from './memory.ts';

export const SIDES = ['plain', 'daemon', 'standalone'] as const;
export type Side = (typeof SIDES)[number];

export interface Bench extends Input {
  /** Everything of this run; a place for one side's files is made and deleted below. */
  readonly folder: string;
  readonly bundle: string;
  readonly cores: number;
  /** The one processor to which all that a side starts is held; null for any. */
  readonly pinnedTo: number | null;
}

export interface SideRun {
  readonly wallMs: number;
  readonly job: JobView | null;
  /** Null for the script. */
  readonly memory: MemoryPeak | null;
  /** Of the command that only asks a daemon; null elsewhere. */
  readonly clientMib: number | null;
}

export const SAMPLE = 'BENCH';
const SCRIPT = join(import.meta.dirname, 'plain.sh');

export async function runSide(side: Side, bench: Bench): Promise<SideRun> {
  const place = join(bench.folder, `run-${side}`);
  await rm(place, { recursive: true, force: true });
  await mkdir(place);
  try {
    return side === 'plain' ? await runPlain(bench, place) : await runProduct(side, bench, place);
  } finally {
    await rm(place, { recursive: true, force: true, maxRetries: 5 });
  }
}

async function runPlain(bench: Bench, place: string): Promise<SideRun> {
  const { bundle, cores, input } = bench;
  const [r1, r2] = readsOf(bench);
  const par = join(input, 'par.bed');
  const args = [SCRIPT, r1, r2, bundle, par, SAMPLE, String(cores), join(place, 'out')];
  const startedMs = performance.now();
  const script = startCommand(pinned(bench, { program: 'bash', args }));
  await finished(script, 'the script');
  const wallMs = performance.now() - startedMs;
  return { wallMs, job: null, memory: null, clientMib: null };
}

/** A fresh data folder with the prepared reference alone; starting a daemon is not timed. */
async function runProduct(
  side: 'daemon' | 'standalone',
  bench: Bench,
  place: string,
): Promise<SideRun> {
  const data = join(place, 'data');
  await copyReference(bench, data);
  const daemon = side === 'daemon' ? await startDaemon(bench, data) : null;
  try {
    const [r1, r2] = readsOf(bench);
    const reads = ['--sample', SAMPLE, '--r1', r1, '--r2', r2];
    const rest = ['--reference', REFERENCE, '--out', join(place, 'out')];
    const startedMs = performance.now();
    const command = startCommand(helixmesh(bench, data, ['--quiet', 'run', ...reads, ...rest]));
    const client = watchMemory(pidOf(command));
    const node = daemon === null ? null : watchMemory(pidOf(daemon));
    const stdout = await finished(command, 'helixmesh run');
    const wallMs = performance.now() - startedMs;
    const ofClient = client.stop();
    const ofNode = node?.stop() ?? null;
    const [job] = jobViewSchema.array().parse(JSON.parse(stdout));
    return {
      wallMs,
      job: job ?? null,
      memory: ofNode ?? ofClient,
      clientMib: daemon === null ? null : ofClient.nodeMib,
    };
  } finally {
    if (daemon !== null) await stopCommand(daemon);
  }
}

function helixmesh(
  bench: Pick<Bench, 'cores' | 'pinnedTo'>,
  data: string,
  args: readonly string[],
): CommandLine {
  const line = commandOf('helixmesh', data, args, { HELIXMESH_CORES: String(bench.cores) });
  return pinned(bench, line);
}

/** `taskset` becomes the program, so that its pid is that. */
function pinned({ pinnedTo }: Pick<Bench, 'pinnedTo'>, line: CommandLine): CommandLine {
  if (pinnedTo === null) return line;
  return {
    ...line,
    program: 'taskset',
    args: ['-c', String(pinnedTo), line.program, ...line.args],
  };
}

async function startDaemon(bench: Bench, data: string): Promise<ChildProcess> {
  const child = startCommand(helixmesh(bench, data, ['up']));
  await untilSaid(child, /is up/);
  return child;
}

function pidOf({ pid }: ChildProcess): number {
  if (pid === undefined) throw new AppError('TOOL_MISSING', 'a program could not be started');
  return pid;
}
