/**
 * Reads a source file as text bytes, gzip and bgzip opened on the way. Truncation is told from
 * other damage: gzip ends in the middle of a member, bgzip lacks its empty end block.
 */
import { createReadStream } from 'node:fs';
import { type FileHandle, open } from 'node:fs/promises';
import { createGunzip } from 'node:zlib';
import { AppError } from '@helixmesh/protocol';

/** SAM specification, section 4.1.2: the end-of-file marker of BGZF. */
const BGZF_END = Buffer.from('1f8b08040000000000ff0600424302001b0003000000000000000000', 'hex');
const CHUNK_BYTES = 1 << 20;

export interface SourceFile {
  readonly path: string;
  /** For messages: the option that named the file, e.g. `--clinvar`. */
  readonly label: string;
}

/** Decompressed bytes in chunks. Throws INPUT_NOT_FOUND, INPUT_EMPTY, INPUT_TRUNCATED, … */
export async function* readSource(
  source: SourceFile,
  signal?: AbortSignal,
): AsyncGenerator<Buffer> {
  const isGzip = await inspect(source);
  const raw = createReadStream(source.path, { highWaterMark: CHUNK_BYTES });
  const gunzip = isGzip ? createGunzip({ chunkSize: CHUNK_BYTES }) : null;
  if (gunzip !== null) {
    raw.on('error', (error) => gunzip.destroy(error));
    raw.pipe(gunzip);
  }
  try {
    for await (const chunk of gunzip ?? raw) {
      signal?.throwIfAborted();
      yield chunk as Buffer;
    }
  } catch (error) {
    throw readFailure(source, error);
  } finally {
    raw.destroy();
    gunzip?.destroy();
  }
}

function readFailure(source: SourceFile, error: unknown): unknown {
  const code = (error as NodeJS.ErrnoException).code ?? '';
  if (code === 'Z_BUF_ERROR') return truncated(source, error);
  if (!code.startsWith('Z_')) return error;
  return new AppError('INPUT_MALFORMED', `${source.label}: damaged gzip file ${source.path}`, {
    hint: 'Get the file again and compare its checksum with the publisher’s.',
    cause: error,
  });
}

function truncated(source: SourceFile, cause?: unknown): AppError {
  return new AppError('INPUT_TRUNCATED', `${source.label}: ${source.path} ends too early`, {
    hint: 'Get the file again; the download or copy stopped before its end.',
    cause,
  });
}

/** Whether the file is compressed. */
async function inspect(source: SourceFile): Promise<boolean> {
  const { path, label } = source;
  let file: FileHandle;
  try {
    file = await open(path);
  } catch (error) {
    throw new AppError('INPUT_NOT_FOUND', `${label}: cannot read ${path}`, {
      hint: 'Give the path of a file that you may read.',
      cause: error,
    });
  }
  try {
    const stat = await file.stat();
    if (!stat.isFile()) {
      throw new AppError('INPUT_WRONG_FORMAT', `${label}: ${path} is not a file`, {
        hint: 'Give the path of a file.',
      });
    }
    if (stat.size === 0) throw emptySource(source);
    const head = Buffer.alloc(18);
    const { bytesRead } = await file.read(head, 0, head.length, 0);
    if (bytesRead < 2 || head[0] !== 0x1f || head[1] !== 0x8b) return false;
    const isBgzf = bytesRead === 18 && (head.readUInt8(3) & 4) !== 0 && head[12] === 0x42;
    if (isBgzf) await requireEndBlock(file, stat.size, source);
    return true;
  } finally {
    await file.close();
  }
}

async function requireEndBlock(file: FileHandle, size: number, source: SourceFile): Promise<void> {
  const tail = Buffer.alloc(BGZF_END.length);
  await file.read(tail, 0, tail.length, Math.max(0, size - tail.length));
  if (!tail.equals(BGZF_END)) throw truncated(source);
}

export function emptySource(source: SourceFile): AppError {
  return new AppError('INPUT_EMPTY', `${source.label}: ${source.path} is empty`, {
    hint: 'Get the file again.',
  });
}
