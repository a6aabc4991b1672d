/**
 * Compressed input: what a file is by its first bytes, and its decompressed bytes as a stream.
 * Plain files, gzip, gzip of many members and BGZF (SAMv1 §4.1) all read alike, in constant memory;
 * inflation runs in the thread pool beside the reader's own work.
 *
 * A file that ends too early is INPUT_TRUNCATED; one whose checksum fails is INPUT_MALFORMED. BGZF
 * cut exactly between two blocks is valid gzip: only `hasBgzfEnd` can tell.
 */
import { createReadStream } from 'node:fs';
import { type FileHandle, open } from 'node:fs/promises';
import { basename } from 'node:path';
import { createGunzip } from 'node:zlib';
import { AppError } from '@helixmesh/protocol';
import { CHUNK_BYTES, READ_BYTES } from '../limits.ts';

export type Compression = 'none' | 'gzip' | 'bgzf';

/** The empty last block of every BGZF file (SAMv1 §4.1.2). */
export const BGZF_END = Buffer.from(
  '1f8b08040000000000ff0600424302001b0003000000000000000000',
  'hex',
);
const HEADER_BYTES = 18;

export interface ReadOptions {
  /** Called with every piece of the file as it is, compressed where the file is. */
  readonly onRead?: (piece: Buffer) => void;
  /** Names the file in messages; its base name when absent. */
  readonly label?: string;
  /** Decompressed bytes per chunk at most. */
  readonly chunkBytes?: number;
}

/** What the first bytes of a file say it is; INPUT_NOT_FOUND when there is no such file. */
export async function detectCompression(path: string): Promise<Compression> {
  const file = await openInput(path);
  try {
    const head = Buffer.alloc(HEADER_BYTES);
    const { bytesRead } = await file.read(head, 0, HEADER_BYTES, 0);
    return compressionOf(head.subarray(0, bytesRead));
  } finally {
    await file.close();
  }
}

/** The compression that the first 18 bytes of a file announce. */
export function compressionOf(head: Uint8Array): Compression {
  if (head[0] !== 0x1f || head[1] !== 0x8b) return 'none';
  const hasExtra = head[2] === 8 && ((head[3] ?? 0) & 4) !== 0;
  return hasExtra && head[12] === 0x42 && head[13] === 0x43 ? 'bgzf' : 'gzip';
}

/** Whether a BGZF file ends with the block that marks its end. */
export async function hasBgzfEnd(path: string): Promise<boolean> {
  const file = await openInput(path);
  try {
    const { size } = await file.stat();
    if (size < BGZF_END.length) return false;
    const tail = Buffer.alloc(BGZF_END.length);
    await file.read(tail, 0, tail.length, size - tail.length);
    return tail.equals(BGZF_END);
  } finally {
    await file.close();
  }
}

/** The decompressed bytes of a file of any compression, in chunks. */
export async function* readDecompressed(
  path: string,
  options: ReadOptions = {},
): AsyncGenerator<Buffer> {
  const compression = await detectCompression(path);
  const chunkBytes = options.chunkBytes ?? CHUNK_BYTES;
  const isPlain = compression === 'none';
  const file = createReadStream(path, { highWaterMark: isPlain ? chunkBytes : READ_BYTES });
  const { onRead } = options;
  if (onRead !== undefined) file.on('data', (piece) => onRead(piece as Buffer));
  if (isPlain) {
    yield* file as AsyncIterable<Buffer>;
    return;
  }
  const gunzip = createGunzip({ chunkSize: chunkBytes });
  file.on('error', (error) => gunzip.destroy(error));
  file.pipe(gunzip);
  try {
    yield* gunzip as AsyncIterable<Buffer>;
  } catch (error) {
    throw gzipError(options.label ?? basename(path), error);
  } finally {
    file.destroy();
    gunzip.destroy();
  }
}

/** Opens a file to read; INPUT_NOT_FOUND when it is not there. */
export async function openInput(path: string): Promise<FileHandle> {
  try {
    return await open(path, 'r');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw AppError.from(error);
    throw new AppError('INPUT_NOT_FOUND', `no such file: ${basename(path)}`, {
      hint: 'Check the path.',
      cause: error,
    });
  }
}

function gzipError(name: string, error: unknown): AppError {
  const code = (error as NodeJS.ErrnoException).code;
  if (code === 'Z_BUF_ERROR') {
    return new AppError('INPUT_TRUNCATED', `${name} ends in the middle of its compressed data`, {
      hint: 'The file was not copied whole: copy or download it again and compare checksums.',
      cause: error,
    });
  }
  if (code === 'Z_DATA_ERROR' || code === 'Z_STREAM_ERROR') {
    return new AppError('INPUT_MALFORMED', `${name} has damaged compressed data`, {
      hint: 'The file was damaged: copy or download it again and compare checksums.',
      cause: error,
    });
  }
  return AppError.from(error);
}
