/** A file that is to be put: its name, what it is, and its bytes as long as nobody changes them. */
import { createReadStream } from 'node:fs';
import { stat } from 'node:fs/promises';
import { basename } from 'node:path';
import type { SourceFile } from '@helixmesh/client/biofs';
import { AppError } from '@helixmesh/protocol';
import type { ByteSource } from '@helixmesh/protocol/sealing';

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

/** Throws INPUT_NOT_FOUND for what is no file. */
export async function sourceFile(path: string): Promise<SourceFile> {
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
