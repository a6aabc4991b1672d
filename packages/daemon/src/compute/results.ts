/**
 * The service of results: the sealed files of attempts that are final, for the requester of the job, and
 * for nodes that are at work on a later task of it.
 *
 * R1  Whoever is neither the wallet that signed the job, nor a node that shows a running assignment of
 *     a task that needs this one, learns nothing, not even that there is an attempt: for them, for an
 *     attempt that is not final or was forgotten, and for names outside the sealed folder, the answer is
 *     the same.
 * R2  A piece is read when the one before it has been taken: memory is the same whatever the size of a
 *     file, and `FETCHES_MAX` bounds all of them.
 * R3  A file is fetched from any offset, so a fetch that was cut off goes on. It never changes.
 *
 * Left out: keys. The files are sealed to the requester, or to the job's key at its custodian, and this
 * node could not open them either.
 */
import { constants } from 'node:fs';
import { type FileHandle, open, readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import type { HandlerContext, ServiceImpl } from '@connectrpc/connect';
import { AppError, ATTEMPT_ID_PATTERN, taskOfStage, tasksBefore } from '@helixmesh/protocol';
import { Results } from '@helixmesh/protocol/results';
import {
  assignmentRefusal,
  type Crypto,
  documentId,
  fromBase64,
  type NetworkJob,
  parseAssignment,
  parseNetworkJob,
  RESULT_STATEMENT,
  stageOf,
} from '@helixmesh/protocol/sealing';
import type { NodeCaller } from '../network/caller.ts';
import type { NetworkListener } from '../network/listener.ts';
import { makeSlots, type Slots } from '../storage/slots.ts';
import { type AttemptRecord, readRecord, sealedOf } from './attempt-folder.ts';
import {
  FETCHES_MAX,
  FETCHES_PER_REQUESTER_MAX,
  RESULT_CHUNK_BYTES,
  RESULT_FILES_MAX,
} from './limits.ts';
import { INDEX_FILE } from './seal-outputs.ts';

export interface ResultsOptions {
  /** Below it a folder for each attempt. */
  readonly root: string;
  readonly listener: Pick<NetworkListener, 'service' | 'callerOf'>;
  readonly crypto: Crypto;
  /** Milliseconds since 1970. */
  readonly now: () => number;
}

/** What `sealOutputs` writes. */
const SEALED_NAME = /^(?:index|statement|[1-9][0-9]{0,5})\.c4gh$/;

/** Nodes without an assignment are told the same as everybody else (R1). */
const access = { signedBy: 'account_or_node', scope: 'submit' } as const;

/** Adds the service to the listener. */
export function serveResults(options: ResultsOptions): void {
  const slots = makeSlots({
    slotsMax: FETCHES_MAX,
    perKeyMax: FETCHES_PER_REQUESTER_MAX,
    what: 'results are fetched',
  });
  const calls: ServiceImpl<typeof Results> = {
    async list(request, context) {
      const { folder, keepUntilMs } = await finalAttempt(options, request, context);
      const entries = await readdir(folder, { withFileTypes: true });
      const sealed = entries.filter((entry) => entry.isFile() && SEALED_NAME.test(entry.name));
      const files = sealed.slice(0, RESULT_FILES_MAX).map(async ({ name }) => ({
        name,
        sizeBytes: BigInt((await stat(join(folder, name))).size),
      }));
      return {
        files: (await Promise.all(files)).sort((a, b) => numberOf(a.name) - numberOf(b.name)),
        keepUntilMs: BigInt(keepUntilMs),
      };
    },
    async *fetch(request, context) {
      const { folder, fetcher } = await finalAttempt(options, request, context);
      const { name, offset } = request;
      if (!SEALED_NAME.test(name)) throw notFound();
      const start = Number(offset);
      yield* piecesOf(join(folder, name), { start, fetcher, slots, signal: context.signal });
    },
  };
  options.listener.service(Results, calls, { list: access, fetch: access });
}

interface FinalAttempt {
  /** With the sealed files. */
  readonly folder: string;
  /** Account or node. */
  readonly fetcher: string;
  readonly keepUntilMs: number;
}

interface Asked {
  readonly attemptId: string;
  /** Canonical bytes of a signed assignment; empty where an account asks. */
  readonly assignment: Uint8Array;
}

/** Throws OBJECT_NOT_FOUND (R1). */
async function finalAttempt(
  options: ResultsOptions,
  { attemptId, assignment: shown }: Asked,
  context: HandlerContext,
): Promise<FinalAttempt> {
  const { root, listener, now } = options;
  const caller = listener.callerOf(context);
  if (caller.kind === 'nobody' || !ATTEMPT_ID_PATTERN.test(attemptId)) throw notFound();
  const folder = join(root, attemptId);
  const record = await readRecord(folder);
  if (record === null) throw notFound();
  const { keepUntilMs, assignment } = record;
  if (keepUntilMs === null || keepUntilMs <= now()) throw notFound();
  const job = parseNetworkJob(fromBase64(assignment.job, 'a job')).document;
  const sealed = { folder: sealedOf(folder), keepUntilMs };
  if (caller.kind === 'account') {
    if (job.requester !== caller.account) throw notFound();
    return { ...sealed, fetcher: caller.account };
  }
  if (!isAtWork(options, { caller, shown, job, assignment })) throw notFound();
  return { ...sealed, fetcher: caller.nodeId };
}

interface Shown {
  readonly caller: NodeCaller;
  readonly shown: Uint8Array;
  readonly job: NetworkJob;
  /** Of the attempt that is asked for. */
  readonly assignment: AttemptRecord['assignment'];
}

/** Whether a node has shown that it is at work on a task of the job that needs this one. */
function isAtWork(
  { crypto, now }: ResultsOptions,
  { caller, shown, job, assignment }: Shown,
): boolean {
  let signed: ReturnType<typeof parseAssignment>;
  try {
    signed = parseAssignment(shown);
  } catch {
    // What is no assignment shows nothing.
    return false;
  }
  const facts = { job, id: documentId(crypto, job), nowMs: now() };
  if (assignmentRefusal(crypto, signed, facts) !== null) return false;
  const stage = stageOf(job, signed.document.task);
  const needs = stage === undefined ? [] : tasksBefore(stage);
  return signed.document.nodeId === caller.nodeId && needs.includes(taskOfStage(assignment.stage));
}

interface Fetch {
  readonly start: number;
  readonly fetcher: string;
  readonly slots: Slots;
  readonly signal: AbortSignal;
}

async function* piecesOf(
  path: string,
  { start, fetcher, slots, signal }: Fetch,
): AsyncGenerator<{ readonly data: Uint8Array }> {
  await using held = new AsyncDisposableStack();
  held.use(slots.take(fetcher));
  const file = await openSealed(path);
  held.defer(() => file.close());
  // Of a requester who has left nobody asks for the next piece, and the end of this does not come.
  signal.addEventListener('abort', () => void held.disposeAsync(), { once: true });
  const { size } = await file.stat();
  if (start > size) {
    throw new AppError('USAGE', `an offset of ${start} in a file of ${size} bytes`, {
      hint: 'Fetch the file from its beginning.',
    });
  }
  for (let at = start; at < size; ) {
    const length = Math.min(RESULT_CHUNK_BYTES, size - at);
    const { buffer, bytesRead } = await file.read(new Uint8Array(length), 0, length, at);
    if (bytesRead === 0) throw new AppError('INTERNAL', 'a file of results is shorter than it was');
    yield { data: buffer.subarray(0, bytesRead) };
    at += bytesRead;
  }
}

async function openSealed(path: string): Promise<FileHandle> {
  try {
    return await open(path, constants.O_RDONLY | constants.O_NOFOLLOW);
  } catch (thrown) {
    const code = (thrown as { code?: string }).code;
    // A link was not made by this node.
    if (code === 'ENOENT' || code === 'ELOOP') throw notFound();
    throw thrown;
  }
}

/** The index comes first, then the statement. */
function numberOf(name: string): number {
  if (name === INDEX_FILE) return -1;
  return name === RESULT_STATEMENT ? 0 : Number.parseInt(name, 10);
}

function notFound(): AppError {
  return new AppError('OBJECT_NOT_FOUND', 'this node has no such result for you', {
    hint: 'Ask the coordinator for the attempts of your job; results stay for three days.',
  });
}
