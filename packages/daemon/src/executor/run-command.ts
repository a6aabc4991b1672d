/**
 * Runs one tool command as processes and tells how each stage ended.
 *
 * R1  When this call answers, no process of the command is left.
 * R2  When the daemon dies, however it dies, no process is left: bubblewrap's pid namespace ends
 *     with its parent thread, and without bubblewrap the script's watcher kills the group (a tool
 *     that leaves its process group escapes; bubblewrap and cgroups are there for that).
 * R3  Nothing of the daemon's environment reaches a tool.
 * R4  A stage that dies by a signal takes the others with it: what they still have in their buffers
 *     may keep them busy for minutes, and nobody wants it any more.
 *
 * Must be called on the main thread: bubblewrap dies with the thread that started it.
 */
import { spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import { constants } from 'node:os';
import { join } from 'node:path';
import type { Readable, Writable } from 'node:stream';
import { AppError } from '@helixmesh/protocol';
import { recordProcess } from './leftover-process.ts';
import { KILL_GRACE_MS, PIPE_CLOSE_MS, STATUS_MAX_BYTES, STDERR_KEPT_BYTES } from './limits.ts';
import { KILL_AT_ONCE } from './sandbox/usage.ts';
import {
  FIRST_STDERR_FD,
  parseStatus,
  renderScript,
  type ScriptCommand,
  STATUS_FD,
  type StageStatus,
} from './script.ts';
import { TailBuffer } from './tail-buffer.ts';

const BASH = '/bin/bash';
const SAFE_PATH = '/usr/local/bin:/usr/bin:/bin';
/** A shell reports a child killed by signal n as 128 + n. */
const SIGNAL_BASE = 128;

export interface AttemptFolders {
  /** The attempt's own folder, which the two others are in. */
  readonly root: string;
  readonly work: string;
  readonly tmp: string;
}

export interface Containment {
  /**
   * The words before a command line that contain it; `script` is what it has to see. On the
   * descriptor `filterFd` it finds `filter`, if there is one.
   */
  wrap(at: { readonly script: string; readonly filterFd: number }): readonly string[];
  /** Filter of system calls; null for none. */
  readonly filter: Uint8Array | null;
}

export interface CommandRun {
  readonly command: ScriptCommand;
  readonly folders: AttemptFolders;
  readonly containment: Containment;
  /** Ends the command: gently at first, unless the reason is `KILL_AT_ONCE`. */
  readonly signal: AbortSignal;
  readonly onStarted?: (pid: number) => void;
}

export interface StageEnd {
  readonly stage: number;
  readonly exitCode: number | null;
  /** Name of the signal that killed it. */
  readonly signal: string | null;
}

export interface CommandEnd {
  /** In the order in which the stages ended; short when the whole command was killed. */
  readonly ended: readonly StageEnd[];
  /** How the script itself ended. */
  readonly exitCode: number | null;
  readonly signal: string | null;
  readonly wallMs: number;
  readonly cpuMs: number;
  /** Last part of each stage's standard error. */
  readonly stderr: readonly string[];
  /** What the shell or the sandbox said. */
  readonly shellStderr: string;
}

/** Throws TOOL_MISSING when bash or bubblewrap cannot be started. */
export async function runCommand(run: CommandRun): Promise<CommandEnd> {
  const { command, folders, containment } = run;
  // Commands that run beside each other share the folder.
  const script = join(folders.root, `command-${randomUUID()}.sh`);
  await writeFile(script, renderScript(command), { mode: 0o600 });
  const bash = [BASH, '--noprofile', '--norc', script];
  const stageFds = command.stages.map(() => 'pipe' as const);
  const filterFd = FIRST_STDERR_FD + stageFds.length;
  const [file = BASH, ...args] = [...containment.wrap({ script, filterFd }), ...bash];
  const filterFds = containment.filter === null ? [] : (['pipe'] as const);
  const startedMs = performance.now();
  const child = spawn(file, args, {
    cwd: folders.work,
    // Its own session and process group, so that it can be killed as one.
    detached: true,
    env: environment(folders.tmp),
    stdio: ['pipe', 'ignore', 'pipe', 'pipe', ...stageFds, ...filterFds],
  });
  giveFilter(child.stdio[filterFd] as Writable | undefined, containment.filter);
  const shell = collect(child.stdio[2] as Readable | null, STDERR_KEPT_BYTES);
  const status = collect(child.stdio[STATUS_FD] as Readable | null, STATUS_MAX_BYTES);
  child.stdio[STATUS_FD]?.on('data', () => {
    if (parseStatus(status.text()).ended.some(wasKilled)) killGroup(child.pid, 'SIGKILL'); // R4
  });
  const stderr = command.stages.map((_, i) =>
    collect(child.stdio[FIRST_STDERR_FD + i] as Readable | null, STDERR_KEPT_BYTES),
  );
  child.stdin?.on('error', () => {}); // The lifeline carries nothing; its end is what counts.

  let endedMs = startedMs;
  const closed = new Promise<{ exitCode: number | null; signal: string | null }>(
    (resolve, reject) => {
      child.once('error', (cause) => reject(startError(file, cause)));
      child.once('exit', () => {
        endedMs = performance.now();
        if (!run.signal.aborted) killGroup(child.pid, 'SIGKILL');
        const cut = (): void => {
          for (const stream of child.stdio) stream?.destroy();
        };
        setTimeout(cut, PIPE_CLOSE_MS).unref();
      });
      child.once('close', (exitCode, signal) => resolve({ exitCode, signal }));
    },
  );
  const stopWatching = killOnAbort(run.signal, child.pid);
  try {
    if (child.pid !== undefined) {
      // The record only helps the next daemon to sweep; R2 holds without it.
      await Promise.race([recordProcess(folders.root, child.pid), closed.catch(() => {})]);
      run.onStarted?.(child.pid);
    }
    const { exitCode, signal } = await closed;
    killGroup(child.pid, 'SIGKILL'); // A tool may have closed its pipes and ignored SIGTERM (R1).
    const { ended, cpuMs } = parseStatus(status.text());
    return {
      ended: ended.map(({ stage, status: code }) => ({ stage, ...splitStatus(code) })),
      exitCode,
      signal,
      wallMs: endedMs - startedMs,
      cpuMs,
      stderr: stderr.map((buffer) => buffer.text()),
      shellStderr: shell.text(),
    };
  } finally {
    stopWatching();
  }
}

function environment(tmp: string): Record<string, string> {
  return { PATH: SAFE_PATH, LC_ALL: 'C', LANG: 'C', TZ: 'UTC', HOME: tmp, TMPDIR: tmp };
}

/** Bubblewrap reads all of it before it starts anything, and gives nothing of it to the tool. */
function giveFilter(stream: Writable | undefined, filter: Uint8Array | null): void {
  stream?.on('error', () => {}); // Bubblewrap has failed before; its own message says why.
  stream?.end(filter);
}

function collect(stream: Readable | null, capacityBytes: number): TailBuffer {
  const buffer = new TailBuffer(capacityBytes);
  stream?.on('data', (chunk: Buffer) => buffer.push(chunk));
  stream?.on('error', () => {}); // A killed process resets its pipes; what came before counts.
  return buffer;
}

function killOnAbort(signal: AbortSignal, pid: number | undefined): () => void {
  let timer: NodeJS.Timeout | undefined;
  const kill = (): void => {
    const isAtOnce = signal.reason === KILL_AT_ONCE;
    killGroup(pid, isAtOnce ? 'SIGKILL' : 'SIGTERM');
    if (!isAtOnce) timer = setTimeout(() => killGroup(pid, 'SIGKILL'), KILL_GRACE_MS);
  };
  if (signal.aborted) kill();
  else signal.addEventListener('abort', kill, { once: true });
  return () => {
    signal.removeEventListener('abort', kill);
    clearTimeout(timer);
  };
}

function killGroup(pid: number | undefined, signal: NodeJS.Signals): void {
  if (pid === undefined) return;
  try {
    process.kill(-pid, signal);
  } catch (error) {
    // ESRCH: all of it has ended already. EPERM: macOS says so of zombies.
    const code = (error as NodeJS.ErrnoException).code;
    if (code !== 'ESRCH' && code !== 'EPERM') throw error;
  }
}

function splitStatus(status: number): Pick<StageEnd, 'exitCode' | 'signal'> {
  const signal = SIGNAL_NAMES.get(status - SIGNAL_BASE);
  if (signal !== undefined) return { exitCode: null, signal };
  return { exitCode: status, signal: null };
}

const SIGNAL_NAMES: ReadonlyMap<number, string> = new Map(
  Object.entries(constants.signals).map(([name, number]) => [number, name]),
);

/** By a signal, but not for want of a reader, which is another stage's fault. */
function wasKilled({ status }: StageStatus): boolean {
  const { signal } = splitStatus(status);
  return signal !== null && signal !== 'SIGPIPE';
}

function startError(file: string, cause: Error): AppError {
  return new AppError('TOOL_MISSING', `cannot start ${file}: ${cause.message}`, {
    hint: 'Install bash and bubblewrap: sudo apt-get install -y bash bubblewrap',
    cause,
  });
}
