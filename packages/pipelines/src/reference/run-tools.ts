/**
 * Runs one pipeline of outside programs for `reference add`. The stages are joined by pipes of the
 * operating system, so that nothing but what `feed` gives passes through this process.
 */
import { type ChildProcess, type SpawnOptions, spawn } from 'node:child_process';
import { closeSync, openSync } from 'node:fs';
import type { Readable, Writable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { AppError } from '@helixmesh/protocol';
import type { ExternalToolName } from '../tools/catalogue.ts';
import { probeTool } from '../tools/probe.ts';
import { STDERR_TAIL_BYTES } from './limits.ts';

export interface ToolStage {
  readonly tool: ExternalToolName;
  readonly args: readonly string[];
  /** Java heap instead of the catalogue's; SnpEff only. */
  readonly heapMib?: number;
}

export interface RunToolsOptions {
  readonly cwd: string;
  readonly signal?: AbortSignal | undefined;
  /** What the first stage reads; nothing when absent. An AppError of it is what is thrown. */
  readonly feed?: AsyncIterable<Buffer>;
  /** File that receives the last stage's standard output. */
  readonly stdoutFile?: string;
  /** Takes the last stage's standard output instead of a file. */
  readonly take?: (stdout: Readable) => Promise<void>;
}

/** The ends of the stages' standard errors. Throws TOOL_MISSING, TOOL_VERSION or TOOL_FAILED. */
export async function runTools(
  stages: readonly ToolStage[],
  options: RunToolsOptions,
): Promise<readonly string[]> {
  const argvs = await Promise.all(stages.map(toolArgv));
  options.signal?.throwIfAborted();
  return runPrograms(argvs, options);
}

/** The same for plain argument vectors: a program of every system, such as `sort`. */
export async function runPrograms(
  argvs: readonly (readonly string[])[],
  options: RunToolsOptions,
): Promise<readonly string[]> {
  const output = options.stdoutFile === undefined ? null : openSync(options.stdoutFile, 'w');
  const children: ChildProcess[] = [];
  try {
    for (const [index, argv] of argvs.entries()) {
      const previous = children.at(-1)?.stdout ?? null;
      const isLast = index === argvs.length - 1;
      const stdin = previous ?? (options.feed === undefined ? 'ignore' : 'pipe');
      const takes = !isLast || options.take !== undefined;
      const stdout = takes ? 'pipe' : (output ?? 'ignore');
      children.push(start(argv, { cwd: options.cwd, stdio: [stdin, stdout, 'pipe'] }));
      // The child has its own copy; ours would keep the pipe open after the child's end.
      previous?.destroy();
    }
    return await finish(children, argvs, options);
  } finally {
    for (const child of children) if (child.exitCode === null) child.kill('SIGKILL');
    if (output !== null) closeSync(output);
  }
}

function start(argv: readonly string[], options: SpawnOptions): ChildProcess {
  const [file = '', ...args] = argv;
  const env = { PATH: process.env['PATH'], HOME: process.env['HOME'], LC_ALL: 'C' };
  return spawn(file, args, { ...options, env });
}

async function finish(
  children: readonly ChildProcess[],
  argvs: readonly (readonly string[])[],
  options: RunToolsOptions,
): Promise<readonly string[]> {
  const killAll = () => {
    for (const child of children) child.kill('SIGKILL');
  };
  options.signal?.addEventListener('abort', killAll, { once: true });
  const ends = children.map((child, i) => ended(child, argvs[i]?.[0] ?? ''));
  const first = children[0]?.stdin;
  const last = children.at(-1)?.stdout;
  const feeding =
    options.feed !== undefined && first != null ? feedInto(options.feed, first, killAll) : null;
  const taking = options.take !== undefined && last != null ? options.take(last) : null;
  const [results, feedEnd, takeEnd] = await Promise.all([
    Promise.all(ends),
    Promise.resolve(feeding),
    taking?.then(
      () => null,
      (error: unknown) => error,
    ) ?? null,
  ]);
  options.signal?.removeEventListener('abort', killAll);
  options.signal?.throwIfAborted();
  if (feedEnd instanceof AppError) throw feedEnd;
  const failed = results.find((result) => result.problem !== null);
  if (failed !== undefined) throw toolFailed(failed);
  if (feedEnd !== null) throw AppError.from(feedEnd);
  if (takeEnd !== null) throw AppError.from(takeEnd);
  return results.map((result) => result.stderr);
}

/** What went wrong while feeding, or null; a closed pipe is the reader's failure, told by it. */
async function feedInto(
  feed: AsyncIterable<Buffer>,
  target: Writable,
  killAll: () => void,
): Promise<unknown> {
  try {
    await pipeline(feed, target);
    return null;
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code;
    if (code === 'EPIPE' || code === 'ERR_STREAM_PREMATURE_CLOSE') return error;
    killAll();
    return error;
  }
}

interface StageEnd {
  readonly program: string;
  readonly problem: string | null;
  readonly stderr: string;
}

function ended(child: ChildProcess, program: string): Promise<StageEnd> {
  return new Promise((resolve) => {
    let stderr = '';
    child.stderr?.setEncoding('utf8').on('data', (text: string) => {
      stderr = (stderr + text).slice(-STDERR_TAIL_BYTES);
    });
    child.once('error', (error) => resolve({ program, problem: error.message, stderr }));
    child.once('close', (code, signal) => {
      // A stage whose reader ended first is not what failed.
      const isFine = code === 0 || signal === 'SIGPIPE';
      const problem = isFine ? null : signal === null ? `exit ${code}` : `signal ${signal}`;
      resolve({ program, problem, stderr });
    });
  });
}

function toolFailed(end: StageEnd): AppError {
  const name = end.program.split('/').at(-1) ?? end.program;
  const lines = end.stderr.trim().split('\n').slice(-5).join('\n');
  const text = `${end.problem} ${lines}`;
  if (/No space left on device/i.test(text)) {
    return new AppError('DISK_FULL', `${name}: no space left on the device`, {
      hint: 'Free disk space and add the reference again.',
    });
  }
  return new AppError('TOOL_FAILED', `${name} failed (${end.problem}): ${lines}`, {
    hint: 'Check the file that it read; `helixmesh doctor` checks the tools.',
  });
}

/** Whether a stage of this tool could start here. */
export async function hasTool(tool: ExternalToolName): Promise<boolean> {
  return (await probeTool(tool)).status === 'ok';
}

async function toolArgv(stage: ToolStage): Promise<readonly string[]> {
  const report = await probeTool(stage.tool);
  if (report.argv === null || report.status === 'missing' || report.status === 'broken') {
    throw new AppError('TOOL_MISSING', `${stage.tool}: ${report.problem ?? 'not usable'}`, {
      hint: `Install it: ${report.install}`,
    });
  }
  if (report.status === 'too_old') {
    throw new AppError('TOOL_VERSION', `${stage.tool}: ${report.problem ?? 'too old'}`, {
      hint: `Install version ${report.minimumVersion} or newer.`,
    });
  }
  const { heapMib } = stage;
  const argv =
    heapMib === undefined
      ? report.argv
      : report.argv.map((part) => (part.startsWith('-Xmx') ? `-Xmx${heapMib}m` : part));
  return [...argv, ...stage.args];
}
