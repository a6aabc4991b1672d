/**
 * What a data folder remembers of the jobs that its person has signed.
 *
 * J1  A signed job is on the disk before anybody is sent it: whoever is killed in between finds it
 *     there and sends the same one, which is one job however often it comes.
 * J2  Nothing secret is in it; it names datasets, so it is for its owner alone.
 */
import { mkdir, readdir, readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { AppError, type Digest } from '@helixmesh/protocol';
import {
  type Crypto,
  digestSchema,
  documentId,
  fromBase64,
  NETWORK_JOB_STATES,
  type NetworkJob,
  type NetworkJobState,
  nodeAddressTextSchema,
  parseNetworkJob,
  timeMsSchema,
} from '@helixmesh/protocol/sealing';
import { z } from 'zod';
import { JOB_RECORD_BYTES_MAX } from '../limits.ts';
import { writePrivateFile } from '../private-file.ts';

const FOLDER = 'network-jobs';
const NAME = /^[0-9a-f]{64}\.json$/;

const recordSchema = z.strictObject({
  /** Equal for two that ask for the same. */
  request: digestSchema,
  /** `node_…@host:port` of the coordinator. */
  coordinator: nodeAddressTextSchema,
  /** The name that the person has given the reference, for lists. */
  referenceName: z.string().max(200),
  /** Canonical bytes of the signed job, base64. */
  job: z.string(),
  evidence: z.array(z.strictObject({ manifest: z.string(), grant: z.string().nullable() })),
  /** What the coordinator has said last; null while it has said nothing. */
  seen: z.strictObject({ state: z.enum(NETWORK_JOB_STATES), atMs: timeMsSchema }).nullable(),
});

type StoredRecord = z.infer<typeof recordSchema>;

export interface JobRecord extends StoredRecord {
  readonly id: Digest;
  /** What was signed. */
  readonly document: NetworkJob;
}

/** Latest first. Throws INPUT_MALFORMED. */
export async function listJobRecords(crypto: Crypto, dataDir: string): Promise<JobRecord[]> {
  const folder = join(dataDir, FOLDER);
  const names = await readdir(folder).catch((error) => {
    if (error.code === 'ENOENT') return [];
    throw AppError.from(error);
  });
  const known = names.filter((name) => NAME.test(name));
  const records = await Promise.all(known.map((name) => readRecord(crypto, join(folder, name))));
  return records.sort((a, b) => b.document.issuedAtMs - a.document.issuedAtMs);
}

/** On the disk when it answers (J1). */
export async function writeJobRecord(
  crypto: Crypto,
  dataDir: string,
  { id, document: _document, ...stored }: JobRecord,
): Promise<void> {
  const folder = join(dataDir, FOLDER);
  await mkdir(folder, { recursive: true, mode: 0o700 });
  const path = join(folder, `${id.slice('sha256:'.length)}.json`);
  await writePrivateFile(crypto, path, `${JSON.stringify(stored)}\n`);
}

export function jobRecordOf(crypto: Crypto, stored: StoredRecord): JobRecord {
  const { document } = parseNetworkJob(fromBase64(stored.job, 'a job'));
  return { ...stored, id: documentId(crypto, document), document };
}

/** Keeps what a coordinator has said of the job. */
export async function noteState(
  crypto: Crypto,
  dataDir: string,
  record: JobRecord,
  state: NetworkJobState,
): Promise<void> {
  if (record.seen?.state === state) return;
  await writeJobRecord(crypto, dataDir, { ...record, seen: { state, atMs: Date.now() } });
}

async function readRecord(crypto: Crypto, path: string): Promise<JobRecord> {
  const { size } = await stat(path);
  if (size > JOB_RECORD_BYTES_MAX) throw damaged(path);
  let value: unknown;
  try {
    value = JSON.parse(await readFile(path, 'utf8'));
  } catch {
    // The parser's message quotes the text.
    throw damaged(path);
  }
  const parsed = recordSchema.safeParse(value);
  if (!parsed.success) throw damaged(path);
  return jobRecordOf(crypto, parsed.data);
}

function damaged(path: string): AppError {
  return new AppError('INPUT_MALFORMED', `the record of a job is damaged: ${path}`, {
    hint: 'Move that file away; the coordinator goes on with the job.',
  });
}
