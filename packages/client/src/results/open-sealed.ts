/**
 * Opening sealed files of a result with one's own key: a Crypt4GH header, then the body. Each segment
 * is verified before a byte of it is written.
 */
import { createReadStream, createWriteStream } from 'node:fs';
import { mkdir, open, rename, rm } from 'node:fs/promises';
import { dirname } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { AppError } from '@helixmesh/protocol';
import {
  type Crypto,
  decryptBody,
  joinBytes,
  type KeyPair,
  openHeader,
  openWithAny,
  takeHeader,
} from '@helixmesh/protocol/sealing';

export interface OpenSealedOptions {
  readonly crypto: Crypto;
  /** Whom it is sealed to. */
  readonly reader: KeyPair;
  /** The sealed file. */
  readonly from: string;
}

/**
 * The plaintext at `to`, which appears whole, durable and of `sizeBytes`, with the folders above it.
 * Throws KEY_NOT_HELD where it is sealed to somebody else, CIPHERTEXT_INVALID and INPUT_TRUNCATED for
 * what was changed, and what writing throws.
 */
export async function openSealedFile(
  options: OpenSealedOptions & {
    readonly to: string;
    readonly sizeBytes: number;
    readonly signal: AbortSignal;
  },
): Promise<void> {
  const { to, sizeBytes, signal } = options;
  const aside = `${to}.part`;
  try {
    await mkdir(dirname(to), { recursive: true, mode: 0o700 });
    const target = createWriteStream(aside, { mode: 0o600, flush: true });
    await pipeline(() => plaintextOf(options, sizeBytes), target, { signal });
    await rename(aside, to);
    await makeDurable(dirname(to));
  } catch (thrown) {
    await rm(aside, { force: true });
    throw AppError.from(thrown);
  }
}

/** All of a small file. Throws as `openSealedFile`, and CIPHERTEXT_INVALID for a larger one. */
export async function openSealedBytes(
  options: OpenSealedOptions,
  bytesMax: number,
): Promise<Uint8Array> {
  const parts: Uint8Array[] = [];
  let total = 0;
  for await (const part of opened(options)) {
    total += part.length;
    if (total > bytesMax) throw otherSize();
    parts.push(part);
  }
  return joinBytes(parts);
}

async function* plaintextOf(
  options: OpenSealedOptions,
  sizeBytes: number,
): AsyncGenerator<Uint8Array> {
  let total = 0;
  for await (const part of opened(options)) {
    total += part.length;
    if (total > sizeBytes) throw otherSize();
    yield part;
  }
  // A body that ends between two segments is whole for its cipher.
  if (total < sizeBytes) throw otherSize();
}

async function* opened({ crypto, reader, from }: OpenSealedOptions): AsyncGenerator<Uint8Array> {
  const { header, body } = await takeHeader(createReadStream(from));
  const { dataKeys, editList } = openHeader(crypto, header, reader);
  const open = openWithAny(crypto, dataKeys);
  yield* decryptBody(body, { open, ...(editList === undefined ? {} : { editList }) });
}

function otherSize(): AppError {
  return new AppError('CIPHERTEXT_INVALID', 'a file of the result is not as long as it should be', {
    hint: 'Fetch the result from another node.',
  });
}

async function makeDurable(folder: string): Promise<void> {
  const handle = await open(folder, 'r');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}
