/**
 * Putting a file into vaults so that a kill at any point loses no key and uploads nothing twice.
 *
 *   1  the body is sealed into the spool, its keys in memory        killed: nothing was relied on
 *   2  it gets the name of its dataset, durably                     killed: a body without keys, swept
 *   3  the custody has the keys and the signed manifest, durably    killed: the same file goes on here
 *   4  each vault says that it has the whole body                   killed: vaults have a part, and say so
 *   5  the body leaves the spool
 *
 * The same file is found again by what is in it (`same-files.ts`). Left out: a lock against another `put` on the same data folder.
 */
import { createReadStream } from 'node:fs';
import { AppError, type Digest } from '@helixmesh/protocol';
import {
  type ByteSource,
  type Crypto,
  documentId,
  encodeDocument,
  KEY_BYTES,
  type KeyPair,
  MANIFEST_TYPE,
  type Manifest,
  type NodeAddress,
  openHeader,
  openPart,
  type SealedPart,
  type Signed,
  sealHeader,
  sealPart,
  signDocument,
  toHex,
  type WalletSigner,
} from '@helixmesh/protocol/sealing';
import { type Sealed, sealToFile } from './seal.ts';
import type { Spool } from './spool.ts';
import type { Vault } from './vault-port.ts';

const NONCE_BYTES = 16;

/** The custody of the owner: what is in it is durable when a call returns. */
export interface KeyKeeper {
  /** X25519 key that headers for it are sealed to. */
  readonly publicKey: Uint8Array;
  addDataset(dataset: {
    readonly manifest: Signed<Manifest>;
    readonly header: Uint8Array;
    readonly partHeader: Uint8Array;
    readonly vaults: readonly NodeAddress[];
  }): Digest;
  markStored(id: Digest, vault?: NodeAddress): void;
  listDatasets(): readonly KeptDataset[];
  openOwn(id: Digest, recipientKey: Uint8Array): { readonly partHeader: Uint8Array };
}

export interface KeptDataset {
  readonly id: Digest;
  readonly manifest: Signed<Manifest>;
  readonly state: 'pending' | 'stored' | 'shredded';
}

/** What the owner decides about an object. */
export type ObjectTerms = Pick<Manifest, 'residency' | 'terms' | 'segmentsPerKey'>;

export interface SourceFile {
  readonly fileName: string;
  readonly mediaType: string;
  readonly sizeBytes: number;
  /** Its bytes from the first on. Throws INPUT_CHANGED when they change while they are read. */
  read(): ByteSource;
}

export interface PutContext {
  readonly crypto: Crypto;
  readonly network: Digest;
  readonly wallet: WalletSigner;
  readonly keeper: KeyKeeper;
  readonly spool: Spool;
  readonly signal: AbortSignal;
}

export interface PreparedObject {
  readonly id: Digest;
  readonly manifest: Signed<Manifest>;
  readonly part: SealedPart;
}

/** The sealed part of a manifest, by a header for `reader`. Throws KEY_NOT_HELD. */
export function partOf(
  crypto: Crypto,
  manifest: Manifest,
  { partHeader }: { readonly partHeader: Uint8Array },
  reader: KeyPair,
): SealedPart {
  const [partKey] = openHeader(crypto, partHeader, reader).dataKeys;
  if (partKey === undefined) throw new AppError('INTERNAL', 'a header without a key');
  return openPart(crypto, partKey, manifest.sealedPart, manifest);
}

export interface PrepareOptions {
  readonly file: SourceFile;
  readonly terms: ObjectTerms;
  readonly vaults: readonly NodeAddress[];
  readonly nowMs: number;
  /** Bytes of the plaintext that have been sealed so far. */
  readonly onProgress?: (plaintextBytes: number) => void;
}

/** Steps 1 to 3. Throws INPUT_CHANGED, DISK_FULL, and what the custody throws. */
export async function prepareObject(
  context: PutContext,
  options: PrepareOptions,
): Promise<PreparedObject> {
  const { crypto, keeper, spool } = context;
  const { file, vaults, onProgress } = options;
  const isGrouped = options.terms.segmentsPerKey !== null;
  const path = spool.newPath();
  const sealed = await sealToFile(path, file.read(), {
    ...context,
    isGrouped,
    ...(onProgress === undefined ? {} : { onProgress }),
  });
  const partKey = crypto.random(KEY_BYTES);
  const { fileName, mediaType } = file;
  const part = { fileName, mediaType, plaintextDigest: sealed.plaintextDigest };
  const manifest = await signedManifest(context, options, { sealed, part, partKey });
  const id = documentId(crypto, manifest.document);
  await spool.keep(path, id);
  const recipients = [keeper.publicKey];
  const header = sealHeader(crypto, { dataKeys: sealed.dataKeys }, recipients);
  const partHeader = sealHeader(crypto, { dataKeys: [partKey] }, recipients);
  keeper.addDataset({ manifest, header, partHeader, vaults });
  for (const key of [...sealed.dataKeys, partKey]) key.fill(0);
  return { id, manifest, part };
}

async function signedManifest(
  { crypto, network, wallet }: PutContext,
  { terms, nowMs }: PrepareOptions,
  body: { readonly sealed: Sealed; readonly part: SealedPart; readonly partKey: Uint8Array },
): Promise<Signed<Manifest>> {
  const { plaintextBytes, bodyBytes, bodyCid, segments } = body.sealed;
  return signDocument(wallet, {
    type: MANIFEST_TYPE,
    network,
    owner: wallet.address,
    plaintextBytes,
    bodyBytes,
    bodyCid,
    cidProfile: 'unixfs-v1-2025',
    segments,
    ...termsOf(terms),
    sealedPart: sealPart(crypto, body.partKey, body.part, { network, segments }),
    nonce: toHex(crypto.random(NONCE_BYTES)),
    issuedAtMs: nowMs,
  });
}

export interface UploadTarget {
  readonly address: NodeAddress;
  readonly vault: Vault;
}

export type Uploads = readonly {
  readonly vault: string;
  /** `known`: it had the body already. */
  readonly status: 'stored' | 'known';
  /** Of the body; what the vault had kept of an earlier try was not sent again. */
  readonly sentBytes: number;
}[];

/**
 * Steps 4 and 5. Throws what a vault throws, after the others were served; run again it asks each
 * vault and sends those that lack it what they lack of it. `onProgress` gets the bytes that vaults
 * have, of all of them together.
 */
export async function uploadObject(
  { keeper, spool, signal }: PutContext,
  { id, manifest }: PreparedObject,
  targets: readonly UploadTarget[],
  onProgress?: (doneBytes: number) => void,
): Promise<Uploads> {
  const path = await spool.bodyOf(id);
  let before = 0;
  let sentBytes = 0;
  async function* body(fromByte: number): AsyncGenerator<Uint8Array> {
    if (path === undefined) throw bodyGone();
    let at = fromByte;
    onProgress?.(before + at);
    if (fromByte === manifest.document.bodyBytes) return;
    for await (const chunk of createReadStream(path, { start: fromByte })) {
      yield chunk;
      at += chunk.length;
      sentBytes += chunk.length;
      onProgress?.(before + at);
    }
  }
  const uploads: Uploads[number][] = [];
  let failure: { readonly error: unknown } | undefined;
  for (const { address, vault } of targets) {
    try {
      sentBytes = 0;
      const { status } = await vault.put(encodeDocument(manifest), body, signal);
      keeper.markStored(id, address);
      uploads.push({ vault: vault.name, status, sentBytes });
      before += manifest.document.bodyBytes;
    } catch (error) {
      signal.throwIfAborted();
      failure ??= { error };
    }
  }
  if (failure !== undefined) throw failure.error;
  await spool.drop(id);
  return uploads;
}

/** Only that. */
export function termsOf({ residency, terms, segmentsPerKey }: ObjectTerms): ObjectTerms {
  return { residency, terms, segmentsPerKey };
}

function bodyGone(): AppError {
  return new AppError('INPUT_NOT_FOUND', 'the sealed body is not in the spool any more', {
    hint: 'Name a vault that has it already, or put the file anew with --anew.',
  });
}
