/**
 * What outputs are compared by: SHA-256 over the canonical content, which is the same for every
 * machine, path and number of threads that made the output. One rule per format:
 *
 *   bam         bam.ts
 *   vcf         vcf.ts
 *   json        canonical JSON (RFC 8785)
 *   fastp-json  the same without `command` and `insert_size`, which depend on paths and threads
 *   text        the decompressed bytes
 *   opaque      the bytes of the file
 *
 * An index has no digest of its own: it has that of the file it indexes.
 */
import { createHash } from 'node:crypto';
import { readFile, stat } from 'node:fs/promises';
import { AppError, canonicalJson, type Digest, parseDigest } from '@helixmesh/protocol';
import { openInput, readDecompressed } from '../formats/gzip/bgzf.ts';
import type { OutputFormat, OutputRecord } from '../task/spec.ts';
import { bamDigestHex } from './bam.ts';
import { JSON_BYTES_MAX } from './limits.ts';
import { vcfDigestHex } from './vcf.ts';

/** Members of fastp's report that differ between equal runs. */
const FASTP_UNSTABLE = ['command', 'insert_size'];

/**
 * Digest and size (bytes on disk) of an output. It works in slices of about a megabyte between
 * which other work runs; give large files a worker thread. Throws INPUT_NOT_FOUND, INPUT_TRUNCATED,
 * INPUT_MALFORMED or INPUT_WRONG_FORMAT for a file that is not of its format; INTERNAL for `index`.
 */
export async function canonicalDigest(path: string, format: OutputFormat): Promise<OutputRecord> {
  const file = await openInput(path);
  await file.close();
  const digest = toDigest(await digestHex(path, format));
  return { digest, sizeBytes: (await stat(path)).size };
}

/** `sha256:` and the digest of bytes given or of a file as it stands. */
export async function fileDigest(path: string): Promise<Digest> {
  return toDigest(await bytesDigestHex((await openInput(path)).createReadStream()));
}

function digestHex(path: string, format: OutputFormat): Promise<string> {
  switch (format) {
    case 'bam':
      return bamDigestHex(path);
    case 'vcf':
      return vcfDigestHex(path);
    case 'json':
      return jsonDigestHex(path, []);
    case 'fastp-json':
      return jsonDigestHex(path, FASTP_UNSTABLE);
    case 'text':
      return bytesDigestHex(readDecompressed(path));
    case 'opaque':
      return openInput(path).then((file) => bytesDigestHex(file.createReadStream()));
    case 'index':
      throw new AppError('INTERNAL', 'an index has no digest of its own');
  }
}

async function bytesDigestHex(chunks: AsyncIterable<Buffer>): Promise<string> {
  const hash = createHash('sha256');
  for await (const chunk of chunks) hash.update(chunk);
  return hash.digest('hex');
}

async function jsonDigestHex(path: string, without: readonly string[]): Promise<string> {
  const { size } = await stat(path);
  if (size > JSON_BYTES_MAX) {
    throw new AppError('INPUT_MALFORMED', `a JSON file of more than ${JSON_BYTES_MAX} bytes`);
  }
  const value = parseJson(await readFile(path, 'utf8'));
  if (without.length === 0 || value === null || typeof value !== 'object') {
    return textDigestHex(canonicalJson(value));
  }
  const entries = Object.entries(value).filter(([key]) => !without.includes(key));
  return textDigestHex(canonicalJson(Object.fromEntries(entries)));
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    throw new AppError('INPUT_MALFORMED', 'the file is not valid JSON', {
      hint: 'Make the file again; it was not written or copied whole.',
      cause: error,
    });
  }
}

function textDigestHex(text: string): string {
  return createHash('sha256').update(text).digest('hex');
}

function toDigest(hex: string): Digest {
  return parseDigest(`sha256:${hex}`);
}
