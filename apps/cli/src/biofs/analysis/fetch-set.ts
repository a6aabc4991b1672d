/** All files of one attempt, from its node: index and statement first, then a few at once. */
import { existsSync } from 'node:fs';
import { mkdir, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { fetchSealed, openSealedBytes, openSealedFile } from '@helixmesh/client/results';
import { AppError, type Digest } from '@helixmesh/protocol';
import {
  parseNodeAddress,
  parseResultIndex,
  parseResultStatement,
  RESULT_INDEX,
  RESULT_INDEX_BYTES_MAX,
  RESULT_STATEMENT,
  RESULT_STATEMENT_BYTES_MAX,
  type ResultIndex,
  type ResultStatement,
  resultDigestOf,
  type Signed,
} from '@helixmesh/protocol/sealing';
import { shortParty } from '../../ui/format.ts';
import { RESULT_FETCHES, RESULT_FILE_BYTES_MAX } from '../limits.ts';
import type { Person } from '../person.ts';
import type { FetchResultOptions, Source } from './fetch-result.ts';
import { assertStatement, type Stated } from './result-statement.ts';

export interface FetchedSet {
  /** Folder with the opened files. */
  readonly files: string;
  readonly index: ResultIndex;
  /** Null where the node has none, and that was allowed. */
  readonly statement: Signed<ResultStatement> | null;
}

/** What a node without a statement is refused with. */
export const UNSIGNED = 'NOT_FOUND';

interface FetchSetOptions
  extends Pick<FetchResultOptions, 'progressOf' | 'isUnsignedTaken'>,
    Pick<Stated, 'jobId' | 'taskId'> {
  /** What came before lies there, and what comes. */
  readonly folder: string;
  /** The digest that was agreed on. */
  readonly expected: Digest;
}

interface Fetching extends FetchSetOptions {
  readonly person: Person;
  readonly source: Source;
  /** Sizes of the sealed files. */
  readonly sizes: ReadonlyMap<string, number>;
}

/**
 * Throws what the node answers, CIPHERTEXT_INVALID or RESULT_DIFFERS for what is not the result, and
 * NOT_FOUND where it states nothing of it.
 */
export async function fetchSet(
  person: Person,
  source: Source,
  options: FetchSetOptions,
): Promise<FetchedSet> {
  const { folder } = options;
  await mkdir(join(folder, 'sealed'), { recursive: true, mode: 0o700 });
  const { results } = person.channel(parseNodeAddress(source.address));
  const { attemptId } = source;
  const listed = await results.list({ attemptId }, { signal: person.signal });
  const sizes = new Map(listed.files.map(({ name, sizeBytes }) => [name, Number(sizeBytes)]));
  const fetching = { ...options, person, source, sizes };
  const index = await fetchIndex(fetching);
  const statement = await fetchStatement(fetching, index);
  const files = join(folder, 'files');
  await fetchFiles(fetching, index, files);
  return { files, index, statement };
}

/** Held against all that is known of the result, before a file is fetched. */
async function fetchStatement(
  fetching: Fetching,
  index: ResultIndex,
): Promise<FetchedSet['statement']> {
  const { person, folder, sizes, isUnsignedTaken } = fetching;
  if (!sizes.has(RESULT_STATEMENT)) {
    if (isUnsignedTaken) return null;
    throw new AppError(
      UNSIGNED,
      'the node states nothing of its result; its version may be older',
      {
        hint: 'Fetch the result from another node, or with --unsigned.',
      },
    );
  }
  const from = join(folder, 'sealed', RESULT_STATEMENT);
  const opening = { crypto: person.crypto, reader: person.identity.encryptionKey, from };
  const signed = await openAfresh(fetching, { name: RESULT_STATEMENT, from }, async () => {
    return parseResultStatement(await openSealedBytes(opening, RESULT_STATEMENT_BYTES_MAX));
  });
  assertStatement(person, signed, { ...fetching, index });
  return signed;
}

/** What it claims is held against the agreed digest before anything else is fetched. */
async function fetchIndex(fetching: Fetching): Promise<ResultIndex> {
  const { person, folder, expected } = fetching;
  const { crypto, network, identity } = person;
  const from = join(folder, 'sealed', RESULT_INDEX);
  const reader = identity.encryptionKey;
  const index = await openAfresh(fetching, { name: RESULT_INDEX, from }, async () => {
    return parseResultIndex(
      await openSealedBytes({ crypto, reader, from }, RESULT_INDEX_BYTES_MAX),
    );
  });
  const { jobHash, compared } = index;
  if (resultDigestOf(crypto, network, { jobHash, files: compared }) === expected) return index;
  throw new AppError('RESULT_DIFFERS', 'the node has another result than the one agreed on', {
    hint: 'Fetch the result from another node.',
  });
}

async function fetchFiles(fetching: Fetching, index: ResultIndex, files: string): Promise<void> {
  const { person, folder, sizes, source } = fetching;
  const { crypto, identity } = person;
  await mkdir(files, { recursive: true, mode: 0o700 });
  const total = index.files.reduce((sum, { sealedAs }) => sum + (sizes.get(sealedAs) ?? 0), 0);
  let done = 0;
  const progress = fetching.progressOf(shortParty(source.nodeId), total);
  const onBytes = (count: number) => {
    done += count;
    progress.update(done);
  };
  const stop = new AbortController();
  const signal = AbortSignal.any([person.signal, stop.signal]);
  const queue = index.files[Symbol.iterator]();
  const worker = async () => {
    for (const { path, sealedAs, sizeBytes } of queue) {
      signal.throwIfAborted();
      const to = join(files, path);
      const from = join(folder, 'sealed', sealedAs);
      if (await hasSize(to, sizeBytes)) {
        onBytes(sizes.get(sealedAs) ?? 0);
        continue;
      }
      const reader = identity.encryptionKey;
      const one = { name: sealedAs, from, signal, onBytes };
      await openAfresh(fetching, one, () =>
        openSealedFile({ crypto, reader, from, to, sizeBytes, signal }),
      );
      await rm(from, { force: true });
    }
  };
  await allOf(RESULT_FETCHES, worker, stop);
  progress.done();
}

/** Runs `worker` so many times at once; answers when all have ended, with the first failure. */
async function allOf(
  count: number,
  worker: () => Promise<void>,
  stop: AbortController,
): Promise<void> {
  let failure: { readonly thrown: unknown } | undefined;
  const workers = Array.from({ length: count }, () =>
    worker().catch((thrown) => {
      failure ??= { thrown };
      stop.abort();
    }),
  );
  await Promise.all(workers);
  if (failure !== undefined) throw failure.thrown;
}

interface OneFile {
  readonly name: string;
  readonly from: string;
  readonly signal?: AbortSignal;
  readonly onBytes?: (count: number) => void;
}

/**
 * Fetches a sealed file and opens it. What an earlier try has left may have been damaged on this disk:
 * where it does not open, the file is fetched once more, all of it.
 */
async function openAfresh<T>(
  fetching: Fetching,
  { name, from, signal = fetching.person.signal, onBytes }: OneFile,
  openIt: () => Promise<T>,
): Promise<T> {
  const { person, source, sizes } = fetching;
  const { results } = person.channel(parseNodeAddress(source.address));
  const sizeBytes = sizes.get(name);
  if (sizeBytes === undefined || sizeBytes > RESULT_FILE_BYTES_MAX) throw incomplete();
  const { attemptId } = source;
  const options = { results, attemptId, name, sizeBytes, path: from, signal };
  const hasKept = existsSync(from);
  await fetchSealed({ ...options, ...(onBytes === undefined ? {} : { onBytes }) });
  try {
    return await openIt();
  } catch (thrown) {
    if (!hasKept || signal.aborted) throw thrown;
    await rm(from, { force: true });
    await fetchSealed(options);
    return openIt();
  }
}

async function hasSize(path: string, sizeBytes: number): Promise<boolean> {
  const facts = await stat(path).catch(() => undefined);
  return facts?.isFile() === true && facts.size === sizeBytes;
}

function incomplete(): AppError {
  return new AppError('CIPHERTEXT_INVALID', 'the node does not have all files of the result', {
    hint: 'Fetch the result from another node.',
  });
}
