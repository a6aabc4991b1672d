/**
 * Runs one attempt of a task from empty folder to published result.
 *
 * E1  It answers an outcome and never throws for what tools, disks or inputs do.
 * E2  Its scratch folder is gone when it answers.
 * E3  Nothing appears in the store but by `publish`.
 * E4  The tools are those versions that the key names, or the attempt fails.
 * E5  A key whose outputs all stand in the store is not made again: the daemon died after they were
 *     published and before anybody was told.
 */
import { existsSync } from 'node:fs';
import { mkdir, realpath, stat, symlink, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import {
  type Command,
  checkSpecNames,
  installCommand,
  type TaskSpec,
  type ToolName,
} from '@helixmesh/pipelines';
import { AppError, type ErrorRecord, parseAttemptId } from '@helixmesh/protocol';
import { EarlyDigests } from './early-digests.ts';
import {
  INPUTS_MAX,
  OUTPUTS_MAX,
  STAGES_MAX,
  STDERR_TAIL_BYTES,
  STDERR_TAIL_LINES,
} from './limits.ts';
import type { AttemptOutcome, AttemptRequest, CompleteAttempt, FailedAttempt } from './outcome.ts';
import { recordOutputs } from './outputs.ts';
import { publish, publishedPath, RESULT_NAME, readPublished } from './publish.ts';
import { printableCommand } from './quote.ts';
import type { AttemptFolders } from './run-command.ts';
import { type Progress, runTogether, startedTogether } from './run-together.ts';
import type { PlacedInputs } from './sandbox/sandbox.ts';
import { removeFolder } from './sweep.ts';
import { lastLines } from './tail-buffer.ts';

export async function runAttempt(request: AttemptRequest): Promise<AttemptOutcome> {
  const root = join(request.scratchRoot, parseAttemptId(request.attemptId));
  const progress: Progress = {
    wallMs: 0,
    cpuMs: 0,
    stderr: '',
    failure: { exitCode: null, signal: null, failedStage: null },
  };
  try {
    return await runIn(root, request, progress);
  } catch (thrown) {
    if (request.signal.aborted) return { status: 'canceled' };
    return failed(request, progress, AppError.from(thrown).toRecord());
  } finally {
    // A folder that cannot be deleted now is swept at the next start; the outcome stands (E1).
    await removeFolder(root).catch(() => {});
  }
}

async function runIn(
  root: string,
  request: AttemptRequest,
  progress: Progress,
): Promise<AttemptOutcome> {
  const { spec, signal } = request;
  checkSpec(spec);
  signal.throwIfAborted();
  const standing = await standingResult(request);
  if (standing !== null) return complete(request, progress, standing);
  checkTools(request);
  const folders = await makeFolders(root);
  const inputs = await placeInputs(folders.work, request);
  await makeOutputFolders(folders.work, spec);
  const early = new EarlyDigests(folders.work, spec, signal);
  for (const commands of startedTogether(spec.commands)) {
    signal.throwIfAborted();
    await early.begin();
    const error = await runTogether(commands, { request, folders, inputs, progress });
    signal.throwIfAborted();
    if (error !== null) return failed(request, progress, error);
  }
  request.onComputed?.();
  const outputs = await recordOutputs(folders.work, spec, { early, signal });
  signal.throwIfAborted();
  const staging = join(folders.root, 'publish');
  await mkdir(staging, { mode: 0o700 });
  const { storeRoot, key } = request;
  const published = await publish({ storeRoot, key, work: folders.work, staging, spec, outputs });
  return complete(request, progress, published);
}

/** E5 */
async function standingResult({
  storeRoot,
  key,
  spec,
}: AttemptRequest): Promise<Pick<CompleteAttempt, 'result' | 'wasPublished'> | null> {
  const isWhole = spec.outputs.every(({ name }) => existsSync(publishedPath(storeRoot, key, name)));
  const result = isWhole ? await readPublished(storeRoot, key) : null;
  return result === null ? null : { result, wasPublished: true };
}

function complete(
  { spec }: AttemptRequest,
  { wallMs, cpuMs, stderr }: Progress,
  published: Pick<CompleteAttempt, 'result' | 'wasPublished'>,
): CompleteAttempt {
  const command = printable(spec);
  return { status: 'complete', ...published, wallMs, cpuMs, command, stderrTail: tail(stderr) };
}

function checkSpec(spec: TaskSpec): void {
  checkSpecNames(spec);
  const stages = spec.commands.map((command) =>
    command.kind === 'tools' ? command.stages.length : 1,
  );
  const isBad =
    spec.outputs.some(({ name }) => name === RESULT_NAME) ||
    spec.inputs.length > INPUTS_MAX ||
    spec.outputs.length > OUTPUTS_MAX ||
    stages.some((count) => count < 1 || count > STAGES_MAX);
  if (isBad) throw new AppError('INTERNAL', `task ${spec.name} is not well formed`);
}

/** E4 */
function checkTools({ spec, tools }: AttemptRequest): void {
  const used = new Set(spec.commands.flatMap(toolsOf));
  for (const name of used) {
    const wanted = spec.toolVersions[name];
    const found = tools[name];
    if (found === undefined) {
      throw new AppError('TOOL_MISSING', `${name} is not usable here`, { hint: installHint(name) });
    }
    if (wanted !== found.version) {
      const said = wanted ?? 'a version that the task does not name';
      throw new AppError('TOOL_VERSION', `${name} is ${found.version}, the task needs ${said}`, {
        hint: `Install ${name} ${wanted ?? ''} again, or submit the job anew to use this one.`,
      });
    }
  }
}

function toolsOf(command: Command): readonly ToolName[] {
  return command.kind === 'tools' ? command.stages.map(({ tool }) => tool) : ['helixmesh'];
}

function installHint(name: ToolName): string {
  if (name === 'helixmesh') return 'Install helixmesh again.';
  return `Install it: ${installCommand([name])}`;
}

async function makeFolders(root: string): Promise<AttemptFolders> {
  await mkdir(dirname(root), { recursive: true, mode: 0o700 });
  const real = join(await realpath(dirname(root)), root.slice(dirname(root).length + 1));
  await removeFolder(real);
  const folders = { root: real, work: join(real, 'work'), tmp: join(real, 'tmp') };
  for (const folder of Object.values(folders)) await mkdir(folder, { mode: 0o700 });
  return folders;
}

async function placeInputs(work: string, request: AttemptRequest): Promise<PlacedInputs> {
  const links = new Map<string, string>();
  let sizeBytes = 0;
  for (const input of request.spec.inputs) {
    const path = join(work, input.name);
    await mkdir(dirname(path), { recursive: true, mode: 0o700 });
    if (input.kind === 'text') {
      await writeFile(path, input.text, { mode: 0o600 });
      continue;
    }
    const real = await existing(await request.resolveInput(input), input.name);
    await symlink(real, path);
    links.set(input.name, real);
    sizeBytes += (await stat(real)).size;
  }
  return { links, sizeBytes };
}

async function existing(path: string, name: string): Promise<string> {
  try {
    return await realpath(path);
  } catch (cause) {
    throw new AppError('INPUT_NOT_FOUND', `input ${name} is not there`, {
      hint: 'Put the file back where it was, then resume the job.',
      cause,
    });
  }
}

async function makeOutputFolders(work: string, spec: TaskSpec): Promise<void> {
  const stdouts = spec.commands.map((command) =>
    command.kind === 'tools' ? command.stdout : undefined,
  );
  for (const name of [...spec.outputs.map((output) => output.name), ...stdouts]) {
    if (name === undefined) continue;
    const folder = dirname(join(work, name));
    await mkdir(folder, { recursive: true, mode: 0o700 });
  }
}

function failed(request: AttemptRequest, progress: Progress, error: ErrorRecord): FailedAttempt {
  return {
    status: 'failed',
    error,
    wallMs: progress.wallMs,
    ...progress.failure,
    command: printable(request.spec),
    stderrTail: tail(progress.stderr),
  };
}

function tail(text: string): string {
  return lastLines(text, { lines: STDERR_TAIL_LINES, bytes: STDERR_TAIL_BYTES });
}

/** As the task states it, without paths of this machine. */
function printable(spec: TaskSpec): string {
  const lines = spec.commands.map((command) => {
    if (command.kind === 'builtin') return `helixmesh ${command.name}`;
    const stages = command.stages.map(({ tool, args }) => [tool, ...args]);
    return printableCommand(stages, command.stdout);
  });
  return lines.join('\n');
}
