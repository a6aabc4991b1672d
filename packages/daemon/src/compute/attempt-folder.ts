/**
 * What a compute node remembers of an attempt that it holds: one folder with a small record.
 *
 *   RECORD    what was asked, and how far it is
 *   handed/   what other tasks have made, sealed; gone once the outputs are sealed
 *   work/     the enclosure with all plaintext; gone likewise
 *   sealed/   the outputs, for the requester or for later tasks
 *
 * The record is written aside and renamed, so that a node that dies finds one whole record.
 */
import { existsSync } from 'node:fs';
import { mkdir, open, readdir, readFile, rename } from 'node:fs/promises';
import { join } from 'node:path';
import {
  ATTEMPT_ID_PATTERN,
  type AttemptId,
  analysisStageSchema,
  DIGEST_PATTERN,
  type Digest,
  jobSubmissionSchema,
  TASK_ID_PATTERN,
  type TaskId,
} from '@helixmesh/protocol';
import { z } from 'zod';
import { makeDurable } from '../durable.ts';

const RECORD = 'attempt.json';

const digest = z.string().regex(DIGEST_PATTERN) as unknown as z.ZodType<Digest>;

const recordSchema = z.strictObject({
  assignment: z.strictObject({
    attemptId: z.string().regex(ATTEMPT_ID_PATTERN) as unknown as z.ZodType<AttemptId>,
    taskId: z.string().regex(TASK_ID_PATTERN) as unknown as z.ZodType<TaskId>,
    fencingToken: z.int().min(1),
    job: z.string(),
    stage: analysisStageSchema.default({ kind: 'whole' }),
    reads: z
      .array(
        z.strictObject({
          dataset: digest,
          custodian: z.string(),
          vaults: z.array(z.string()).readonly(),
        }),
      )
      .max(2)
      .readonly(),
    custodian: z.string().nullable().default(null),
    analysis: jobSubmissionSchema.pick({ pipeline: true, reference: true, parameters: true }),
    /** Hex. */
    recipients: z.array(z.string().regex(/^[0-9a-f]{64}$/)),
  }),
  /** When this node took it, by its clock; versions before statements of results did not note it. */
  startedAtMs: z.int().min(0).optional(),
  /** Once the outputs are sealed; kept from before it is committed to. */
  secret: z.strictObject({ resultDigest: digest, salt: z.string() }).nullable(),
  /** Once the task is decided: how long the outputs stay. */
  keepUntilMs: z.int().nullable(),
});
export type AttemptRecord = Readonly<z.infer<typeof recordSchema>>;

export function enclosureOf(folder: string): string {
  return join(folder, 'work');
}

export function handedOf(folder: string): string {
  return join(folder, 'handed');
}

export function sealedOf(folder: string): string {
  return join(folder, 'sealed');
}

/** Folders of all attempts that have a record. */
export async function attemptFolders(root: string): Promise<string[]> {
  if (!existsSync(root)) return [];
  const names = (await readdir(root)).filter((name) => ATTEMPT_ID_PATTERN.test(name));
  return names.map((name) => join(root, name));
}

/** Null where the node died before it had written one: nothing was done then. */
export async function readRecord(folder: string): Promise<AttemptRecord | null> {
  const path = join(folder, RECORD);
  if (!existsSync(path)) return null;
  return recordSchema.parse(JSON.parse(await readFile(path, 'utf8')));
}

export async function writeRecord(folder: string, record: AttemptRecord): Promise<void> {
  await mkdir(folder, { recursive: true, mode: 0o700 });
  const aside = join(folder, `${RECORD}.part`);
  const file = await open(aside, 'w', 0o600);
  try {
    await file.writeFile(JSON.stringify(record));
    await file.sync();
  } finally {
    await file.close();
  }
  await rename(aside, join(folder, RECORD));
  await makeDurable(folder);
}
