/** Runs the command line as a user does: a process of its own, in a folder of its own. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestContext } from 'node:test';

const MAIN = join(import.meta.dirname, '..', 'main.ts');
const BIOFS_MAIN = join(import.meta.dirname, '..', 'biofs', 'main.ts');
const NODE_OPTIONS = ['--conditions=development', '--disable-warning=ExperimentalWarning'];

export interface Outcome {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

export interface Bench {
  readonly folder: string;
  readonly env: NodeJS.ProcessEnv;
}

/** A temporary folder with its own data folder in it, deleted after the test. */
export async function makeBench(t: TestContext): Promise<Bench> {
  const folder = await mkdtemp(join(tmpdir(), 'hm-cli-'));
  t.after(() => rm(folder, { recursive: true, force: true, maxRetries: 5 }));
  const { FORCE_COLOR: _, ...inherited } = process.env;
  const env = { ...inherited, HELIXMESH_DATA: join(folder, 'data'), NO_COLOR: '1' };
  return { folder, env };
}

export function startCli(bench: Bench, args: readonly string[], main = MAIN): ChildProcess {
  return spawn(process.execPath, [...NODE_OPTIONS, main, ...args], {
    cwd: bench.folder,
    env: bench.env,
    stdio: ['ignore', 'pipe', 'pipe'],
  });
}

export function runCli(bench: Bench, args: readonly string[]): Promise<Outcome> {
  return outcomeOf(startCli(bench, args));
}

export function startBiofs(bench: Bench, args: readonly string[]): ChildProcess {
  return startCli(bench, args, BIOFS_MAIN);
}

export function runBiofs(bench: Bench, args: readonly string[]): Promise<Outcome> {
  return outcomeOf(startBiofs(bench, args));
}

async function outcomeOf(child: ChildProcess): Promise<Outcome> {
  let stdout = '';
  let stderr = '';
  child.stdout?.setEncoding('utf8').on('data', (text: string) => {
    stdout += text;
  });
  child.stderr?.setEncoding('utf8').on('data', (text: string) => {
    stderr += text;
  });
  const [code] = await once(child, 'close');
  return { code, stdout, stderr };
}

/**
 * Starts a daemon, waits until it takes jobs, and stops it after the test. Answers what stops it
 * before that.
 */
export async function startDaemon(
  t: TestContext,
  bench: Bench,
  args: readonly string[] = ['up'],
): Promise<() => Promise<void>> {
  const child = startCli(bench, args);
  const closed = once(child, 'close');
  const stop = async () => {
    child.kill('SIGTERM');
    await closed;
  };
  t.after(stop);
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  let said = '';
  child.stderr?.setEncoding('utf8').on('data', (text: string) => {
    said += text;
    if (said.includes('is up')) resolve();
  });
  void closed.then(() => reject(new Error(`the daemon ended: ${said}`)));
  await promise;
  return stop;
}
