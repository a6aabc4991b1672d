/**
 * The store of results: `<storeRoot>/<first 2 hex of the key>/<hex of the key>/` holds the outputs
 * of one task under their names and `result.json`.
 *
 * P1  A folder appears by one rename with everything in it durable, so whoever sees it may use it.
 * P2  The first to publish a key wins; what stands is never replaced. Outputs that were deleted
 *     since, to save room, are put back when the task has run again.
 */
import { existsSync } from 'node:fs';
import { chmod, mkdir, open, readFile, rename } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import {
  isSafeRelativeName,
  type OutputRecord,
  type TaskResult,
  type TaskSpec,
} from '@helixmesh/pipelines';
import { AppError, DIGEST_PATTERN, parseTaskKey, type TaskKey } from '@helixmesh/protocol';
import { z } from 'zod';
import { makeDurable } from '../durable.ts';

export const RESULT_NAME = 'result.json';

const resultSchema = z.strictObject({
  key: z.string().regex(DIGEST_PATTERN),
  outputs: z.record(
    z.string(),
    z.strictObject({ digest: z.string().regex(DIGEST_PATTERN), sizeBytes: z.int().min(0) }),
  ),
});

/** Absolute path of a task's folder in the store, whether it is there or not. */
export function publishedFolder(storeRoot: string, key: TaskKey): string {
  const hex = parseTaskKey(key).slice('sha256:'.length);
  return join(storeRoot, hex.slice(0, 2), hex);
}

/** Absolute path of one published output. Throws INTERNAL for a name that leaves the folder. */
export function publishedPath(storeRoot: string, key: TaskKey, output: string): string {
  if (!isSafeRelativeName(output)) {
    const shown = JSON.stringify(output.slice(0, 100));
    throw new AppError('INTERNAL', `not the name of an output: ${shown}`);
  }
  return join(publishedFolder(storeRoot, key), output);
}

/** The result that stands under `key`, or null when none does. */
export async function readPublished(storeRoot: string, key: TaskKey): Promise<TaskResult | null> {
  let text: string;
  try {
    text = await readFile(join(publishedFolder(storeRoot, key), RESULT_NAME), 'utf8');
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code;
    if (code === 'ENOENT' || code === 'ENOTDIR') return null;
    throw error;
  }
  const parsed = resultSchema.safeParse(parseJson(text));
  if (!parsed.success || parsed.data.key !== key) return null;
  return parsed.data as TaskResult;
}

export interface Publication {
  readonly storeRoot: string;
  readonly key: TaskKey;
  /** Working folder that the outputs are taken from. */
  readonly work: string;
  /** Empty folder beside it, on the file system of the store. */
  readonly staging: string;
  readonly spec: TaskSpec;
  readonly outputs: Readonly<Record<string, OutputRecord>>;
}

/** Moves the outputs into the store (P1); answers the result that stands afterwards (P2). */
export async function publish(
  publication: Publication,
): Promise<{ result: TaskResult; wasPublished: boolean }> {
  const { storeRoot, key, work, staging, spec, outputs } = publication;
  const result: TaskResult = { key, outputs };
  for (const { name } of spec.outputs) {
    const target = join(staging, name);
    await mkdir(dirname(target), { recursive: true, mode: 0o700 });
    await rename(join(work, name), target);
    await makeDurable(target);
    await chmod(target, 0o400);
  }
  const file = await open(join(staging, RESULT_NAME), 'wx', 0o400);
  try {
    await file.writeFile(`${JSON.stringify(result)}\n`);
    await file.sync();
  } finally {
    await file.close();
  }
  const folders = new Set(spec.outputs.map(({ name }) => dirname(join(staging, name))));
  for (const folder of [...folders, staging]) await makeDurable(folder);
  const target = publishedFolder(storeRoot, key);
  await mkdir(dirname(target), { recursive: true, mode: 0o700 });
  return (await moveInto(publication, target)) ?? { result, wasPublished: false };
}

/** Null when the folder was moved, else the result that stood there before. */
async function moveInto(
  publication: Publication,
  target: string,
): Promise<{ result: TaskResult; wasPublished: boolean } | null> {
  const { storeRoot, key, staging } = publication;
  for (let tries = 0; tries < 2; tries++) {
    try {
      await rename(staging, target);
      await makeDurable(dirname(target));
      return null;
    } catch (error) {
      throwUnlessTaken(error);
    }
    const result = await readPublished(storeRoot, key);
    if (result !== null) return restoreInto(publication, { target, result });
    // A folder without a readable result is damage of the disk; P1 never leaves one.
    await rename(target, `${staging}.damaged`);
  }
  throw new AppError('CONFLICT', 'the place of a result is taken by something unreadable', {
    hint: 'Check the disk that holds the data folder, then resume the job.',
  });
}

/** Puts deleted outputs back into a folder that stands; another result is left to the caller. */
async function restoreInto(
  { staging, spec, key, outputs }: Publication,
  { target, result }: { target: string; result: TaskResult },
): Promise<{ result: TaskResult; wasPublished: boolean }> {
  const missing = spec.outputs.filter(({ name }) => !existsSync(join(target, name)));
  if (missing.length === 0) return { result, wasPublished: true };
  const isSame = spec.outputs.every(
    ({ name }) => outputs[name]?.digest === result.outputs[name]?.digest,
  );
  if (!isSame) return { result: { key, outputs }, wasPublished: false };
  for (const { name } of missing) await rename(join(staging, name), join(target, name));
  await makeDurable(target);
  return { result, wasPublished: false };
}

function throwUnlessTaken(error: unknown): void {
  const code = (error as NodeJS.ErrnoException).code;
  if (code === 'ENOTEMPTY' || code === 'EEXIST' || code === 'ENOTDIR') return;
  if (code !== 'EXDEV') throw error;
  throw new AppError('CONFIG_INVALID', 'scratch and store are on different file systems', {
    hint: 'Put both below one data folder.',
    cause: error,
  });
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null; // Not a result; the caller says so.
  }
}
