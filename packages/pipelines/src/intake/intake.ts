/**
 * The builtin `intake`: the first task of every job. Reads the FASTQ files to their ends, side by
 * side in bounded memory, and refuses what later tools would misread, skip or fail on hours later.
 * The second of two large files is scanned in a thread of its own.
 *
 * Of several faults the one is told that comes first; R1's, where both files have one in pieces
 * that are compared with each other. How far a thread is ahead decides nothing.
 *
 * Args: `{ r1, r2 }`, relative names, r2 null for single reads. Writes `intake.json`.
 * Errors: INPUT_EMPTY, INPUT_TRUNCATED, INPUT_MALFORMED (details.record, 1-based), MATES_UNEQUAL,
 * INPUT_WRONG_FORMAT.
 */
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { AppError, canonicalJson } from '@helixmesh/protocol';
import { z } from 'zod';
import type { BuiltinContext } from '../task/builtin.ts';
import { FastqInput, type ReadsInput, type ReadsSummary } from './fastq-input.ts';
import { FastqThread } from './fastq-thread.ts';
import { APART_MIN_BYTES } from './limits.ts';

export const INTAKE_OUTPUT = 'intake.json';

export interface IntakeSummary {
  readonly r1: ReadsSummary;
  readonly r2: ReadsSummary | null;
}

const LF = 10;
const NO_NAMES = new Uint8Array(0);

const argsSchema = z.strictObject({ r1: z.string(), r2: z.string().nullable() });

/** `apartMinBytes`: from which size on R2 has a thread of its own, where two cores are granted. */
export async function intake(
  context: BuiltinContext,
  apartMinBytes = APART_MIN_BYTES,
): Promise<void> {
  const args = argsSchema.parse(context.args);
  const path = (name: string) => join(context.folder, name);
  const apartFrom = context.threads < 2 ? Number.POSITIVE_INFINITY : apartMinBytes;
  await using r1 = await FastqInput.open(path(args.r1), 'R1');
  await using r2 = args.r2 === null ? null : await openMates(path(args.r2), apartFrom);
  const sizeBytes = Math.max(1, r1.sizeBytes + (r2?.sizeBytes ?? 0));
  const progress = () => context.progress((r1.readBytes + (r2?.readBytes ?? 0)) / sizeBytes);
  if (r2 === null) await drain(r1, progress);
  else await readPairs(r1, r2, progress);
  const summary: IntakeSummary = { r1: r1.summary(), r2: r2?.summary() ?? null };
  if (summary.r1.digest === summary.r2?.digest) {
    throw new AppError('MATES_UNEQUAL', 'R1 and R2 are the same file', {
      hint: 'Give the file of first mates as R1 and the file of second mates as R2.',
    });
  }
  await writeFile(path(INTAKE_OUTPUT), `${canonicalJson(summary)}\n`);
  context.progress(1);
}

async function openMates(path: string, apartMinBytes: number): Promise<ReadsInput> {
  const label = 'R2';
  const input = await FastqInput.open(path, label);
  if (input.sizeBytes < apartMinBytes) return input;
  return new FastqThread({ path, label }, input.sizeBytes);
}

async function drain(input: ReadsInput, progress: () => void): Promise<void> {
  while ((await input.next()) !== null) progress();
}

async function readPairs(r1: ReadsInput, r2: ReadsInput, progress: () => void): Promise<void> {
  let left: Uint8Array = NO_NAMES;
  let right: Uint8Array = NO_NAMES;
  for (;;) {
    // Both are asked at once, so that both files are inflated at the same time.
    const [first, second] = await both(
      left.length === 0 ? r1.next() : left,
      right.length === 0 ? r2.next() : right,
    );
    progress();
    if (first === null && second === null) return;
    if (first === null || second === null) break;
    const length = Math.min(first.length, second.length);
    if (Buffer.compare(first.subarray(0, length), second.subarray(0, length)) !== 0) {
      throw namesDiffer(r1.reads - namesFromDifference(first, second) + 1);
    }
    left = first.subarray(length);
    right = second.subarray(length);
  }
  await both(drain(r1, progress), drain(r2, progress));
  throw countsDiffer(r1.reads, r2.reads);
}

/** Both, at the same time; where both fail, the error of the first. */
async function both<T>(first: T | Promise<T>, second: T | Promise<T>): Promise<[T, T]> {
  await Promise.allSettled([first, second]);
  return [await first, await second];
}

/** How many names of `left` end at its first difference from `right` or after it. */
function namesFromDifference(left: Uint8Array, right: Uint8Array): number {
  let at = 0;
  while (left[at] === right[at]) at++;
  let names = 0;
  for (let i = left.indexOf(LF, at); i >= 0; i = left.indexOf(LF, i + 1)) names++;
  return names;
}

function namesDiffer(record: number): AppError {
  return new AppError('MATES_UNEQUAL', `record ${record} has another name in R1 than in R2`, {
    hint: 'Give the two files of one run, neither sorted nor filtered apart from the other.',
    details: { record },
  });
}

function countsDiffer(r1: number, r2: number): AppError {
  if (r1 === 0 || r2 === 0) {
    return new AppError('INPUT_EMPTY', `${r1 === 0 ? 'R1' : 'R2'} has no reads`, {
      hint: 'Check that sequencing and copying produced this file.',
    });
  }
  return new AppError('MATES_UNEQUAL', `R1 has ${r1} reads and R2 has ${r2}`, {
    hint: 'One file was cut or filtered alone: copy both again and compare checksums.',
    details: { r1, r2 },
  });
}
