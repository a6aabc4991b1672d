/**
 * What `login` leaves in the data folder, for its owner alone: the session's key with what the wallet
 * has signed of it, the signed encryption key, and where the wallet is. The wallet's key is not here.
 */
import { open, readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { AppError } from '@helixmesh/protocol';
import {
  addressSchema,
  type Crypto,
  fromHex,
  KEY_BYTES,
  type SignedSession,
  timeMsSchema,
  toHex,
} from '@helixmesh/protocol/sealing';
import { z } from 'zod';
import { writePrivateFile } from './private-file.ts';
import type { WalletPlace } from './wallet/wallet.ts';

export interface Login {
  readonly account: string;
  readonly wallet: WalletPlace;
  /** Ed25519. */
  readonly sessionKey: Uint8Array;
  readonly session: SignedSession;
  readonly expiresAtMs: number;
  /** Canonical bytes of the signed statement, base64. */
  readonly encryptionKey: string;
}

const FILE = 'login.json';
const hexKey = z.string().regex(/^[0-9a-f]{64}$/);

const loginSchema = z.strictObject({
  account: addressSchema,
  wallet: z.discriminatedUnion('kind', [
    z.strictObject({ kind: z.literal('environment') }),
    z.strictObject({ kind: z.literal('file'), path: z.string().min(1) }),
  ]),
  sessionKey: hexKey,
  session: z.strictObject({ message: z.string(), signature: z.string() }),
  expiresAtMs: timeMsSchema,
  encryptionKey: z.string(),
});

/** Who is logged in; undefined for nobody. Throws INPUT_MALFORMED. */
export async function readLogin(dataDir: string): Promise<Login | undefined> {
  const text = await readFile(join(dataDir, FILE), 'utf8').catch((error) => {
    if (error.code === 'ENOENT') return undefined;
    throw AppError.from(error);
  });
  if (text === undefined) return undefined;
  const parsed = loginSchema.safeParse(jsonOf(text));
  if (!parsed.success) throw damaged();
  const { sessionKey, ...rest } = parsed.data;
  const what = "the session's key";
  return { ...rest, sessionKey: fromHex(sessionKey, { what, bytes: KEY_BYTES }) };
}

/** Takes the place of the login before it, whole or not at all. */
export async function writeLogin(crypto: Crypto, dataDir: string, login: Login): Promise<void> {
  const record = { ...login, sessionKey: toHex(login.sessionKey) };
  await writePrivateFile(crypto, join(dataDir, FILE), `${JSON.stringify(record, null, 2)}\n`);
}

/** Destroys the session's key; true when somebody was logged in. */
export async function forgetLogin(dataDir: string): Promise<boolean> {
  const path = join(dataDir, FILE);
  const file = await open(path, 'r+').catch((error) => {
    if (error.code === 'ENOENT') return undefined;
    throw AppError.from(error);
  });
  if (file === undefined) return false;
  try {
    // So that the key is not left in a free block; what a disk keeps of it nobody here can tell.
    const { size } = await file.stat();
    await file.write(new Uint8Array(size), 0, size, 0);
    await file.sync();
  } finally {
    await file.close();
  }
  await rm(path, { force: true });
  return true;
}

function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    // The parser's message quotes the text.
    throw damaged();
  }
}

function damaged(): AppError {
  return new AppError('INPUT_MALFORMED', 'the record of the login is damaged', {
    hint: 'Log in again with `biofs login`.',
  });
}
