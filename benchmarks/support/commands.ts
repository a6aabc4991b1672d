/** `helixmesh` and `biofs` as processes of their own, as people run them, and how they are awaited. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { AppError } from '@helixmesh/protocol';

const APPS = join(import.meta.dirname, '../../apps/cli/src');
const MAINS = {
  helixmesh: join(APPS, 'main.ts'),
  biofs: join(APPS, 'biofs', 'main.ts'),
} as const;
const NODE_ARGS = ['--conditions=development', '--disable-warning=ExperimentalWarning'];
/** Between two looks at the memory of a process, ms. The kernel keeps the peak. */
const LOOK_MS = 50;
/** Of what a program has said, kept for the message that it failed. */
const SAID_CHARS_MAX = 2_000;

export interface CommandLine {
  readonly program: string;
  readonly args: readonly string[];
  /** Beside what this process has. */
  readonly env?: Readonly<Record<string, string>>;
}

export interface Took {
  readonly ms: number;
  /** Largest resident memory of the command, bytes; 0 where it was not seen. */
  readonly peakBytes: number;
  readonly stdout: string;
}

/** Answers come as JSON. */
export function commandOf(
  program: keyof typeof MAINS,
  dataDir: string,
  args: readonly string[],
  env: Readonly<Record<string, string>> = {},
): CommandLine {
  const all = [...NODE_ARGS, MAINS[program], '--data', dataDir, '--json', ...args];
  return { program: process.execPath, args: all, env: { NO_COLOR: '1', ...env } };
}

export function startCommand({ program, args, env }: CommandLine): ChildProcess {
  const all = { ...process.env, ...env };
  return spawn(program, args, { stdio: ['ignore', 'pipe', 'pipe'], env: all });
}

/** Runs a command to its end. Throws TOOL_FAILED with what it has said. */
export async function timed(line: CommandLine): Promise<Took> {
  const startedMs = performance.now();
  const child = startCommand(line);
  let peakBytes = 0;
  const look = setInterval(() => {
    peakBytes = Math.max(peakBytes, peakMemory(child.pid));
  }, LOOK_MS);
  try {
    const stdout = await finished(child, line.args.join(' '));
    return { ms: performance.now() - startedMs, peakBytes, stdout };
  } finally {
    clearInterval(look);
  }
}

/** Its standard output. Throws TOOL_FAILED. */
export async function finished(child: ChildProcess, what: string): Promise<string> {
  let stdout = '';
  let stderr = '';
  child.stdout?.setEncoding('utf8').on('data', (text: string) => {
    stdout += text;
  });
  child.stderr?.setEncoding('utf8').on('data', (text: string) => {
    stderr += text;
  });
  const [code] = await once(child, 'close');
  if (code === 0) return stdout;
  throw broken(what, `${stdout}${stderr}`);
}

/** What a program that goes on says first that matches; it is read to its end. Throws TOOL_FAILED. */
export async function untilSaid(child: ChildProcess, pattern: RegExp): Promise<RegExpExecArray> {
  const heard = Promise.withResolvers<RegExpExecArray>();
  let said = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream?.setEncoding('utf8').on('data', (text: string) => {
      said = `${said}${text}`;
      const match = pattern.exec(said);
      if (match !== null) heard.resolve(match);
    });
  }
  child.once('error', heard.reject);
  child.once('close', () => heard.reject(broken('a program that was to go on', said)));
  return heard.promise;
}

/** SIGTERM, and waits until it is gone. */
export async function stopCommand(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const closed = once(child, 'close');
  child.kill('SIGTERM');
  await closed;
}

/** VmHWM of /proc/PID/status, bytes; 0 for a process that has ended. */
export function peakMemory(pid: number | undefined): number {
  try {
    const status = readFileSync(`/proc/${pid}/status`, 'utf8');
    return Number(/^VmHWM:\s+(\d+) kB$/m.exec(status)?.[1] ?? 0) * 1024;
  } catch {
    return 0;
  }
}

function broken(what: string, said: string): AppError {
  return new AppError('TOOL_FAILED', `${what} failed: ${said.slice(-SAID_CHARS_MAX)}`, {
    hint: 'Run `helixmesh doctor`, then the benchmark again.',
  });
}
