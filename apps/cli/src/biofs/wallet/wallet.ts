/**
 * The wallet of a person: a key file (64 hex digits), a keystore of version 3, or the environment.
 * `login` remembers where it is and never what it is; every command that signs reads it again.
 */
import { constants } from 'node:fs';
import { type FileHandle, open } from 'node:fs/promises';
import { AppError } from '@helixmesh/protocol';
import {
  type Crypto,
  fromHex,
  KEY_BYTES,
  type WalletSigner,
  walletOf,
} from '@helixmesh/protocol/sealing';
import { WALLET_FILE_BYTES_MAX } from '../limits.ts';
import { openKeystore } from './keystore.ts';

export const WALLET_KEY_VARIABLE = 'HELIXMESH_WALLET_KEY';

/** Where a wallet's key is. */
export type WalletPlace =
  | { readonly kind: 'environment' }
  /** Absolute path of a key file or keystore. */
  | { readonly kind: 'file'; readonly path: string };

export interface WalletInputs {
  readonly env: NodeJS.ProcessEnv;
  /** Asked for when a keystore needs it. */
  readonly passphrase: () => Promise<string>;
}

/**
 * The wallet at `place`. Throws INPUT_NOT_FOUND where there is none, INPUT_MALFORMED for what holds
 * no key, KEY_NOT_HELD for a wrong passphrase and for a bare key that others may read.
 */
export async function openWallet(
  crypto: Crypto,
  place: WalletPlace,
  inputs: WalletInputs,
): Promise<WalletSigner> {
  if (place.kind === 'environment') return signerOf(crypto, keyOf(fromEnvironment(inputs.env)));
  const { text, isPrivate } = await readWalletFile(place.path);
  if (text.trimStart().startsWith('{')) {
    return signerOf(crypto, await openKeystore(crypto, text, await inputs.passphrase()));
  }
  if (!isPrivate) {
    throw new AppError('KEY_NOT_HELD', 'others may read the key file of the wallet', {
      hint: `Keep it to yourself: chmod 600 ${place.path}`,
    });
  }
  return signerOf(crypto, keyOf(text));
}

function fromEnvironment(env: NodeJS.ProcessEnv): string {
  const key = env[WALLET_KEY_VARIABLE];
  if (key !== undefined && key !== '') return key;
  throw new AppError('INPUT_NOT_FOUND', `the environment holds no ${WALLET_KEY_VARIABLE}`, {
    hint: `Set ${WALLET_KEY_VARIABLE}, or log in with --key-file.`,
  });
}

/** The key in 64 hex digits, with or without 0x and a line break. */
function keyOf(text: string): Uint8Array {
  const digits = text.trim().replace(/^0x/, '').toLowerCase();
  return fromHex(digits, { what: 'the key of the wallet', bytes: KEY_BYTES });
}

function signerOf(crypto: Crypto, key: Uint8Array): WalletSigner {
  try {
    return walletOf(crypto, key);
  } catch {
    // Zero, or not below the order of the group. The library's message may hold the number.
    throw new AppError('INPUT_MALFORMED', 'the wallet holds a number that is no secp256k1 key', {
      hint: 'Export the key from your wallet again.',
    });
  }
}

async function readWalletFile(path: string): Promise<{ text: string; isPrivate: boolean }> {
  const file = await openFile(path);
  try {
    const { size, mode } = await file.stat();
    if (size > WALLET_FILE_BYTES_MAX) {
      throw new AppError('INPUT_MALFORMED', `the wallet file has ${size} bytes`, {
        hint: 'Give a key file or a keystore, which have less than 64 KiB.',
      });
    }
    const text = await file.readFile('utf8');
    return { text, isPrivate: (mode & 0o077) === 0 };
  } finally {
    await file.close();
  }
}

async function openFile(path: string): Promise<FileHandle> {
  try {
    return await open(path, constants.O_RDONLY | constants.O_NONBLOCK);
  } catch (cause) {
    throw new AppError('INPUT_NOT_FOUND', `cannot read the wallet file ${path}`, {
      hint: 'Give the file with --key-file, and log in again if it has moved.',
      cause,
    });
  }
}
