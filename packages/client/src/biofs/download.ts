/**
 * Downloads: pieces come in parallel and in any order, are verified, and lie at their places in a
 * partial file, which takes its name when all of it is there.
 *
 * Invariants
 * L1  After a kill nothing has to be believed: a segment in a partial file stays when sealing it
 *     again under its key and nonce gives the tag that the owner has signed.
 * L2  A file appears under its name when every byte of it is verified and durable, and takes no
 *     other's place unless that was asked for.
 *
 * Left out: what lies in a partial file is plaintext; its folder is chosen by the person.
 */
import type { FileHandle } from 'node:fs/promises';
import { AppError, type Digest } from '@helixmesh/protocol';
import {
  AEAD_NONCE_BYTES,
  aeadSeal,
  digestFrom,
  type Range,
  SEGMENT_BYTES,
  tagAt,
} from '@helixmesh/protocol/sealing';
import type { ObjectReader } from './object-reader.ts';
import { openPartial, partialOf, publish, refuseExisting } from './partial-file.ts';
import { keptOf, partOf, totalOf, type Unit, unitsOf } from './plan.ts';

export interface DownloadOptions {
  readonly reader: ObjectReader;
  /** Bytes of the plaintext, in order and apart. */
  readonly ranges: readonly Range[];
  readonly path: string;
  /** Takes the place of a file of that name. */
  readonly isReplacing: boolean;
  readonly connections: number;
  /** What the owner says is the digest of all that is downloaded, where that is known. */
  readonly digest?: Digest;
  /** Bytes that are there and verified, those of an earlier try included. */
  readonly onProgress?: (doneBytes: number) => void;
}

export interface Downloaded {
  readonly path: string;
  readonly sizeBytes: number;
  /** Bytes that an earlier try had left, and that did not have to be fetched again. */
  readonly keptBytes: number;
}

/**
 * Downloads to `path`. Throws OUTPUT_IN_USE where a file of that name is, CIPHERTEXT_INVALID,
 * OUTPUT_UNWRITABLE, DISK_FULL, and what reading throws; what came stays in `<path>.partial`, and
 * the same download goes on from it.
 */
export async function download(options: DownloadOptions): Promise<Downloaded> {
  const { ranges, path, isReplacing } = options;
  const partial = partialOf(path);
  if (!isReplacing) await refuseExisting(path);
  const file = await openPartial(partial);
  try {
    const sizeBytes = totalOf(ranges);
    // What lies beyond the end is not of this download.
    if ((await file.stat()).size > sizeBytes) await file.truncate(sizeBytes).catch(rethrown);
    const { missing, keptBytes } = await sieve(file, unitsOf(ranges), options);
    await fetchAll(file, missing, keptBytes, options);
    await file.sync();
    if (options.digest !== undefined) await checkDigest(file, options.digest, sizeBytes, options);
    await file.close();
    await publish(partial, path, isReplacing);
    return { path, sizeBytes, keptBytes };
  } finally {
    // Closing twice is no error.
    await file.close();
  }
}

interface Sieved {
  readonly missing: readonly Unit[];
  readonly keptBytes: number;
}

/** What of the units is not in the partial file yet (L1). */
async function sieve(
  file: FileHandle,
  units: readonly Unit[],
  { reader, onProgress }: DownloadOptions,
): Promise<Sieved> {
  const missing: Unit[] = [];
  const { size } = await file.stat();
  let keptBytes = 0;
  for (const unit of units) {
    reader.signal.throwIfAborted();
    if (unit.at >= size) {
      missing.push(unit);
      continue;
    }
    const bytes = await readAt(file, unit.at, unit.bytes.end - unit.bytes.start);
    let run: Range | undefined;
    for (let index = unit.segments.start; index < unit.segments.end; index += 1) {
      const kept = keptOf(unit, index);
      const plaintext = bytes.subarray(kept.start - unit.bytes.start, kept.end - unit.bytes.start);
      if (isVerified(reader, index, plaintext)) {
        keptBytes += plaintext.length;
        if (run !== undefined) missing.push(partOf(unit, run));
        run = undefined;
      } else {
        run = { start: run?.start ?? index, end: index + 1 };
      }
    }
    if (run !== undefined) missing.push(partOf(unit, run));
    onProgress?.(keptBytes);
  }
  return { missing, keptBytes };
}

/** Whether `plaintext` is all of that segment; a part of one cannot be told from something else. */
function isVerified(reader: ObjectReader, index: number, plaintext: Uint8Array): boolean {
  const { crypto, manifest, keyOf, tags } = reader;
  const whole = Math.min(SEGMENT_BYTES, manifest.plaintextBytes - index * SEGMENT_BYTES);
  const key = keyOf(index);
  if (key === undefined || plaintext.length !== whole) return false;
  const tag = tagAt(tags, index);
  const sealed = aeadSeal(crypto, { key, nonce: tag.subarray(0, AEAD_NONCE_BYTES), plaintext });
  return crypto.equal(sealed.subarray(plaintext.length), tag.subarray(AEAD_NONCE_BYTES));
}

/** Fetches the units, a few at a time; the first failure ends all. */
async function fetchAll(
  file: FileHandle,
  units: readonly Unit[],
  keptBytes: number,
  { reader, connections, onProgress }: DownloadOptions,
): Promise<void> {
  let done = keptBytes;
  const queue = units[Symbol.iterator]();
  let isFailed = false;
  const worker = async () => {
    for (const unit of queue) {
      for await (const { index, plaintext } of reader.segments(unit.segments)) {
        if (isFailed) return;
        const kept = keptOf(unit, index);
        const first = index * SEGMENT_BYTES;
        const bytes = plaintext.subarray(kept.start - first, kept.end - first);
        await writeAt(file, unit.at + kept.start - unit.bytes.start, bytes);
        done += bytes.length;
        onProgress?.(done);
      }
    }
  };
  const workers = Array.from({ length: Math.min(connections, units.length) }, () =>
    worker().catch((error) => {
      isFailed = true;
      throw error;
    }),
  );
  // The file is closed by who calls: nobody may write into it after that.
  const failures = (await Promise.allSettled(workers)).filter(
    ({ status }) => status === 'rejected',
  );
  const [failure] = failures as PromiseRejectedResult[];
  if (failure !== undefined) throw failure.reason;
}

async function checkDigest(
  file: FileHandle,
  expected: Digest,
  sizeBytes: number,
  { reader }: DownloadOptions,
): Promise<void> {
  const hasher = reader.crypto.createSha256();
  for (let at = 0; at < sizeBytes; at += HASH_BYTES) {
    reader.signal.throwIfAborted();
    hasher.update(await readAt(file, at, Math.min(HASH_BYTES, sizeBytes - at)));
  }
  if (digestFrom(hasher.digest()) === expected) return;
  throw new AppError('CIPHERTEXT_INVALID', 'the file is not the one that its owner has sealed', {
    hint: 'Delete the partial file, download from another vault, and report this one.',
    details: { why: 'digest' },
  });
}

/** The bytes at `position`; what the file lacks is zeros. */
async function readAt(file: FileHandle, position: number, size: number): Promise<Uint8Array> {
  const bytes = new Uint8Array(size);
  for (let filled = 0; filled < size; ) {
    const { bytesRead } = await file.read(bytes, filled, size - filled, position + filled);
    if (bytesRead === 0) break;
    filled += bytesRead;
  }
  return bytes;
}

async function writeAt(file: FileHandle, position: number, bytes: Uint8Array): Promise<void> {
  for (let at = 0; at < bytes.length; ) {
    const length = bytes.length - at;
    const { bytesWritten } = await file.write(bytes, at, length, position + at).catch(rethrown);
    at += bytesWritten;
  }
}

function rethrown(error: unknown): never {
  throw AppError.from(error);
}

/** Read at once while hashing, bytes. */
const HASH_BYTES = 4 * 1024 * 1024;
