/**
 * Sealing a file for a vault, in one pass over it: the encrypted body into a spool file, and on the
 * way everything that the manifest will say of it.
 *
 * Invariants
 * P1  What lies in the spool is ciphertext: the plaintext is written nowhere.
 * P2  When `sealToFile` answers, the body is durable; when it throws, nothing is left of it.
 */
import { type FileHandle, open, rm } from 'node:fs/promises';
import { AppError, type Digest } from '@helixmesh/protocol';
import {
  type ByteSource,
  buildSegmentTree,
  type Crypto,
  digestFrom,
  encryptBody,
  inPieces,
  KEY_BYTES,
  makeGroupKeys,
  type SegmentsRoot,
  segmentTag,
} from '@helixmesh/protocol/sealing';
import { BLOCK_BYTES_MAX, buildDag, type Cid, cidOf } from '@helixmesh/vault';

export interface SealOptions {
  readonly crypto: Crypto;
  readonly network: Digest;
  /** A data key for each 256 segments, so that regions can be granted; else one for all. */
  readonly isGrouped: boolean;
  /** Bytes of the plaintext that have been sealed so far. */
  readonly onProgress?: (plaintextBytes: number) => void;
  readonly signal?: AbortSignal;
}

export interface Sealed {
  readonly plaintextBytes: number;
  readonly plaintextDigest: Digest;
  readonly bodyBytes: number;
  readonly bodyCid: Cid;
  readonly segments: SegmentsRoot;
  /** One, or one for each group in their order. */
  readonly dataKeys: readonly Uint8Array[];
}

/**
 * Seals `source`; the body goes to `write` in leaves of 1 MiB, the last one shorter. Memory is some
 * 3 MiB whatever the size. Throws what `source` and `write` throw.
 */
export async function sealBody(
  source: ByteSource,
  write: (leaf: Uint8Array) => Promise<void>,
  options: SealOptions,
): Promise<Sealed> {
  const { crypto, network, isGrouped } = options;
  const keys = isGrouped ? makeGroupKeys(crypto) : oneKey(crypto);
  const digest = crypto.createSha256();
  const tree = buildSegmentTree(crypto);
  const dag = buildDag(crypto, async () => undefined);
  let plaintextBytes = 0;
  let bodyBytes = 0;
  async function* plaintext(): AsyncGenerator<Uint8Array> {
    for await (const chunk of source) {
      options.signal?.throwIfAborted();
      digest.update(chunk);
      plaintextBytes += chunk.length;
      yield chunk;
      options.onProgress?.(plaintextBytes);
    }
  }
  async function* segments(): AsyncGenerator<Uint8Array> {
    for await (const segment of encryptBody(crypto, plaintext(), keys.keyOf)) {
      tree.append(segmentTag(segment));
      yield segment;
    }
  }
  for await (const leaf of inPieces(segments(), BLOCK_BYTES_MAX)) {
    await dag.append(cidOf(crypto, 'raw', leaf), leaf.length);
    await write(leaf);
    bodyBytes += leaf.length;
  }
  // A header needs a key, though there is nothing for it to open.
  if (plaintextBytes === 0) keys.keyOf(0);
  return {
    plaintextBytes,
    plaintextDigest: digestFrom(digest.digest()),
    bodyBytes,
    bodyCid: await dag.finish(),
    segments: tree.root(network),
    dataKeys: keys.keys,
  };
}

/** Seals into a new file, which only its owner may read. Throws OUTPUT_UNWRITABLE, DISK_FULL. */
export async function sealToFile(
  path: string,
  source: ByteSource,
  options: SealOptions,
): Promise<Sealed> {
  const file = await openNew(path);
  try {
    const sealed = await sealBody(source, (leaf) => writeAll(file, leaf), options);
    await file.sync();
    await file.close();
    return sealed;
  } catch (error) {
    await file.close();
    await rm(path, { force: true });
    throw error;
  }
}

function oneKey(crypto: Crypto) {
  const key = crypto.random(KEY_BYTES);
  return { keys: [key], keyOf: () => key };
}

async function openNew(path: string): Promise<FileHandle> {
  try {
    return await open(path, 'wx', 0o600);
  } catch (error) {
    throw AppError.from(error);
  }
}

async function writeAll(file: FileHandle, bytes: Uint8Array): Promise<void> {
  try {
    await file.writeFile(bytes);
  } catch (error) {
    throw AppError.from(error);
  }
}
