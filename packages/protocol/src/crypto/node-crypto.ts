/**
 * The Crypto port on node:crypto (OpenSSL). Keccak and recovery of secp256k1 keys, which OpenSSL
 * lacks, come from @noble.
 */
import {
  createCipheriv,
  createDecipheriv,
  createHash,
  createPrivateKey,
  createPublicKey,
  sign as createSignature,
  diffieHellman,
  hash,
  type KeyObject,
  randomFillSync,
  scrypt,
  timingSafeEqual,
  verify as verifySignature,
} from 'node:crypto';
import { concatBytes } from '../bytes.ts';
import { ED25519_KEYS_CACHED_MAX, SCRYPT_MEMORY_BYTES_MAX } from '../limits.ts';
import { isUsableEd25519Key } from './ed25519-key.ts';
import { nobleWallet } from './noble-wallet.ts';
import {
  AEAD_NONCE_BYTES,
  AEAD_TAG_BYTES,
  assertLength,
  type Crypto,
  ED25519_SIGNATURE_BYTES,
  KEY_BYTES,
} from './port.ts';

const CIPHER = 'chacha20-poly1305';

/** DER before a raw key, RFC 8410 §4 and §7: the last arc names the curve. */
const DER = {
  x25519: { spki: der('302a300506032b656e032100'), pkcs8: der('302e020100300506032b656e04220420') },
  ed25519: {
    spki: der('302a300506032b6570032100'),
    pkcs8: der('302e020100300506032b657004220420'),
  },
} as const;
type Curve = keyof typeof DER;

/** Parsed public keys of recent signers: parsing costs as much as verifying. */
const verificationKeys = new Map<string, KeyObject>();

export const nodeCrypto: Crypto = {
  ...nobleWallet,

  random: (bytes) => randomFillSync(new Uint8Array(bytes)),
  equal: (a, b) => a.length === b.length && timingSafeEqual(a, b),

  sha256: (data) => plain(hash('sha256', data, 'buffer')),
  createSha256() {
    const hasher = createHash('sha256');
    return {
      update: (data) => void hasher.update(data),
      digest: () => plain(hasher.digest()),
    };
  },
  blake2b512: (data) => plain(createHash('blake2b512').update(data).digest()),
  scrypt({ passphrase, salt, n, r, p, bytes }) {
    const maxmem = SCRYPT_MEMORY_BYTES_MAX;
    return new Promise((resolve, reject) => {
      scrypt(passphrase, salt, bytes, { N: n, r, p, maxmem }, (error, key) => {
        if (error === null) resolve(plain(key));
        else reject(error);
      });
    });
  },

  aeadSealInto(target, { key, nonce, plaintext, aad }) {
    assertLength(key, KEY_BYTES, 'a data key');
    assertLength(nonce, AEAD_NONCE_BYTES, 'a nonce');
    assertLength(target, plaintext.length + AEAD_TAG_BYTES, 'the target of a seal');
    const cipher = createCipheriv(CIPHER, key, nonce, { authTagLength: AEAD_TAG_BYTES });
    if (aad !== undefined) cipher.setAAD(aad, { plaintextLength: plaintext.length });
    target.set(cipher.update(plaintext));
    cipher.final();
    target.set(cipher.getAuthTag(), plaintext.length);
  },
  aeadOpen({ key, nonce, sealed, aad }) {
    assertLength(key, KEY_BYTES, 'a data key');
    assertLength(nonce, AEAD_NONCE_BYTES, 'a nonce');
    const plaintextLength = sealed.length - AEAD_TAG_BYTES;
    if (plaintextLength < 0) return undefined;
    const decipher = createDecipheriv(CIPHER, key, nonce, { authTagLength: AEAD_TAG_BYTES });
    if (aad !== undefined) decipher.setAAD(aad, { plaintextLength });
    const plaintext = decipher.update(sealed.subarray(0, plaintextLength));
    decipher.setAuthTag(sealed.subarray(plaintextLength));
    try {
      decipher.final();
    } catch {
      return undefined;
    }
    return plain(plaintext);
  },

  x25519PublicKey: (secretKey) => rawPublicKey('x25519', secretKey),
  x25519(secretKey, publicKey) {
    try {
      return plain(
        diffieHellman({
          privateKey: privateKey('x25519', secretKey),
          publicKey: publicKeyOf('x25519', publicKey),
        }),
      );
    } catch {
      // OpenSSL refuses a shared secret of zeros.
      return undefined;
    }
  },

  ed25519PublicKey: (secretKey) => rawPublicKey('ed25519', secretKey),
  ed25519Sign: (secretKey, message) =>
    plain(createSignature(null, message, privateKey('ed25519', secretKey))),
  ed25519Verify(publicKey, message, signature) {
    if (signature.length !== ED25519_SIGNATURE_BYTES || !isUsableEd25519Key(publicKey)) {
      return false;
    }
    try {
      return verifySignature(null, message, verificationKey(publicKey), signature);
    } catch {
      // Not a point of the curve.
      return false;
    }
  },
};

function verificationKey(publicKey: Uint8Array): KeyObject {
  const name = Buffer.from(publicKey).toString('base64');
  const known = verificationKeys.get(name);
  if (known !== undefined) return known;
  const key = publicKeyOf('ed25519', publicKey);
  const oldest = verificationKeys.keys().next().value;
  if (verificationKeys.size >= ED25519_KEYS_CACHED_MAX && oldest !== undefined) {
    verificationKeys.delete(oldest);
  }
  verificationKeys.set(name, key);
  return key;
}

function privateKey(curve: Curve, secretKey: Uint8Array): KeyObject {
  assertLength(secretKey, KEY_BYTES, `an ${curve} secret key`);
  const key = Buffer.from(concatBytes(DER[curve].pkcs8, secretKey));
  return createPrivateKey({ key, format: 'der', type: 'pkcs8' });
}

function publicKeyOf(curve: Curve, publicKey: Uint8Array): KeyObject {
  assertLength(publicKey, KEY_BYTES, `an ${curve} public key`);
  const key = Buffer.from(concatBytes(DER[curve].spki, publicKey));
  return createPublicKey({ key, format: 'der', type: 'spki' });
}

function rawPublicKey(curve: Curve, secretKey: Uint8Array): Uint8Array {
  const spki = createPublicKey(privateKey(curve, secretKey)).export({
    format: 'der',
    type: 'spki',
  });
  return plain(spki).slice(-KEY_BYTES);
}

/** The same bytes without Buffer's methods, so that both twins return the same type. */
function plain(buffer: Buffer): Uint8Array {
  return new Uint8Array(buffer.buffer, buffer.byteOffset, buffer.byteLength);
}

function der(hex: string): Uint8Array {
  return Uint8Array.from(Buffer.from(hex, 'hex'));
}
