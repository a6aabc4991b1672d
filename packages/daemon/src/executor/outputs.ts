/** Checks that a task made what it declared, and digests it. */
import { lstat, realpath } from 'node:fs/promises';
import { join } from 'node:path';
import {
  canonicalDigest,
  type OutputFormat,
  type OutputRecord,
  type TaskOutput,
  type TaskSpec,
} from '@helixmesh/pipelines';
import { AppError, type Digest } from '@helixmesh/protocol';
import type { EarlyDigests } from './early-digests.ts';
import { inWorker } from './in-worker.ts';
import { DIGESTS_AT_ONCE, INLINE_DIGEST_MAX_BYTES } from './limits.ts';

const INDEX_SUFFIX = /\.(bai|csi|tbi|fai)$/;

/**
 * Sizes and canonical digests by output name. An index takes the digest of its data file, which
 * must be an output too. Throws TOOL_FAILED for an output that is missing, empty (a `text` may be)
 * or no regular file, RESULT_DIFFERS for one that has not the content that it must have.
 */
export async function recordOutputs(
  work: string,
  spec: TaskSpec,
  { early, signal }: { readonly early: EarlyDigests; readonly signal: AbortSignal },
): Promise<Record<string, OutputRecord>> {
  const sizes = new Map<string, number>();
  for (const output of spec.outputs) sizes.set(output.name, await checkOutput(work, output));
  const digests = new Map<string, Digest>();
  const queue = spec.outputs.filter(({ format }) => format !== 'index');
  const worker = async (): Promise<void> => {
    for (let next = queue.shift(); next !== undefined; next = queue.shift()) {
      signal.throwIfAborted();
      const file = { path: join(work, next.name), format: next.format };
      const digest = await early.take(next.name);
      digests.set(next.name, digest ?? (await digestFile(file, sizes.get(next.name) ?? 0, signal)));
    }
  };
  await Promise.all(Array.from({ length: DIGESTS_AT_ONCE }, worker));
  const records: Record<string, OutputRecord> = {};
  for (const { name, format } of spec.outputs) {
    const source = format === 'index' ? name.replace(INDEX_SUFFIX, '') : name;
    const digest = digests.get(source);
    if (digest === undefined) {
      throw new AppError('INTERNAL', `output ${name} is the index of no output of its task`);
    }
    records[name] = { digest, sizeBytes: sizes.get(name) ?? 0 };
  }
  for (const { name, expected } of spec.outputs) {
    if (expected !== undefined && records[name]?.digest !== expected) throw differs(name);
  }
  return records;
}

function differs(name: string): AppError {
  return new AppError('RESULT_DIFFERS', `${name} is not the file that it was said to be`, {
    hint: 'Take it from another node that has made it.',
  });
}

async function checkOutput(work: string, { name, format }: TaskOutput): Promise<number> {
  const path = join(work, name);
  const failed = (problem: string): AppError =>
    new AppError('TOOL_FAILED', `output ${name} ${problem}`, {
      hint: 'Read `helixmesh logs` for what the tool said, and check the input files.',
    });
  let stat: Awaited<ReturnType<typeof lstat>>;
  let real: string;
  try {
    stat = await lstat(path);
    real = await realpath(path);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') throw failed('is missing');
    throw error;
  }
  // A link, in the name or on the way to it, would publish what lies outside the folder.
  if (!stat.isFile() || real !== path) throw failed('is not a regular file in its folder');
  if (stat.size === 0 && format !== 'text') throw failed('is empty');
  return stat.size;
}

async function digestFile(
  { path, format }: { readonly path: string; readonly format: OutputFormat },
  sizeBytes: number,
  signal: AbortSignal,
): Promise<Digest> {
  if (sizeBytes <= INLINE_DIGEST_MAX_BYTES) {
    return (await canonicalDigest(path, format)).digest;
  }
  return (await inWorker({ kind: 'digest', path, format }, { signal })) as Digest;
}
