/**
 * One sealed file of a result, from the node that made it onto this disk.
 *
 * F1  What is on the disk is not fetched again: a fetch that was broken off goes on at its end. That
 *     the bytes are right shows when the file is opened, for each segment bears a tag.
 * F2  No more is written than the node has announced.
 */
import { constants } from 'node:fs';
import { type FileHandle, open } from 'node:fs/promises';
import { setTimeout as delay } from 'node:timers/promises';
import { AppError, type AttemptId } from '@helixmesh/protocol';
import type { Channel } from '../network/channel.ts';
import { PAUSE_MS, SILENCE_MS_MAX, TRIES_MAX } from './limits.ts';

export interface FetchSealedOptions {
  readonly results: Channel['results'];
  readonly attemptId: AttemptId;
  /** As the node lists it. */
  readonly name: string;
  readonly sizeBytes: number;
  /** Where it lies on this machine, whole or in part. */
  readonly path: string;
  readonly signal: AbortSignal;
  /** Bytes that have come since the last call; first those that were there. */
  readonly onBytes?: (count: number) => void;
}

/**
 * Fetches what is missing. Throws what the node answers, PEER_UNREACHABLE when it falls silent,
 * CIPHERTEXT_INVALID when it sends more or less than it has announced, and what writing throws.
 */
export async function fetchSealed(options: FetchSealedOptions): Promise<void> {
  const { path, sizeBytes, signal, onBytes } = options;
  const { O_RDWR, O_CREAT, O_NOFOLLOW } = constants;
  const file = await open(path, O_RDWR | O_CREAT | O_NOFOLLOW, 0o600).catch(rethrown);
  try {
    let at = (await file.stat()).size;
    if (at > sizeBytes) {
      await file.truncate(0);
      at = 0;
    }
    onBytes?.(at);
    for (let tries = 1; at < sizeBytes; tries += 1) {
      const before = at;
      try {
        at = await fetchOnce(file, at, options);
        if (at < sizeBytes) throw otherSize();
      } catch (thrown) {
        const error = AppError.from(thrown);
        at = (await file.stat()).size;
        if (at > before) tries = 0;
        if (signal.aborted || !error.retryable || tries >= TRIES_MAX) throw error;
        await delay(PAUSE_MS * 2 ** tries, undefined, { signal });
      }
    }
    await file.sync();
  } finally {
    await file.close();
  }
}

/** Where it has come to when the node ends. */
async function fetchOnce(
  file: FileHandle,
  offset: number,
  { results, attemptId, name, sizeBytes, signal, onBytes }: FetchSealedOptions,
): Promise<number> {
  const silence = new AbortController();
  const clock = setTimeout(() => silence.abort(), SILENCE_MS_MAX);
  let at = offset;
  try {
    const request = { attemptId, name, offset: BigInt(offset) };
    const either = AbortSignal.any([signal, silence.signal]);
    for await (const { data } of results.fetch(request, { signal: either })) {
      clock.refresh();
      if (at + data.length > sizeBytes) throw otherSize();
      await writeAt(file, at, data);
      at += data.length;
      onBytes?.(data.length);
    }
    return at;
  } catch (thrown) {
    if (!silence.signal.aborted || signal.aborted) throw thrown;
    throw new AppError('PEER_UNREACHABLE', 'the node sends nothing any more', {
      hint: 'Try again; what has come stays.',
      cause: thrown,
    });
  } finally {
    clearTimeout(clock);
  }
}

async function writeAt(file: FileHandle, position: number, bytes: Uint8Array): Promise<void> {
  for (let at = 0; at < bytes.length; ) {
    const length = bytes.length - at;
    const { bytesWritten } = await file.write(bytes, at, length, position + at).catch(rethrown);
    at += bytesWritten;
  }
}

function otherSize(): AppError {
  return new AppError('CIPHERTEXT_INVALID', 'the node sends a file of another size than it said', {
    hint: 'Fetch the result from another node.',
  });
}

function rethrown(error: unknown): never {
  throw AppError.from(error);
}
