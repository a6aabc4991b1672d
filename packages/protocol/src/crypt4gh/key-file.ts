/**
 * Key files as the `crypt4gh` tools write them: a PEM-like frame; the public key is 32 bytes of
 * base64, the secret one a record that begins with `c4gh-v1`, protected by a passphrase or not.
 *
 * Left out: secret keys protected with bcrypt or PBKDF2, and OpenSSH keys.
 */
import { concatBytes, fromBase64, textOf, toBase64, utf8, viewOf } from '../bytes.ts';
import {
  AEAD_NONCE_BYTES,
  AEAD_TAG_BYTES,
  aeadSeal,
  type Crypto,
  KEY_BYTES,
  type KeyPair,
} from '../crypto/port.ts';
import { AppError } from '../errors.ts';
import { KEY_FILE_CHARS_MAX } from '../limits.ts';

const MAGIC = utf8('c4gh-v1');
const CIPHER = 'chacha20_poly1305';
/** What the Python tools use, whatever number of rounds the file names: N, r, p. */
const SCRYPT = { n: 16_384, r: 8, p: 1, bytes: KEY_BYTES } as const;
const SALT_BYTES = 16;
/** A number of rounds before the salt; always 0 for scrypt. */
const ROUNDS_BYTES = 4;

/** The X25519 public key in the text of a key file. Throws INPUT_WRONG_FORMAT or INPUT_MALFORMED. */
export function parsePublicKey(text: string): Uint8Array {
  const key = unframed(text, ['CRYPT4GH PUBLIC KEY']);
  if (key.length !== KEY_BYTES) throw badKey(`a public key of ${key.length} bytes`);
  return key;
}

export function formatPublicKey(publicKey: Uint8Array): string {
  return framed('CRYPT4GH PUBLIC KEY', publicKey);
}

/**
 * The key pair in the text of a secret key file. Throws KEY_NOT_HELD for a passphrase that is
 * missing or wrong, INPUT_WRONG_FORMAT or INPUT_MALFORMED for what is not such a file.
 */
export async function parseSecretKey(
  crypto: Crypto,
  text: string,
  passphrase?: string,
): Promise<KeyPair> {
  const record = unframed(text, ['CRYPT4GH PRIVATE KEY', 'CRYPT4GH ENCRYPTED PRIVATE KEY']);
  if (MAGIC.some((byte, i) => record[i] !== byte)) {
    throw new AppError('INPUT_WRONG_FORMAT', 'the secret key is not of the kind c4gh-v1', {
      hint: 'Make a key with `crypt4gh-keygen` or `biofs login`.',
    });
  }
  const fields = stringsOf(record.subarray(MAGIC.length));
  const kdf = nameOf(fields.shift());
  const options = kdf === 'none' ? undefined : fields.shift();
  const cipher = nameOf(fields.shift());
  const material = fields.shift();
  if (material === undefined) throw badKey('a truncated record');
  const secretKey =
    kdf === 'none' && cipher === 'none'
      ? material.slice()
      : await unlocked(crypto, { kdf, options, cipher, material, passphrase });
  if (secretKey.length !== KEY_BYTES) throw badKey(`a secret key of ${secretKey.length} bytes`);
  return { secretKey, publicKey: crypto.x25519PublicKey(secretKey) };
}

/** The text of a secret key file, protected by scrypt where a passphrase is given. */
export async function formatSecretKey(
  crypto: Crypto,
  secretKey: Uint8Array,
  passphrase?: string,
): Promise<string> {
  const none = utf8('none');
  if (passphrase === undefined) return framedRecord(none, none, secretKey);
  const salt = crypto.random(SALT_BYTES);
  const key = await crypto.scrypt({ ...SCRYPT, passphrase: utf8(passphrase), salt });
  const nonce = crypto.random(AEAD_NONCE_BYTES);
  const sealed = aeadSeal(crypto, { key, nonce, plaintext: secretKey });
  return framedRecord(
    utf8('scrypt'),
    concatBytes(new Uint8Array(ROUNDS_BYTES), salt),
    utf8(CIPHER),
    concatBytes(nonce, sealed),
  );
}

interface Locked {
  readonly kdf: string;
  readonly options: Uint8Array | undefined;
  readonly cipher: string;
  readonly material: Uint8Array;
  readonly passphrase: string | undefined;
}

async function unlocked(crypto: Crypto, locked: Locked): Promise<Uint8Array> {
  const { kdf, options, cipher, material, passphrase } = locked;
  if (kdf !== 'scrypt' || cipher !== CIPHER) {
    throw new AppError('INPUT_WRONG_FORMAT', 'the secret key is protected in another way', {
      hint: 'Protect it with scrypt: run `crypt4gh-keygen` anew, or take the passphrase off.',
      details: { expected: `scrypt, ${CIPHER}` },
    });
  }
  if (options === undefined || options.length <= ROUNDS_BYTES) throw badKey('no salt');
  if (material.length !== AEAD_NONCE_BYTES + KEY_BYTES + AEAD_TAG_BYTES) {
    throw badKey(`${material.length} bytes of key material`);
  }
  if (passphrase === undefined) throw wrongPassphrase('the secret key asks for a passphrase');
  const salt = options.subarray(ROUNDS_BYTES);
  const key = await crypto.scrypt({ ...SCRYPT, passphrase: utf8(passphrase), salt });
  const nonce = material.subarray(0, AEAD_NONCE_BYTES);
  const opened = crypto.aeadOpen({ key, nonce, sealed: material.subarray(AEAD_NONCE_BYTES) });
  key.fill(0);
  if (opened === undefined) throw wrongPassphrase('the passphrase does not open the secret key');
  return opened;
}

/** The strings of a record, each with its length before it as u16 big-endian. */
function stringsOf(record: Uint8Array): Uint8Array[] {
  const view = viewOf(record);
  const strings: Uint8Array[] = [];
  for (let at = 0; at < record.length; ) {
    if (at + 2 > record.length) throw badKey('a truncated record');
    const end = at + 2 + view.getUint16(at);
    if (end > record.length) throw badKey('a truncated record');
    strings.push(record.subarray(at + 2, end));
    at = end;
  }
  return strings;
}

function nameOf(field: Uint8Array | undefined): string {
  if (field === undefined) throw badKey('a truncated record');
  return textOf(field, 'a name in the secret key file');
}

function framedRecord(...fields: readonly Uint8Array[]): string {
  const strings = fields.map((field) => {
    const length = new Uint8Array(2);
    viewOf(length).setUint16(0, field.length);
    return concatBytes(length, field);
  });
  return framed('CRYPT4GH PRIVATE KEY', concatBytes(MAGIC, ...strings));
}

function framed(title: string, bytes: Uint8Array): string {
  return `-----BEGIN ${title}-----\n${toBase64(bytes)}\n-----END ${title}-----\n`;
}

function unframed(text: string, titles: readonly string[]): Uint8Array {
  if (text.length > KEY_FILE_CHARS_MAX) throw badKey(`${text.length} characters`);
  const lines = text.split('\n').map((line) => line.trim());
  const filled = lines.filter((line) => line !== '');
  const title = titles.find((name) => filled[0] === `-----BEGIN ${name}-----`);
  if (title === undefined) {
    throw new AppError('INPUT_WRONG_FORMAT', `the file does not begin with a ${titles[0]}`, {
      hint: 'Give a key file made by `crypt4gh-keygen` or `biofs login`.',
    });
  }
  if (filled.length < 2 || filled.at(-1) !== `-----END ${title}-----`) throw badKey('no last line');
  return fromBase64(filled.slice(1, -1).join(''), 'the key');
}

function badKey(what: string): AppError {
  return new AppError('INPUT_MALFORMED', `not a valid Crypt4GH key file: ${what}`, {
    hint: 'Restore the key file from your backup (`biofs keys restore`).',
  });
}

function wrongPassphrase(message: string): AppError {
  return new AppError('KEY_NOT_HELD', message, { hint: 'Give the passphrase of this key.' });
}
