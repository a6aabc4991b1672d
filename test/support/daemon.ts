/** A daemon as users run it: a process of its own, reached through its socket. */
import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { type Client, createClient } from '@helixmesh/client';
import { nodePaths } from '@helixmesh/daemon/data-folder';
import type { JobView } from '@helixmesh/protocol';
import { JOB_DEADLINE_MS, START_DEADLINE_MS } from './limits.ts';
import { enginePid, killHard } from './processes.ts';
import { waitFor } from './wait-for.ts';

const ROOT = join(import.meta.dirname, '..', '..');
const NODE_ARGS = ['--conditions=development', '--disable-warning=ExperimentalWarning'];
const CLI = join(ROOT, 'apps', 'cli', 'src', 'main.ts');

export interface DaemonOptions {
  readonly dataDir: string;
  readonly env?: Readonly<Record<string, string>>;
  /** What runs: the command line with `up`, unless told otherwise. */
  readonly argv?: readonly string[];
}

export interface Daemon {
  readonly pid: number;
  readonly client: Client;
  /** Monotonic milliseconds at which the process was started. */
  readonly startedMs: number;
  /** kill -9, and waits until it is gone. */
  kill(): Promise<void>;
  /** SIGTERM; answers exit code and milliseconds until the exit. */
  terminate(): Promise<{ code: number | null; tookMs: number }>;
}

/** Starts a daemon over `dataDir` and answers when it takes requests. */
export async function startDaemon({ dataDir, env, argv }: DaemonOptions): Promise<Daemon> {
  const command = argv ?? [CLI, '--data', dataDir, 'up', '--log-level', 'trace'];
  const startedMs = performance.now();
  const child = spawn(process.execPath, [...NODE_ARGS, ...command], {
    cwd: ROOT,
    env: { ...process.env, ...env },
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  let said = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    said += text;
  });
  const client = createClient({ socketPath: nodePaths(dataDir).apiSocket });
  try {
    await waitFor(() => isUp(client, child, () => said), {
      deadline: START_DEADLINE_MS,
      what: 'the daemon answers',
    });
  } catch (error) {
    child.kill('SIGKILL');
    process.stderr.write(said);
    throw error;
  }
  return control(child, client, startedMs);
}

async function isUp(
  client: Client,
  child: ChildProcess,
  said: () => string,
): Promise<true | undefined> {
  assert.ok(isAlive(child), `the daemon ended while it started: ${said()}`);
  try {
    const { pid } = await client.call('getHealth', { params: {} });
    return pid === child.pid ? true : undefined;
  } catch {
    return undefined; // Not listening yet.
  }
}

function control(child: ChildProcess, client: Client, startedMs: number): Daemon {
  const end = async (signal: NodeJS.Signals) => {
    const beganMs = performance.now();
    if (isAlive(child)) {
      const exited = once(child, 'exit');
      child.kill(signal);
      await exited;
    }
    return { code: child.exitCode, tookMs: performance.now() - beganMs };
  };
  return {
    pid: child.pid ?? 0,
    client,
    startedMs,
    kill: async () => void (await end('SIGKILL')),
    terminate: () => end('SIGTERM'),
  };
}

function isAlive(child: ChildProcess): boolean {
  return child.exitCode === null && child.signalCode === null;
}

/** Ends a daemon after a test, and the engine that a killed one left behind. */
export async function cleanUp(dataDir: string, daemon: Daemon | null): Promise<void> {
  await daemon?.terminate();
  const engine = enginePid(dataDir);
  if (engine !== undefined) killHard(engine);
}

export function getJob(client: Client, jobId: string): Promise<JobView> {
  return client.call('getJob', { params: { jobId } });
}

/** Waits until the job stands in `state`; another final state, or a pause, is a failure. */
export async function waitForState(
  client: Client,
  jobId: string,
  state: JobView['state'],
  deadline: number = JOB_DEADLINE_MS,
): Promise<JobView> {
  return waitFor(
    async () => {
      const job = await getJob(client, jobId);
      if (job.state === state) return job;
      const isStuck = job.state.endsWith('ERROR') || ['PAUSED', 'COMPLETE'].includes(job.state);
      assert.ok(!isStuck, `the job is ${job.state}, not ${state}: ${JSON.stringify(job.reason)}`);
      return undefined;
    },
    { deadline, what: `job ${jobId} is ${state}` },
  );
}

/** Runs the command line to its end. */
export async function runCli(
  dataDir: string,
  args: readonly string[],
): Promise<{ code: number | null; stdout: string; stderr: string }> {
  const child = spawn(process.execPath, [...NODE_ARGS, CLI, '--data', dataDir, ...args], {
    cwd: ROOT,
    env: { ...process.env, NO_COLOR: '1' },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const said = { stdout: '', stderr: '' };
  for (const stream of ['stdout', 'stderr'] as const) {
    child[stream].setEncoding('utf8').on('data', (text: string) => {
      said[stream] += text;
    });
  }
  const [code] = await once(child, 'close');
  return { code, ...said };
}
