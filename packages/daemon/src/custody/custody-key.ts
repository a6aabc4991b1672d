/**
 * The custody key: the X25519 key that the headers in a custodian's store are sealed to. It lies
 * beside the store in a file of its own, so that a copy of the store alone opens nothing.
 *
 * It is made durable, under its name, before anything can be sealed to it; of two processes that
 * make it at once one wins, and both use that one.
 */
import {
  closeSync,
  existsSync,
  fsyncSync,
  linkSync,
  mkdirSync,
  openSync,
  readFileSync,
  rmSync,
  statSync,
  writeSync,
} from 'node:fs';
import { dirname } from 'node:path';
import { AppError } from '@helixmesh/protocol';
import {
  type Crypto,
  fromHex,
  KEY_BYTES,
  type KeyPair,
  makeX25519KeyPair,
  toHex,
} from '@helixmesh/protocol/sealing';
import { syncFolder } from './database.ts';

/** 64 hex digits and a line break. */
const FILE_BYTES_MAX = 65;
/** Anybody but the owner of the file. */
const MODE_OF_OTHERS = 0o077;

/**
 * The key in the file, which is made when it is absent. Throws INPUT_MALFORMED, OUTPUT_UNWRITABLE,
 * and CONFIG_INVALID where others may read it.
 */
export function loadCustodyKey(crypto: Crypto, path: string): KeyPair {
  try {
    if (!existsSync(path)) makeKeyFile(crypto, path);
    const { mode, size } = statSync(path);
    if ((mode & MODE_OF_OTHERS) !== 0) throw readableByOthers(path);
    if (size > FILE_BYTES_MAX) throw notAKey(path);
    const text = readFileSync(path, 'utf8');
    const secretKey = fromHex(text.trim(), { what: 'the custody key', bytes: KEY_BYTES });
    return { secretKey, publicKey: crypto.x25519PublicKey(secretKey) };
  } catch (error) {
    throw AppError.from(error);
  }
}

function makeKeyFile(crypto: Crypto, path: string): void {
  mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
  const aside = `${path}.${toHex(crypto.random(8))}`;
  const file = openSync(aside, 'wx', 0o600);
  try {
    const { secretKey } = makeX25519KeyPair(crypto);
    writeSync(file, `${toHex(secretKey)}\n`);
    secretKey.fill(0);
    fsyncSync(file);
  } finally {
    closeSync(file);
  }
  try {
    // Unlike a rename, a link does not replace the key of a process that was faster.
    linkSync(aside, path);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
  } finally {
    rmSync(aside, { force: true });
  }
  syncFolder(dirname(path));
}

function notAKey(path: string): AppError {
  return new AppError('INPUT_MALFORMED', `${path} holds no key`, {
    hint: 'Put the file back from a copy, or restore the custody with `biofs keys restore`.',
  });
}

function readableByOthers(path: string): AppError {
  return new AppError('CONFIG_INVALID', `others may read ${path}`, {
    hint: `Run chmod 600 ${path}; put the data again if others could have seen the key.`,
  });
}
