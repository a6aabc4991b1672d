/** The sides that are compared, each one run from an empty folder; answers what it took. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { cp, mkdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { AppError, type JobView, jobViewSchema } from '@helixmesh/protocol';
import { type MemoryPeak, watchMemory } from './memory.ts';

export const SIDES = ['plain', 'daemon', 'standalone'] as const;
export type Side = (typeof SIDES)[number];

export interface Bench {
  /** Everything of this run; a place for one side's files is made and deleted below. */
  readonly folder: string;
  /** The simulated input. */
  readonly input: string;
  /** Data folder in which the reference was prepared. */
  readonly prepared: string;
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
export const REFERENCE = 'bench';
const MAIN = join(import.meta.dirname, '../../apps/cli/src/main.ts');
const SCRIPT = join(import.meta.dirname, 'plain.sh');
const NODE_OPTIONS = ['--conditions=development', '--disable-warning=ExperimentalWarning'];

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
  const [file, all] = pinned(bench, 'bash', args);
  const script = spawn(file, all, { stdio: ['ignore', 'pipe', 'pipe'] });
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
  await mkdir(data, { mode: 0o700 });
  await cp(join(bench.prepared, 'references'), join(data, 'references'), { recursive: true });
  const daemon = side === 'daemon' ? await startDaemon(bench, data) : null;
  try {
    const [r1, r2] = readsOf(bench);
    const reads = ['--sample', SAMPLE, '--r1', r1, '--r2', r2];
    const rest = ['--reference', REFERENCE, '--out', join(place, 'out')];
    const startedMs = performance.now();
    const command = helixmesh(bench, data, ['--json', '--quiet', 'run', ...reads, ...rest]);
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
    if (daemon !== null) await stop(daemon);
  }
}

export function prepareReference(bench: Omit<Bench, 'bundle'>): Promise<string> {
  const file = (name: string) => join(bench.input, name);
  const databases = ['clinvar', 'dbsnp', 'gnomad'].flatMap((name) => [
    `--${name}`,
    file(`${name}.vcf.gz`),
  ]);
  const others = ['--fasta', file('ref.fa'), '--gff', file('genes.gff3'), '--par', file('par.bed')];
  const args = ['--quiet', 'reference', 'add', REFERENCE, ...others, ...databases];
  return finished(helixmesh(bench, bench.prepared, args), 'helixmesh reference add');
}

function readsOf({ input }: Bench): readonly [string, string] {
  return [join(input, 'reads_R1.fastq.gz'), join(input, 'reads_R2.fastq.gz')];
}

function helixmesh(
  bench: Pick<Bench, 'cores' | 'pinnedTo'>,
  data: string,
  args: readonly string[],
): ChildProcess {
  const cores = String(bench.cores);
  const [file, all] = pinned(bench, process.execPath, [...NODE_OPTIONS, MAIN, ...args]);
  return spawn(file, all, {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...process.env, HELIXMESH_DATA: data, HELIXMESH_CORES: cores, NO_COLOR: '1' },
  });
}

/** The program to start and its arguments; `taskset` becomes the program, so that its pid is that. */
function pinned(
  { pinnedTo }: Pick<Bench, 'pinnedTo'>,
  program: string,
  args: readonly string[],
): readonly [string, readonly string[]] {
  if (pinnedTo === null) return [program, args];
  return ['taskset', ['-c', String(pinnedTo), program, ...args]];
}

async function startDaemon(bench: Bench, data: string): Promise<ChildProcess> {
  const child = helixmesh(bench, data, ['up']);
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  let said = '';
  child.stdout?.resume();
  child.stderr?.setEncoding('utf8').on('data', (text: string) => {
    said += text;
    if (said.includes('is up')) resolve();
  });
  child.once('close', () => reject(broken('helixmesh up', said)));
  await promise;
  return child;
}

async function stop(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const closed = once(child, 'close');
  child.kill('SIGTERM');
  await closed;
}

/** Its standard output; throws when it failed. */
async function finished(child: ChildProcess, what: string): Promise<string> {
  let stdout = '';
  let stderr = '';
  child.stdout?.setEncoding('utf8').on('data', (text: string) => {
    stdout += text;
  });
  child.stderr?.setEncoding('utf8').on('data', (text: string) => {
    stderr += text;
  });
  const [code] = await once(child, 'close');
  if (code !== 0) throw broken(what, stderr);
  return stdout;
}

function pidOf({ pid }: ChildProcess): number {
  if (pid === undefined) throw broken('helixmesh', 'it could not be started');
  return pid;
}

function broken(what: string, said: string): AppError {
  return new AppError('TOOL_FAILED', `${what} failed: ${said.slice(-1_000)}`, {
    hint: 'Run `helixmesh doctor`, then the benchmark again.',
  });
}
