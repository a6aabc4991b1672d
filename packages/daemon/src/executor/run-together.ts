/**
 * Runs commands of a task: those that go together at the same time, the groups one after the other.
 *
 * G1  When one command of a group fails the others are ended; the first failure is the one told.
 * G2  The commands of a group share one cgroup, and it is empty and gone before the next begins.
 */
import { statfs } from 'node:fs/promises';
import type { BuiltinCommand, Command, ToolCommand } from '@helixmesh/pipelines';
import { AppError, type ErrorRecord } from '@helixmesh/protocol';
import { diagnose } from './diagnose.ts';
import { inWorker } from './in-worker.ts';
import { DISK_FULL_BYTES } from './limits.ts';
import type { AttemptRequest, FailedAttempt } from './outcome.ts';
import { type AttemptFolders, runCommand } from './run-command.ts';
import { requireNoLinks } from './sandbox/no-links.ts';
import { openSandbox, type PlacedInputs, type Sandbox } from './sandbox/sandbox.ts';

/** What an attempt has used and said so far. */
export interface Progress {
  wallMs: number;
  cpuMs: number;
  stderr: string;
  /** How the culprit ended, once a command has failed. */
  failure: Pick<FailedAttempt, 'exitCode' | 'signal' | 'failedStage'>;
}

interface Attempt {
  readonly request: AttemptRequest;
  readonly folders: AttemptFolders;
  readonly inputs: PlacedInputs;
  readonly progress: Progress;
}

/** The commands in groups: one with `beside` belongs to the group of the one before it. */
export function startedTogether(commands: readonly Command[]): Command[][] {
  const groups: Command[][] = [];
  for (const command of commands) {
    const isBeside = command.kind === 'tools' && command.beside === true;
    const last = isBeside ? groups.at(-1) : undefined;
    if (last === undefined) groups.push([command]);
    else last.push(command);
  }
  return groups;
}

/** Null when all ended well. */
export async function runTogether(
  commands: readonly Command[],
  { request, folders, inputs, progress }: Attempt,
): Promise<ErrorRecord | null> {
  const startedMs = performance.now();
  const failing = new AbortController();
  const hasTools = commands.some(({ kind }) => kind === 'tools');
  await using sandbox = hasTools ? await openSandbox(request, { folders, inputs }) : null;
  const ending = [request.signal, failing.signal, ...(sandbox === null ? [] : [sandbox.signal])];
  const signal = AbortSignal.any(ending);
  let first: Ended | null = null;
  const ended = await Promise.all(
    commands.map(async (command) => {
      const attempt = { request: { ...request, signal }, folders, inputs };
      const one = await runOne(command, attempt, sandbox).catch((thrown) =>
        endedBy(command, thrown),
      );
      if (one.error === null) request.meter?.ended(command);
      if (one.error !== null) first ??= one;
      if (one.error !== null) failing.abort();
      return one;
    }),
  );
  progress.wallMs += performance.now() - startedMs;
  for (const { cpuMs } of ended) progress.cpuMs += cpuMs;
  const told = first === null ? ended : [first as Ended];
  progress.stderr = told
    .map(({ stderr }) => stderr)
    .filter((text) => text !== '')
    .join('\n');
  progress.failure = told[0]?.failure ?? progress.failure;
  return told[0]?.error ?? null;
}

interface Ended {
  readonly error: ErrorRecord | null;
  readonly failure: Progress['failure'];
  readonly cpuMs: number;
  readonly stderr: string;
}

const NO_FAILURE = { exitCode: null, signal: null, failedStage: null } as const;

/** A command that threw has failed like any other: the rest of its group is still to be ended (G1). */
function endedBy(command: Command, thrown: unknown): Ended {
  const failedStage = command.kind === 'builtin' ? command.name : null;
  const error = AppError.from(thrown).toRecord();
  return { error, failure: { ...NO_FAILURE, failedStage }, cpuMs: 0, stderr: '' };
}

async function runOne(
  command: Command,
  attempt: Pick<Attempt, 'request' | 'folders' | 'inputs'>,
  sandbox: Sandbox | null,
): Promise<Ended> {
  if (command.kind === 'builtin') return runBuiltin(command, attempt);
  if (sandbox === null) throw new AppError('INTERNAL', 'a tool command has no sandbox');
  return runTools(command, attempt, sandbox);
}

async function runTools(
  command: ToolCommand,
  { request, folders }: Pick<Attempt, 'request' | 'folders'>,
  sandbox: Sandbox,
): Promise<Ended> {
  const { signal } = request;
  const stages = command.stages.map(({ tool, args }) => [
    ...sandbox.argvOf(tool),
    ...args.map((arg) => arg.replaceAll('{threads}', String(request.threads))),
  ]);
  const { stdout } = command;
  const end = await runCommand({
    command: {
      stages,
      ...(stdout === undefined ? {} : { stdout }),
      fileMaxBytes: sandbox.limits.scratchBytes,
    },
    folders,
    containment: sandbox,
    signal,
    onStarted: (pid) => {
      request.meter?.started(command, { pid, work: folders.work });
      request.onStarted?.(pid);
    },
  });
  const diagnosis = diagnose(command.stages, end, {
    isDiskFull: await isDiskFull(folders.root),
    limits: sandbox.limits,
    refused: sandbox.refused(),
  });
  if (diagnosis === null) {
    const stderr = end.stderr.filter((text) => text !== '').join('\n');
    return { error: null, failure: NO_FAILURE, cpuMs: end.cpuMs, stderr };
  }
  const { error, stderr, ...failure } = diagnosis;
  return { error, failure, cpuMs: end.cpuMs, stderr };
}

async function runBuiltin(
  command: BuiltinCommand,
  { request, folders, inputs }: Pick<Attempt, 'request' | 'folders' | 'inputs'>,
): Promise<Ended> {
  const { name, args } = command;
  const { threads, signal, meter, builtinModule } = request;
  const module = builtinModule === undefined ? {} : { module: builtinModule };
  await requireNoLinks(folders.work, inputs.links);
  await inWorker(
    { kind: 'builtin', name, args, folder: folders.work, threads, ...module },
    { signal, onProgress: (fraction) => meter?.reached(command, fraction) },
  );
  return { error: null, failure: NO_FAILURE, cpuMs: 0, stderr: '' };
}

async function isDiskFull(folder: string): Promise<boolean> {
  const { bavail, bsize } = await statfs(folder);
  return bavail * bsize < DISK_FULL_BYTES;
}
