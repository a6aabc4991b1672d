/**
 * The result of a job in a folder: fetched from a node, opened with one's own key, and compared with
 * the digest that was agreed on.
 *
 * R1  A folder of that name appears when all of it is there, opens, and has the agreed digest, which
 *     is computed from the files themselves, and its node has signed that these very files are its
 *     result. Until then everything lies in `<folder>.partial`.
 * R2  A node that sends anything else is not asked again, what came from it is deleted, and the next
 *     one that agreed is asked: files of two nodes are never mixed. What was agreed on and is still
 *     not what it should be (reads are missing) is the fault of none of them alone: nobody else is asked.
 * R3  What came before a kill, or before a node went away, is not fetched again.
 */
import { lstat, mkdir, open, readdir, rename, rm, rmdir } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { lockDataFolder } from '@helixmesh/daemon/data-folder';
import {
  AppError,
  type Digest,
  ERROR_TABLE,
  type ErrorCode,
  type NodeId,
} from '@helixmesh/protocol';
import { type NetworkJobView, toHex } from '@helixmesh/protocol/sealing';
import { JOB_LOOK_MS, RESULT_SETTLE_MS } from '../limits.ts';
import type { Person } from '../person.ts';
import type { TransferProgress } from '../transfer-progress.ts';
import {
  type CheckedFile,
  checkResult,
  isOfAll,
  type OwnReads,
  type ReadsCheck,
} from './check-result.ts';
import { fetchSet, UNSIGNED } from './fetch-set.ts';
import type { JobRecord } from './job-records.ts';
import { keepStatement } from './result-statement.ts';

export type Task = NetworkJobView['tasks'][number];
type Attempt = Task['attempts'][number];
export type Source = Attempt & { readonly address: string };

export interface FetchResultOptions {
  /** Absolute path of the new folder. */
  readonly out: string;
  /** Where the requester has the reads: they are compared with the alignments. */
  readonly reads: OwnReads | null;
  /** Whether files of a node that states nothing of them are taken too. */
  readonly isUnsignedTaken: boolean;
  readonly progressOf: (label: string, totalBytes: number) => TransferProgress;
  /** Told of each node whose answer was not taken. */
  readonly onRefused: (refused: Refused) => void;
}

export interface Refused {
  readonly nodeId: NodeId;
  readonly code: ErrorCode;
  readonly message: string;
}

export interface FetchedResult {
  readonly jobId: Digest;
  readonly out: string;
  /** As agreed, and as computed from the files. */
  readonly resultDigest: Digest;
  /** False when one operator alone has answered. */
  readonly isChecked: boolean;
  /** The node that the files are from. */
  readonly nodeId: NodeId;
  /** Id of what that node has signed of them, which is kept beside them; null where it has not. */
  readonly statement: Digest | null;
  readonly files: readonly CheckedFile[];
  /** Null where the result has no alignments, or no report of the reads that went into them. */
  readonly reads: ReadsCheck | null;
  readonly refused: readonly Refused[];
}

/** Failures of this machine or its user. */
const OWN: readonly ErrorCode[] = [
  'CANCELED',
  'DISK_FULL',
  'OUTPUT_UNWRITABLE',
  'OUTPUT_IN_USE',
  'TOOL_MISSING',
  'TOOL_FAILED',
];
/** Failures after which the same node may still give the result. */
const LATER: readonly ErrorCode[] = ['PEER_UNREACHABLE', 'BUSY', 'OBJECT_NOT_FOUND'];

/** Throws BUSY before the job is over, KEY_NOT_HELD, OUTPUT_IN_USE, and what the last node did. */
export async function fetchResult(
  person: Person,
  record: JobRecord,
  view: NetworkJobView,
  options: FetchResultOptions,
): Promise<FetchedResult> {
  const task = finishedTask(view);
  assertOwnKey(person, record);
  await assertFree(options.out);
  const partial = `${options.out}.partial`;
  await makeOwnFolder(partial);
  const lock = await lockDataFolder(join(partial, 'lock'));
  const refused = new Map<string, Refused>();
  const told = new Set<string>();
  try {
    for (;;) {
      for (const source of sourcesOf(task)) {
        if (refused.has(source.attemptId)) continue;
        const one = { jobId: record.id, task, source, partial, options };
        const done = await tryOne(person, one).catch((thrown) => {
          const error = AppError.from(thrown);
          if (person.signal.aborted || isForNobody(error)) throw error;
          const { nodeId, attemptId } = source;
          const refusal = { nodeId, code: error.code, message: error.message };
          refused.set(attemptId, refusal);
          if (!told.has(`${nodeId} ${error.code}`)) options.onRefused(refusal);
          told.add(`${nodeId} ${error.code}`);
          return undefined;
        });
        if (done === undefined) continue;
        return { ...done, jobId: record.id, out: options.out, refused: [...refused.values()] };
      }
      if (!mayHelpToWait(view, refused)) throw noneHas([...refused.values()]);
      for (const [attempt, { code }] of refused) {
        if (LATER.includes(code)) refused.delete(attempt);
      }
      await delay(JOB_LOOK_MS, undefined, { signal: person.signal });
    }
  } finally {
    await lock.release();
    await rm(join(partial, 'lock'), { force: true });
    // What is left of a fetch that was broken off stays.
    await rmdir(partial).catch(() => undefined);
  }
}

/** Another node would not help. */
function isForNobody(error: AppError): boolean {
  return OWN.includes(error.code) || isOfAll(error);
}

interface Try {
  readonly jobId: Digest;
  readonly task: Task & { readonly resultDigest: Digest };
  readonly source: Source;
  readonly partial: string;
  readonly options: FetchResultOptions;
}

type Done = Omit<FetchedResult, 'jobId' | 'out' | 'refused'>;

async function tryOne(person: Person, one: Try): Promise<Done> {
  const { jobId, task, source, partial, options } = one;
  const { nodeId, attemptId } = source;
  const folder = join(partial, attemptId);
  const expected = task.resultDigest;
  try {
    const { taskId } = task;
    const set = await fetchSet(person, source, { folder, expected, jobId, taskId, ...options });
    const checked = await checkResult(person, set, { expected, reads: options.reads });
    const signed = set.statement;
    const statement = signed === null ? null : await keepStatement(person, set.files, signed);
    await publish(set.files, options.out);
    await rm(folder, { recursive: true, force: true });
    const isChecked = task.isChecked === true;
    return { resultDigest: expected, isChecked, nodeId, statement, ...checked };
  } catch (thrown) {
    const { code } = AppError.from(thrown);
    const isKept = person.signal.aborted || OWN.includes(code) || LATER.includes(code);
    if (!isKept) await rm(folder, { recursive: true, force: true });
    throw thrown;
  }
}

/** The task that all others lead to. */
function finishedTask({ state, reason, tasks }: NetworkJobView): Try['task'] {
  const task = tasks.at(-1);
  if (state === 'COMPLETE' && task !== undefined && task.resultDigest !== null) {
    return { ...task, resultDigest: task.resultDigest };
  }
  if (state === 'QUEUED' || state === 'RUNNING') {
    throw new AppError('BUSY', `the job is ${state}: there is no result yet`, {
      hint: 'Wait for it with `biofs status <job> --wait`.',
    });
  }
  const code = reason?.code ?? 'CANCELED';
  const known = Object.hasOwn(ERROR_TABLE, code) ? (code as ErrorCode) : 'INTERNAL';
  throw new AppError(known, `the job has no result: it is ${state}`, {
    hint: 'See `biofs status <job>`; `biofs analyze` asks for it again.',
  });
}

function assertOwnKey({ identity }: Person, { document }: JobRecord): void {
  if (document.outputCustodian.encryptionKey === toHex(identity.encryptionKey.publicKey)) return;
  throw new AppError('KEY_NOT_HELD', 'the result is sealed to another key than this folder has', {
    hint: 'Fetch it in the data folder in which the analysis was asked for.',
  });
}

/** Those that agreed, and can be asked. */
function sourcesOf({ attempts }: Task): Source[] {
  return attempts.flatMap((attempt) => {
    const { address, verdict } = attempt;
    return verdict === 'valid' && address !== null ? [{ ...attempt, address }] : [];
  });
}

/** A node hears some seconds later than others that a job is over, and serves nothing before. */
function mayHelpToWait({ endedAtMs }: NetworkJobView, refused: ReadonlyMap<string, Refused>) {
  const isYoung = endedAtMs !== null && Date.now() - endedAtMs < RESULT_SETTLE_MS;
  return isYoung && [...refused.values()].some(({ code }) => code === 'OBJECT_NOT_FOUND');
}

function noneHas(refused: readonly Refused[]): AppError {
  const lies = refused.filter(({ code }) => !LATER.includes(code));
  const unsigned = lies.filter(({ code }) => code === UNSIGNED);
  const [first] = [...unsigned, ...lies, ...refused];
  if (first === undefined) {
    return new AppError('PEER_UNREACHABLE', 'no node that agreed on the result is registered now', {
      hint: 'Try again when their operators are back; results stay for three days.',
    });
  }
  const message = `no node gives the result that was agreed on; ${first.nodeId}: ${first.message}`;
  return new AppError(first.code, message, {
    hint: hintOf(first, lies.length > 0),
    details: { nodes: refused.map(({ nodeId, code }) => ({ nodeId, code })) },
  });
}

function hintOf({ code }: Refused, hasLied: boolean): string {
  if (code === UNSIGNED) {
    return 'Take its files with --unsigned; they are checked, but nothing shows others who made them.';
  }
  return hasLied
    ? 'Ask for the analysis again with `biofs analyze --anew`, and report these nodes.'
    : 'Try again: what has come stays, and nodes keep results for three days.';
}

/** An empty folder may be there. */
async function assertFree(out: string): Promise<void> {
  const names = await readdir(out).catch((error) => {
    if (error.code === 'ENOENT') return [];
    if (error.code === 'ENOTDIR') return ['a file'];
    throw AppError.from(error);
  });
  if (names.length > 0) throw inUse(out);
}

/** Somebody else's folder would show them the plaintext. */
async function makeOwnFolder(path: string): Promise<void> {
  await mkdir(path, { recursive: true, mode: 0o700 }).catch((error) => {
    throw AppError.from(error);
  });
  const facts = await lstat(path);
  const isOwn = facts.uid === (process.getuid?.() ?? facts.uid);
  if (facts.isDirectory() && isOwn && (facts.mode & 0o077) === 0) return;
  throw new AppError('OUTPUT_UNWRITABLE', `${path} is not a folder of yours alone`, {
    hint: 'Delete it, or give another folder with --out.',
  });
}

/** A rename takes the place of an empty folder, and of nothing else. */
async function publish(files: string, out: string): Promise<void> {
  await rename(files, out).catch((error) => {
    if (error.code === 'ENOTEMPTY' || error.code === 'EEXIST') throw inUse(out);
    throw AppError.from(error);
  });
  const parent = await open(dirname(out), 'r');
  try {
    await parent.sync();
  } finally {
    await parent.close();
  }
}

function inUse(out: string): AppError {
  return new AppError('OUTPUT_IN_USE', `${out} is there already`, {
    hint: 'Give the name of a new folder with --out.',
  });
}
