/**
 * Intake: reads the FASTQ files to their ends, refuses broken ones, and tells the digest of the
 * decompressed reads, by which all later tasks know them.
 */
import { AppError, DIGEST_PATTERN, type Digest, type Json } from '@helixmesh/protocol';
import { z } from 'zod';
import type { TaskSpec } from '../task/spec.ts';
import type { FileRef, GermlineInput } from './input.ts';
import { fileInput, result, versionsOf } from './task-parts.ts';

export const INTAKE_JSON = 'intake.json';

/** Read with more members than these; the builtin `intake` writes them. */
const readsSchema = z.object({
  digest: z
    .string()
    .regex(DIGEST_PATTERN)
    .transform((text) => text as Digest),
  reads: z.int().min(0),
  bases: z.int().min(0),
  maxLength: z.int().min(0),
  compression: z.enum(['none', 'gzip', 'bgzf']),
});
const intakeSchema = z.object({ r1: readsSchema, r2: readsSchema.nullable() });
export type Intake = z.infer<typeof intakeSchema>;

/** fastp tells compression by the end of the name. */
export function readsName(mate: 1 | 2, isCompressed: boolean): string {
  return `r${mate}.fastq${isCompressed ? '.gz' : ''}`;
}

/** The intake goes by content, so its names tell nothing of the compression. */
export function intakeStep(input: Pick<GermlineInput, 'reads' | 'toolVersions'>): TaskSpec {
  const { r1, r2 } = input.reads;
  const name1 = readsName(1, false);
  const name2 = readsName(2, false);
  return {
    name: 'intake',
    pool: 'qc',
    inputs: [fileInput(r1, name1), ...(r2 === null ? [] : [fileInput(r2, name2)])],
    commands: [
      { kind: 'builtin', name: 'intake', args: { r1: name1, r2: r2 === null ? null : name2 } },
    ],
    outputs: [result(INTAKE_JSON, 'json')],
    toolVersions: versionsOf(input.toolVersions, ['helixmesh']),
    resources: { cores: 2, memoryMib: 512 },
  };
}

export function parseIntake(value: Json): Intake {
  const parsed = intakeSchema.safeParse(value);
  if (parsed.success) return parsed.data;
  throw new AppError('INTERNAL', `intake.json: ${parsed.error.issues[0]?.message}`);
}

/** The reads as later tasks take them: known by their decompressed content. */
export function readsAfterIntake(
  reads: GermlineInput['reads'],
  intake: Intake,
): readonly { readonly name: string; readonly file: FileRef }[] {
  const of = (mate: 1 | 2, file: FileRef, summary: Intake['r1']) => {
    const isCompressed = summary.compression !== 'none';
    return { name: readsName(mate, isCompressed), file: { ...file, digest: summary.digest } };
  };
  const first = of(1, reads.r1, intake.r1);
  if (reads.r2 === null || intake.r2 === null) return [first];
  return [first, of(2, reads.r2, intake.r2)];
}
