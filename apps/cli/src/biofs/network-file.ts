/** The network that a data folder belongs to: its genesis document, `network.json`. */
import { open, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { AppError, type Digest } from '@helixmesh/protocol';
import { type Crypto, encodeDocument, networkId, parseGenesis } from '@helixmesh/protocol/sealing';
import { askedSeed, isSeedAddress } from '../genesis-option.ts';

const FILE = 'network.json';

/** Throws CONFIG_INVALID where the folder belongs to no network. */
export async function networkOf(crypto: Crypto, dataDir: string): Promise<Digest> {
  const bytes = await bytesOf(join(dataDir, FILE));
  if (bytes !== undefined) return networkId(crypto, parseGenesis(trimmed(bytes)));
  throw new AppError('CONFIG_INVALID', `${dataDir} belongs to no network`, {
    hint: 'Give its genesis document: biofs login --genesis network.json',
  });
}

/**
 * Lets a folder join the network of a genesis document, which lies in a file or is asked of a seed.
 * Throws CONFLICT when it is in another one.
 */
export async function joinNetwork(
  crypto: Crypto,
  dataDir: string,
  genesis: string,
): Promise<Digest> {
  const bytes = isSeedAddress(genesis)
    ? encodeDocument((await askedSeed(genesis, undefined)).genesis)
    : await bytesOf(genesis);
  if (bytes === undefined) {
    throw new AppError('INPUT_NOT_FOUND', `there is no ${genesis}`, {
      hint: 'Ask for the file network.json of a node of the network, or give the address of a seed.',
    });
  }
  const network = networkId(crypto, parseGenesis(trimmed(bytes)));
  const known = await bytesOf(join(dataDir, FILE));
  if (known === undefined) {
    const file = await open(join(dataDir, FILE), 'wx', 0o600).catch((error) => {
      throw AppError.from(error);
    });
    try {
      await file.writeFile(bytes);
      await file.sync();
    } finally {
      await file.close();
    }
  } else if (networkId(crypto, parseGenesis(trimmed(known))) !== network) {
    throw new AppError('CONFLICT', `${dataDir} belongs to another network`, {
      hint: 'Name another folder with --data: each belongs to one network.',
    });
  }
  return network;
}

/** A line break at the end is an editor's, not the document's. */
function trimmed(bytes: Uint8Array): Uint8Array {
  return bytes.at(-1) === 0x0a ? bytes.subarray(0, -1) : bytes;
}

async function bytesOf(path: string): Promise<Uint8Array | undefined> {
  return readFile(path).catch((error) => {
    if (error.code === 'ENOENT') return undefined;
    throw AppError.from(error);
  });
}
