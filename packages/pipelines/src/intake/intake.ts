/**
 * The builtin `intake`: the first task of every job. Reads the FASTQ files to their ends, side by
 * side in bounded memory, and refuses what later tools would misread, skip or fail on hours later.
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
import { FastqInput, type ReadsSummary } from './fastq-input.ts';
import type { NameBatch } from './scan-fastq.ts';

export const INTAKE_OUTPUT = 'intake.json';

export interface IntakeSummary {
  readonly r1: ReadsSummary;
  readonly r2: ReadsSummary | null;
}

const argsSchema = z.strictObject({ r1: z.string(), r2: z.string().nullable() });

export async function intake(context: BuiltinContext): Promise<void> {
  const args = argsSchema.parse(context.args);
  const path = (name: string) => join(context.folder, name);
  await using r1 = await FastqInput.open(path(args.r1), 'R1');
  await using r2 = args.r2 === null ? null : await FastqInput.open(path(args.r2), 'R2');
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

async function drain(input: FastqInput, progress: () => void): Promise<void> {
  while ((await input.next()) !== null) progress();
}

async function readPairs(r1: FastqInput, r2: FastqInput, progress: () => void): Promise<void> {
  let left: NameBatch | null = null;
  let right: NameBatch | null = null;
  let leftAt = 0;
  let rightAt = 0;
  let pairs = 0;
  for (;;) {
    // Both are asked at once, so that both files are inflated at the same time.
    const needsLeft: boolean = leftAt >= (left?.count ?? 0);
    const needsRight: boolean = rightAt >= (right?.count ?? 0);
    const next: [NameBatch | null, NameBatch | null] = await Promise.all([
      needsLeft ? r1.next() : left,
      needsRight ? r2.next() : right,
    ]);
    [left, right] = next;
    if (needsLeft) leftAt = 0;
    if (needsRight) rightAt = 0;
    progress();
    if (left === null || right === null) break;
    const count = Math.min(left.count - leftAt, right.count - rightAt);
    for (let i = 0; i < count; i++) {
      if (!hasSameName(left, leftAt + i, right, rightAt + i)) throw namesDiffer(pairs + i + 1);
    }
    leftAt += count;
    rightAt += count;
    pairs += count;
  }
  if (left === null && right === null) return;
  await Promise.all([drain(r1, progress), drain(r2, progress)]);
  throw countsDiffer(r1.reads, r2.reads);
}

function hasSameName(a: NameBatch, i: number, b: NameBatch, j: number): boolean {
  const start = a.starts[i] as number;
  const length = (a.ends[i] as number) - start;
  const other = b.starts[j] as number;
  if ((b.ends[j] as number) - other !== length) return false;
  const left = a.bytes;
  const right = b.bytes;
  // From the end: names of one run differ in their last letters.
  for (let k = length - 1; k >= 0; k--) if (left[start + k] !== right[other + k]) return false;
  return true;
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
