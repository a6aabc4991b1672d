/** A file that is to be put: its name, what it is, and its bytes as long as nobody changes them. */
import { createReadStream } from 'node:fs';
import { lstat, readdir, stat } from 'node:fs/promises';
import { basename, join } from 'node:path';
import type { SourceFile } from '@helixmesh/client/biofs';
import { AppError } from '@helixmesh/protocol';
import type { ByteSource } from '@helixmesh/protocol/sealing';
import { PUT_FILES_MAX } from './limits.ts';

/** By the end of the name; the GA4GH formats have no registered types. */
const MEDIA_TYPES: readonly (readonly [RegExp, string])[] = [
  [/\.bam$/, 'application/vnd.ga4gh.bam'],
  [/\.cram$/, 'application/vnd.ga4gh.cram'],
  [/\.vcf(\.gz)?$/, 'application/vnd.ga4gh.vcf'],
  [/\.(fastq|fq)(\.gz)?$/, 'application/vnd.ga4gh.fastq'],
  [/\.(fasta|fa|fna)(\.gz)?$/, 'application/vnd.ga4gh.fasta'],
  [/\.json$/, 'application/json'],
  [/\.pdf$/, 'application/pdf'],
  [/\.html$/, 'text/html'],
  [/\.(txt|tsv|csv|bed|gff3?)$/, 'text/plain'],
];
/** Read at once, bytes. */
const READ_BYTES = 1024 * 1024;

/**
 * The files of that name, and those in folders of that name, in the order of their paths. Links in
 * folders are left out. Throws INPUT_NOT_FOUND for what is neither, USAGE for too many and for none.
 */
export async function sourceFiles(paths: readonly string[]): Promise<readonly SourceFile[]> {
  const files: SourceFile[] = [];
  for (const path of paths) {
    for await (const one of filesAt(path)) {
      files.push(await sourceFile(one));
      if (files.length > PUT_FILES_MAX) throw tooMany();
    }
  }
  if (files.length > 0) return files;
  throw new AppError('USAGE', 'there is no file in these folders', {
    hint: 'Name files, or folders that have some.',
  });
}

async function* filesAt(path: string): AsyncGenerator<string> {
  const facts = await stat(path).catch(() => undefined);
  if (facts?.isDirectory() !== true) {
    yield path;
    return;
  }
  for (const name of (await readdir(path)).sort()) {
    const inside = join(path, name);
    const kind = await lstat(inside);
    if (kind.isDirectory()) yield* filesAt(inside);
    else if (kind.isFile()) yield inside;
  }
}

function tooMany(): AppError {
  return new AppError('USAGE', `more than ${PUT_FILES_MAX} files at once`, {
    hint: 'Put the folders one after the other.',
  });
}

/** Throws INPUT_NOT_FOUND for what is no file. */
async function sourceFile(path: string): Promise<SourceFile> {
  const facts = await stat(path).catch(() => undefined);
  if (facts?.isFile() !== true) {
    throw new AppError('INPUT_NOT_FOUND', `there is no file ${path}`, {
      hint: 'Name a file that you may read.',
    });
  }
  const fileName = basename(path);
  return {
    fileName,
    mediaType: mediaTypeOf(fileName),
    sizeBytes: facts.size,
    read: () => unchanged(path, facts),
  };
}

export function mediaTypeOf(fileName: string): string {
  const found = MEDIA_TYPES.find(([pattern]) => pattern.test(fileName.toLowerCase()));
  return found?.[1] ?? 'application/octet-stream';
}

async function* unchanged(
  path: string,
  before: { readonly size: number; readonly mtimeMs: number },
): ByteSource & AsyncGenerator<Uint8Array> {
  yield* createReadStream(path, { highWaterMark: READ_BYTES });
  const after = await stat(path);
  if (after.size === before.size && after.mtimeMs === before.mtimeMs) return;
  throw new AppError('INPUT_CHANGED', `${path} has changed while it was read`, {
    hint: 'Run the command again when nothing writes into the file.',
  });
}
