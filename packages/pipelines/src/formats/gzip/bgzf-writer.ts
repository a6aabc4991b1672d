/**
 * Writes files plain, as gzip or as BGZF (SAMv1 §4.1), with no time and no name in them, so that
 * the same content gives the same bytes under one zlib.
 */
import { closeSync, openSync, writeSync } from 'node:fs';
import { crc32, deflateRawSync, gzipSync } from 'node:zlib';
import { AppError } from '@helixmesh/protocol';
import type { Compression } from './bgzf.ts';
import { BGZF_END } from './bgzf.ts';

/** Content of one block, as htslib cuts it: the compressed block must stay below 64 KiB. */
export const BGZF_CONTENT_BYTES = 0xff00;
/** One gzip member. */
const MEMBER_BYTES = 1 << 20;
const GZIP_LEVEL = 6;

/** The content as one BGZF file; `level` is zlib's. */
export function bgzip(content: Uint8Array, level = GZIP_LEVEL): Buffer {
  const parts: Buffer[] = [];
  for (let at = 0; at < content.length; at += BGZF_CONTENT_BYTES) {
    parts.push(bgzfBlock(content.subarray(at, at + BGZF_CONTENT_BYTES), level));
  }
  parts.push(BGZF_END);
  return Buffer.concat(parts);
}

/** One block of at most BGZF_CONTENT_BYTES; `level` is zlib's. */
export function bgzfBlock(content: Uint8Array, level = GZIP_LEVEL): Buffer {
  let body = deflateRawSync(content, { level });
  if (body.length > 0xffff - 26) body = deflateRawSync(content, { level: 0 });
  const block = Buffer.alloc(18 + body.length + 8);
  BGZF_END.copy(block, 0, 0, 16);
  block.writeUInt16LE(block.length - 1, 16);
  body.copy(block, 18);
  block.writeUInt32LE(crc32(content), 18 + body.length);
  block.writeUInt32LE(content.length, 22 + body.length);
  return block;
}

export interface WriterOptions {
  readonly compression: Compression;
  readonly level?: number;
}

/** Buffers text and writes it to a new file, compressed block by block. Close it. */
export class CompressedWriter {
  readonly #options: WriterOptions;
  readonly #fd: number;
  readonly #blockBytes: number;
  #pending: Buffer[] = [];
  #pendingBytes = 0;

  /** Fails with CONFLICT when the file exists. */
  constructor(path: string, options: WriterOptions) {
    this.#options = options;
    this.#blockBytes = options.compression === 'bgzf' ? BGZF_CONTENT_BYTES : MEMBER_BYTES;
    try {
      this.#fd = openSync(path, 'wx');
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw AppError.from(error);
      throw new AppError('CONFLICT', 'the file to write exists', {
        hint: 'Choose another name or remove it.',
        cause: error,
      });
    }
  }

  /** The buffer is kept until it is written: do not change it. */
  write(data: string | Buffer): void {
    const bytes = typeof data === 'string' ? Buffer.from(data) : data;
    this.#pending.push(bytes);
    this.#pendingBytes += bytes.length;
    if (this.#pendingBytes >= this.#blockBytes) this.#drain(false);
  }

  close(): void {
    this.#drain(true);
    if (this.#options.compression === 'bgzf') writeSync(this.#fd, BGZF_END);
    closeSync(this.#fd);
  }

  #drain(all: boolean): void {
    const content = Buffer.concat(this.#pending);
    let at = 0;
    while (content.length - at >= this.#blockBytes || (all && at < content.length)) {
      const block = content.subarray(at, at + this.#blockBytes);
      writeAll(this.#fd, this.#compress(block));
      at += block.length;
    }
    this.#pending = at < content.length ? [Buffer.from(content.subarray(at))] : [];
    this.#pendingBytes = content.length - at;
  }

  #compress(block: Buffer): Buffer {
    const level = this.#options.level ?? GZIP_LEVEL;
    if (this.#options.compression === 'none') return block;
    if (this.#options.compression === 'bgzf') return bgzfBlock(block, level);
    return gzipSync(block, { level });
  }
}

function writeAll(fd: number, bytes: Buffer): void {
  for (let at = 0; at < bytes.length; ) at += writeSync(fd, bytes, at);
}
