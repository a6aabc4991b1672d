/**
 * What the node of a result states of it, against what was agreed on, and against the files.
 *
 * T1  A statement is taken for its attempt, job and digest only, from the node that had the attempt, and
 *     of the files that the index names; then for the bytes of these files, no less and no more.
 */
import { createReadStream } from 'node:fs';
import { lstat, readdir } from 'node:fs/promises';
import { join, relative } from 'node:path';
import { AppError, type Digest } from '@helixmesh/protocol';
import {
  type Crypto,
  digestFrom,
  documentId,
  encodeDocument,
  RESULT_STATEMENT_FILE,
  type ResultIndex,
  type ResultStatement,
  type Signed,
  type StatedOutput,
  verifyResultStatement,
} from '@helixmesh/protocol/sealing';
import type { Person } from '../person.ts';
import { writePrivateFile } from '../private-file.ts';
import type { Source } from './fetch-result.ts';

/** Of whom, and of what, a statement is wanted. */
export interface Stated {
  readonly jobId: Digest;
  readonly taskId: ResultStatement['taskId'];
  readonly source: Pick<Source, 'attemptId' | 'nodeId' | 'operator'>;
  /** The digest that was agreed on. */
  readonly expected: Digest;
  readonly index: ResultIndex;
}

/** Throws RESULT_DIFFERS for a statement that is of anything else, or of anybody else. */
export function assertStatement(
  { crypto, network }: Pick<Person, 'crypto' | 'network'>,
  signed: Signed<ResultStatement>,
  { jobId, taskId, source, expected, index }: Stated,
): void {
  const { document } = signed;
  const verdict = verifyResultStatement(crypto, signed, network);
  const sizes = new Map(document.outputs.map(({ path, sizeBytes }) => [path, sizeBytes]));
  const isOfFiles =
    sizes.size === index.files.length &&
    index.files.every(({ path, sizeBytes }) => sizes.get(path) === sizeBytes);
  const isHeld =
    verdict.status === 'valid' &&
    document.job === jobId &&
    document.taskId === taskId &&
    document.attemptId === source.attemptId &&
    document.nodeId === source.nodeId &&
    (document.operator ?? source.operator) === source.operator &&
    document.resultDigest === expected;
  if (isHeld && isOfFiles) return;
  throw differs('the node states something else than the result that was agreed on');
}

/**
 * Keeps the statement beside the files that it is of, and answers its id. Throws RESULT_DIFFERS where
 * they are not the files that it states.
 */
export async function keepStatement(
  { crypto, signal }: Person,
  folder: string,
  signed: Signed<ResultStatement>,
): Promise<Digest> {
  const found = await differencesOf(crypto, { folder, outputs: signed.document.outputs, signal });
  if (found !== null) throw differs('the node has sent other files than it states');
  const text = Buffer.from(encodeDocument(signed)).toString('utf8');
  await writePrivateFile(crypto, join(folder, RESULT_STATEMENT_FILE), text);
  return documentId(crypto, signed.document);
}

/** Paths, in order. */
export interface Differences {
  readonly changed: readonly string[];
  readonly missing: readonly string[];
  /** What nobody has stated: files, and links and the like, whatever their name. */
  readonly added: readonly string[];
}

interface Compared {
  readonly folder: string;
  readonly outputs: readonly StatedOutput[];
  readonly signal?: AbortSignal;
}

/** How a folder differs from what is stated; null when it does not. The statement itself is left out. */
export async function differencesOf(
  crypto: Crypto,
  { folder, outputs, signal }: Compared,
): Promise<Differences | null> {
  const changed: string[] = [];
  const missing: string[] = [];
  for (const output of outputs) {
    const path = join(folder, output.path);
    const facts = await lstat(path).catch(() => null);
    if (facts === null) missing.push(output.path);
    else if (!facts.isFile() || facts.size !== output.sizeBytes) changed.push(output.path);
    else if ((await sha256Of(crypto, path, signal)) !== output.sha256) changed.push(output.path);
  }
  const stated = new Set([RESULT_STATEMENT_FILE, ...outputs.map(({ path }) => path)]);
  const added = (await pathsBelow(folder)).filter((path) => !stated.has(path));
  return changed.length + missing.length + added.length === 0 ? null : { changed, missing, added };
}

async function sha256Of(crypto: Crypto, path: string, signal?: AbortSignal): Promise<Digest> {
  const hash = crypto.createSha256();
  for await (const piece of createReadStream(path)) {
    signal?.throwIfAborted();
    hash.update(piece);
  }
  return digestFrom(hash.digest());
}

async function pathsBelow(folder: string): Promise<string[]> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  return entries
    .filter((entry) => !entry.isDirectory())
    .map((entry) => relative(folder, join(entry.parentPath, entry.name)))
    .sort();
}

function differs(message: string): AppError {
  return new AppError('RESULT_DIFFERS', message, { hint: 'Fetch the result from another node.' });
}
