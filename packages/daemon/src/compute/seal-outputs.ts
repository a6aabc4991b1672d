/**
 * The files of an analysis, sealed for those who asked for it: Crypt4GH files under numbers, and an
 * index, sealed like them, that says which is which. Names of files tell of people too. Beside it, sealed
 * likewise, what the node states of them: it is made from the bytes that were sealed, as they passed.
 *
 * The folder appears by one rename with everything in it durable.
 */
import { createReadStream, createWriteStream } from 'node:fs';
import { mkdir, readdir, rename, rm } from 'node:fs/promises';
import { join, relative } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { canonicalJson } from '@helixmesh/protocol';
import {
  type ByteSource,
  type Crypto,
  digestFrom,
  encodeDocument,
  encryptBody,
  KEY_BYTES,
  RESULT_INDEX,
  RESULT_STATEMENT,
  type ResultIndex,
  type ResultStatement,
  type Signed,
  sealHeader,
  utf8,
} from '@helixmesh/protocol/sealing';
import { makeDurable } from '../durable.ts';
import type { JobResult } from './result-digest.ts';
import type { MadeFile } from './state-result.ts';

export const INDEX_FILE = RESULT_INDEX;

export interface SealOptions {
  readonly crypto: Crypto;
  readonly outDir: string;
  readonly result: JobResult;
  /** X25519 public keys. */
  readonly recipients: readonly Uint8Array[];
  /** States what was made; called when all of it is sealed. */
  readonly state: (files: readonly MadeFile[]) => Signed<ResultStatement>;
  /** Made by this; what stood there is replaced. */
  readonly target: string;
}

export async function sealOutputs(options: SealOptions): Promise<void> {
  const { outDir, result, target } = options;
  const aside = `${target}.part`;
  await rm(aside, { recursive: true, force: true });
  await mkdir(aside, { recursive: true, mode: 0o700 });
  const files: ResultIndex['files'][number][] = [];
  const made: MadeFile[] = [];
  for (const path of await filesBelow(outDir)) {
    const sealedAs = `${files.length + 1}.c4gh`;
    const hashed = hashing(options.crypto, createReadStream(join(outDir, path)));
    await sealFile(options, hashed.source, join(aside, sealedAs));
    const { sizeBytes, sha256 } = hashed.facts();
    files.push({ path, sealedAs, sizeBytes });
    made.push({ path, sizeBytes, sha256 });
  }
  const index: ResultIndex = { jobHash: result.jobHash, compared: [...result.files], files };
  await sealFile(options, once(utf8(canonicalJson(index))), join(aside, INDEX_FILE));
  const statement = encodeDocument(options.state(made));
  await sealFile(options, once(statement), join(aside, RESULT_STATEMENT));
  await makeDurable(aside);
  await rm(target, { recursive: true, force: true });
  await rename(aside, target);
  await makeDurable(join(target, '..'));
}

async function filesBelow(folder: string): Promise<string[]> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  return entries
    .filter((entry) => entry.isFile())
    .map((entry) => relative(folder, join(entry.parentPath, entry.name)))
    .sort();
}

async function sealFile(
  { crypto, recipients }: SealOptions,
  source: ByteSource,
  target: string,
): Promise<void> {
  const dataKey = crypto.random(KEY_BYTES);
  async function* sealed(): AsyncGenerator<Uint8Array> {
    yield sealHeader(crypto, { dataKeys: [dataKey] }, recipients);
    yield* encryptBody(crypto, source, () => dataKey);
  }
  await pipeline(sealed, createWriteStream(target, { mode: 0o600, flush: true }));
  dataKey.fill(0);
}

/** The same bytes, and what they were when they have passed. */
function hashing(crypto: Crypto, bytes: ByteSource) {
  const hash = crypto.createSha256();
  let sizeBytes = 0;
  async function* passing(): AsyncGenerator<Uint8Array> {
    for await (const piece of bytes) {
      hash.update(piece);
      sizeBytes += piece.length;
      yield piece;
    }
  }
  return { source: passing(), facts: () => ({ sizeBytes, sha256: digestFrom(hash.digest()) }) };
}

async function* once(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  yield bytes;
}
