/** sha256 of files, two at a time; large sets in worker threads, so that the caller stays awake. */
import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { stat } from 'node:fs/promises';
import { Worker } from 'node:worker_threads';
import { AppError, type Digest } from '@helixmesh/protocol';
import { HASH_IN_WORKERS_BYTES, HASH_WORKERS } from './limits.ts';

const CHUNK_BYTES = 1 << 20;

export interface FileSum {
  readonly path: string;
  readonly digest: Digest;
  readonly sizeBytes: number;
}

/** The sums in the order of `paths`. Throws what opening or reading throws. */
export async function checksumFiles(
  paths: readonly string[],
  signal?: AbortSignal,
): Promise<readonly FileSum[]> {
  const sizes = await Promise.all(paths.map(async (path) => (await stat(path)).size));
  const total = sizes.reduce((sum, size) => sum + size, 0);
  const one = total < HASH_IN_WORKERS_BYTES ? checksumFile : checksumInWorker;
  const sums = new Array<FileSum>(paths.length);
  let next = 0;
  const lane = async () => {
    while (next < paths.length) {
      const index = next++;
      const path = paths[index] as string;
      const digest = await one(path, signal);
      sums[index] = { path, digest, sizeBytes: sizes[index] as number };
    }
  };
  await Promise.all(Array.from({ length: HASH_WORKERS }, lane));
  return sums;
}

export async function checksumFile(path: string, signal?: AbortSignal): Promise<Digest> {
  return checksumStream(createReadStream(path, { highWaterMark: CHUNK_BYTES }), signal);
}

export async function checksumStream(
  stream: AsyncIterable<Buffer>,
  signal?: AbortSignal,
): Promise<Digest> {
  const hash = createHash('sha256');
  for await (const chunk of stream) {
    signal?.throwIfAborted();
    hash.update(chunk);
  }
  return `sha256:${hash.digest('hex')}` as Digest;
}

function checksumInWorker(path: string, signal?: AbortSignal): Promise<Digest> {
  const url = new URL('./checksum-worker.ts', import.meta.url);
  // In the built package the worker is JavaScript.
  if (!import.meta.url.endsWith('.ts')) url.pathname = url.pathname.replace(/\.ts$/, '.js');
  return new Promise((resolve, reject) => {
    const worker = new Worker(url, { workerData: path });
    const stop = () => void worker.terminate();
    signal?.addEventListener('abort', stop, { once: true });
    worker.once('message', resolve);
    worker.once('error', reject);
    worker.once('exit', (code) => {
      signal?.removeEventListener('abort', stop);
      reject(signal?.reason ?? new AppError('INTERNAL', `checksum worker ended (${code})`));
    });
  });
}
