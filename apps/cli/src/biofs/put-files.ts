/**
 * Files into vaults, with progress: each is sealed when the one before it is, and sent while others are
 * sealed. Folders are their files, by their own names.
 */
import { setTimeout as delay } from 'node:timers/promises';
import {
  gatherSame,
  type ObjectTerms,
  openSpool,
  type PreparedObject,
  type PutContext,
  prepareObject,
  type SameFiles,
  type SourceFile,
  type Uploads,
  uploadObject,
} from '@helixmesh/client/biofs';
import { AppError, type Digest } from '@helixmesh/protocol';
import type { NodeAddress, WalletSigner } from '@helixmesh/protocol/sealing';
import { BUSY_TRIES_MAX, BUSY_WAIT_MS, UPLOADS_AT_ONCE } from './limits.ts';
import type { Person } from './person.ts';
import { sourceFiles } from './source-file.ts';
import { createTransfer, type TransferProgress } from './transfer-progress.ts';

export interface PutFilesOptions {
  readonly spoolDir: string;
  readonly wallet: WalletSigner;
  readonly vaults: readonly NodeAddress[];
  readonly terms: ObjectTerms;
  /** Stores a file that is stored already once more, with other keys. */
  readonly isAnew: boolean;
  readonly quiet: boolean;
}

export interface PutDone {
  readonly fileName: string;
  readonly dataset: Digest;
  readonly sizeBytes: number;
  readonly uploads: Uploads;
}

/** More files than these are shown as one line of progress. */
const LINES_MAX = 8;

interface Put {
  readonly person: Person;
  readonly context: PutContext;
  readonly options: PutFilesOptions;
  readonly same: SameFiles;
  /** Of one file, where each has a line of its own. */
  readonly progressOf: (label: string, totalBytes: number) => TransferProgress;
}

/**
 * Who calls holds the lock of the spool. Throws what the first file that fails throws, when those
 * that are on their way have arrived or failed.
 */
export async function putFiles(
  person: Person,
  paths: readonly string[],
  options: PutFilesOptions,
): Promise<readonly PutDone[]> {
  const { crypto, network, custody, signal } = person;
  const { quiet } = options;
  const files = await sourceFiles(paths);
  const spool = await openSpool(crypto, options.spoolDir);
  const states = new Map(custody.listDatasets().map(({ id, state }) => [id, state]));
  // A body goes when all of its vaults have it: the state tells of the first one only.
  await spool.sweep((id) => (states.get(id) ?? 'shredded') !== 'shredded');
  const context = { crypto, network, wallet: options.wallet, keeper: custody, spool, signal };
  const isMany = files.length > LINES_MAX;
  const put: Put = {
    ...{ person, context, options },
    same: gatherSame(context, options.terms),
    progressOf: (label, totalBytes) =>
      createTransfer({ label, totalBytes, quiet: quiet || isMany }),
  };
  const totalBytes = files.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0);
  const label = `${files.length} files`;
  const progress = createTransfer({ label, totalBytes, quiet: quiet || !isMany });
  let doneBytes = 0;
  const done = await putAll(put, files, (sizeBytes) => {
    doneBytes += sizeBytes;
    progress.update(doneBytes);
  });
  progress.done();
  return done;
}

async function putAll(
  put: Put,
  files: readonly SourceFile[],
  onStored: (sizeBytes: number) => void,
): Promise<readonly PutDone[]> {
  const done: PutDone[] = [];
  const sending = new Set<Promise<void>>();
  /** Files that are the same are one object: it is sent once. */
  const underway = new Map<Digest, Promise<void>>();
  let failure: { readonly error: unknown } | undefined;
  for (const [at, file] of files.entries()) {
    // With a line for each file they go one after the other.
    const atOnce = files.length > LINES_MAX ? UPLOADS_AT_ONCE : 1;
    if (sending.size >= atOnce) await Promise.race(sending);
    if (failure !== undefined) break;
    try {
      const object = await objectOf(put, file);
      await underway.get(object.id);
      const { fileName, sizeBytes } = file;
      const one: Promise<void> = patiently(put, () => upload(put, file, object))
        .then((uploads) => {
          done[at] = { fileName, dataset: object.id, sizeBytes, uploads };
          onStored(sizeBytes);
        })
        .catch((error) => {
          failure ??= { error };
        })
        .finally(() => {
          sending.delete(one);
          underway.delete(object.id);
        });
      sending.add(one);
      underway.set(object.id, one);
    } catch (error) {
      failure ??= { error };
    }
  }
  await Promise.all(sending);
  if (failure !== undefined) throw failure.error;
  return done;
}

/** A vault counts requests by the minute: ten thousand files need some of them. */
async function patiently<T>({ person }: Put, send: () => Promise<T>): Promise<T> {
  for (let tries = 1; ; tries += 1) {
    try {
      return await send();
    } catch (error) {
      if (AppError.from(error).code !== 'BUSY' || tries >= BUSY_TRIES_MAX) throw error;
      await delay(BUSY_WAIT_MS, undefined, { signal: person.signal });
    }
  }
}

async function objectOf(
  { context, options, same, progressOf }: Put,
  file: SourceFile,
): Promise<PreparedObject> {
  const known = options.isAnew ? undefined : await same.find(file);
  if (known !== undefined) return known;
  const progress = progressOf(`${file.fileName}  sealing`, file.sizeBytes);
  const object = await prepareObject(context, {
    file,
    terms: options.terms,
    vaults: options.vaults,
    nowMs: Date.now(),
    onProgress: progress.update,
  });
  progress.done();
  if (!options.isAnew) same.add(object);
  return object;
}

async function upload(
  { person, context, options, progressOf }: Put,
  file: SourceFile,
  object: PreparedObject,
): Promise<Uploads> {
  const targets = options.vaults.map((address) => ({ address, vault: person.vault(address) }));
  const { bodyBytes } = object.manifest.document;
  const progress = progressOf(`${file.fileName}  storing`, bodyBytes * targets.length);
  let isSending = false;
  const uploads = await uploadObject(context, object, targets, (sent) => {
    isSending = true;
    progress.update(sent);
  });
  if (isSending) progress.done();
  return uploads;
}
