/** Files into vaults, one after the other, with progress. */
import {
  findSame,
  type ObjectTerms,
  openSpool,
  type PreparedObject,
  type PutContext,
  prepareObject,
  type SourceFile,
  type Uploads,
  uploadObject,
} from '@helixmesh/client/biofs';
import type { Digest } from '@helixmesh/protocol';
import type { NodeAddress, WalletSigner } from '@helixmesh/protocol/sealing';
import type { Person } from './person.ts';
import { sourceFile } from './source-file.ts';
import { createTransfer } from './transfer-progress.ts';

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

/** Who calls holds the lock of the spool. Throws what the first file that fails throws. */
export async function putFiles(
  person: Person,
  paths: readonly string[],
  options: PutFilesOptions,
): Promise<readonly PutDone[]> {
  const { crypto, network, custody, signal } = person;
  const files = await Promise.all(paths.map(sourceFile));
  const spool = await openSpool(crypto, options.spoolDir);
  const states = new Map(custody.listDatasets().map(({ id, state }) => [id, state]));
  // A body goes when all of its vaults have it: the state tells of the first one only.
  await spool.sweep((id) => (states.get(id) ?? 'shredded') !== 'shredded');
  const context = { crypto, network, wallet: options.wallet, keeper: custody, spool, signal };
  const done: PutDone[] = [];
  for (const file of files) {
    const object = await objectOf(context, file, options);
    const uploads = await upload(person, context, { file, object, options });
    const { fileName, sizeBytes } = file;
    done.push({ fileName, dataset: object.id, sizeBytes, uploads });
  }
  return done;
}

async function objectOf(
  context: PutContext,
  file: SourceFile,
  { terms, vaults, isAnew, quiet }: PutFilesOptions,
): Promise<PreparedObject> {
  const known = isAnew ? undefined : await findSame(context, file, terms);
  if (known !== undefined) return known;
  const label = `${file.fileName}  sealing`;
  const progress = createTransfer({ label, totalBytes: file.sizeBytes, quiet });
  const object = await prepareObject(context, {
    file,
    terms,
    vaults,
    nowMs: Date.now(),
    onProgress: progress.update,
  });
  progress.done();
  return object;
}

async function upload(
  person: Person,
  context: PutContext,
  put: {
    readonly file: SourceFile;
    readonly object: PreparedObject;
    readonly options: PutFilesOptions;
  },
): Promise<Uploads> {
  const { file, object, options } = put;
  const targets = options.vaults.map((address) => ({ address, vault: person.vault(address) }));
  const { bodyBytes } = object.manifest.document;
  const progress = createTransfer({
    label: `${file.fileName}  storing`,
    totalBytes: bodyBytes * targets.length,
    quiet: options.quiet,
  });
  let isSending = false;
  const uploads = await uploadObject(context, object, targets, (sent) => {
    isSending = true;
    progress.update(sent);
  });
  if (isSending) progress.done();
  return uploads;
}
