/**
 * Keystore files of Ethereum wallets, version 3 ("Web3 Secret Storage"): a secp256k1 key under
 * AES-128-CTR, whose key comes from a passphrase by scrypt or PBKDF2, with a Keccak-256 MAC.
 * <https://ethereum.org/developers/docs/data-structures-and-encoding/web3-secret-storage/>
 *
 * Invariants
 * Y1  Nothing is decrypted before the MAC has matched, in constant time.
 * Y2  What a file asks of the machine is bounded before any of it is done.
 *
 * Left out: versions 1 and 2, other ciphers, and writing keystores.
 */
import { createDecipheriv, pbkdf2, scrypt } from 'node:crypto';
import { promisify } from 'node:util';
import { AppError } from '@helixmesh/protocol';
import { type Crypto, concatBytes, fromHex, KEY_BYTES, utf8 } from '@helixmesh/protocol/sealing';
import { z } from 'zod';
import {
  KEYSTORE_PBKDF2_ROUNDS_MAX,
  KEYSTORE_SCRYPT_BYTES_MAX,
  KEYSTORE_SCRYPT_WORK_MAX,
} from '../limits.ts';

/** The first half of the derived key decrypts, the second one authenticates. */
const HALF_BYTES = 16;
const IV_BYTES = 16;
const CIPHER = 'aes-128-ctr';
/** A salt of any length up to this, bytes. */
const SALT_BYTES_MAX = 256;

const hex = (bytes: number) => z.string().regex(new RegExp(`^[0-9a-fA-F]{${bytes * 2}}$`));
const salt = z
  .string()
  .regex(/^([0-9a-fA-F]{2})+$/)
  .max(2 * SALT_BYTES_MAX);
const dklen = z.literal(KEY_BYTES);
const common = {
  cipher: z.literal(CIPHER),
  cipherparams: z.object({ iv: hex(IV_BYTES) }),
  ciphertext: hex(KEY_BYTES),
  mac: hex(KEY_BYTES),
};
const scryptParams = z
  .object({
    dklen,
    salt,
    n: z.int().min(2).refine(isPowerOfTwo),
    r: z.int().min(1),
    p: z.int().min(1),
  })
  .refine(({ n, r, p }) => n * r * p <= KEYSTORE_SCRYPT_WORK_MAX, { path: ['n'] })
  .refine(({ n, r, p }) => scryptBytes(n, r, p) <= KEYSTORE_SCRYPT_BYTES_MAX, { path: ['n'] });
const pbkdf2Params = z.object({
  dklen,
  salt,
  prf: z.literal('hmac-sha256'),
  c: z.int().min(1).max(KEYSTORE_PBKDF2_ROUNDS_MAX),
});
/** Wallets write more than this (`id`, `address`); what is not needed is not looked at. */
const keystoreSchema = z.object({
  version: z.literal(3),
  crypto: z.discriminatedUnion('kdf', [
    z.object({ ...common, kdf: z.literal('scrypt'), kdfparams: scryptParams }),
    z.object({ ...common, kdf: z.literal('pbkdf2'), kdfparams: pbkdf2Params }),
  ]),
});
type Sealed = z.infer<typeof keystoreSchema>['crypto'];

/**
 * The wallet's secret key, 32 bytes. Throws KEY_NOT_HELD for a wrong passphrase (which cannot be told
 * from a damaged file), INPUT_MALFORMED for what is no keystore of version 3 within the limits.
 */
export async function openKeystore(
  crypto: Crypto,
  text: string,
  passphrase: string,
): Promise<Uint8Array> {
  const sealed = parseKeystore(text);
  const derived = await derivedKey(sealed, utf8(passphrase));
  const ciphertext = bytesOf(sealed.ciphertext);
  const mac = crypto.keccak256(
    concatBytes(derived.subarray(HALF_BYTES, 2 * HALF_BYTES), ciphertext),
  );
  if (!crypto.equal(mac, bytesOf(sealed.mac))) {
    derived.fill(0);
    throw new AppError('KEY_NOT_HELD', 'the passphrase does not open the keystore', {
      hint: 'Give the passphrase of this keystore; if it is right, the file is damaged.',
    });
  }
  const iv = bytesOf(sealed.cipherparams.iv);
  const decipher = createDecipheriv(CIPHER, derived.subarray(0, HALF_BYTES), iv);
  const key = Uint8Array.from(decipher.update(ciphertext));
  derived.fill(0);
  return key;
}

function parseKeystore(text: string): Sealed {
  const parsed = keystoreSchema.safeParse(parseJson(text));
  if (parsed.success) return parsed.data.crypto;
  // Paths only: the values guard a key.
  const paths = parsed.error.issues.map((issue) => issue.path.join('.') || 'the whole');
  throw badKeystore(`wrong in ${paths.slice(0, 5).join(', ')}`);
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    // The parser's message quotes the text.
    throw badKeystore('it is not JSON');
  }
}

async function derivedKey(sealed: Sealed, passphrase: Uint8Array): Promise<Uint8Array> {
  if (sealed.kdf === 'pbkdf2') {
    const { salt, c } = sealed.kdfparams;
    return promisify(pbkdf2)(passphrase, bytesOf(salt), c, KEY_BYTES, 'sha256');
  }
  const { salt, n, r, p } = sealed.kdfparams;
  if (n >= opensslMaxN(r)) {
    const { portableCrypto } = await import('@helixmesh/protocol/browser');
    const asked = { passphrase, salt: bytesOf(salt), n, r, p, bytes: KEY_BYTES };
    return portableCrypto.scrypt(asked).catch(() => {
      throw badKeystore('its scrypt asks for too much memory');
    });
  }
  // OpenSSL counts some more than the algorithm needs.
  const options = { N: n, r, p, maxmem: 2 * scryptBytes(n, r, p) };
  return new Promise((resolve, reject) => {
    scrypt(passphrase, bytesOf(salt), KEY_BYTES, options, (error, key) => {
      if (error === null) resolve(key);
      else reject(error);
    });
  });
}

/** RFC 7914 §2 wants n < 2^(128·r/8), and OpenSSL insists; the definition's own vector has r = 1. */
function opensslMaxN(r: number): number {
  return 2 ** (16 * r);
}

/** RFC 7914 §6: the blocks of the mix, and one for each lane. */
function scryptBytes(n: number, r: number, p: number): number {
  return 128 * r * (n + p);
}

function isPowerOfTwo(value: number): boolean {
  return Number.isInteger(Math.log2(value));
}

/** Hex as wallets write it, capitals included. */
function bytesOf(text: string): Uint8Array {
  return fromHex(text.toLowerCase(), { what: 'a field of the keystore', bytes: text.length / 2 });
}

function badKeystore(why: string): AppError {
  return new AppError('INPUT_MALFORMED', `not a keystore of version 3: ${why}`, {
    hint: 'Export the key from your wallet as a keystore (UTC / JSON file), or as a key file of 64 hex digits.',
  });
}
