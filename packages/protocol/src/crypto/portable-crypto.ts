/** The Crypto port in JavaScript alone (@noble): for browsers, and slower than its twin. */
import { chacha20poly1305 } from '@noble/ciphers/chacha';
import { equalBytes } from '@noble/ciphers/utils';
import { ed25519, x25519 } from '@noble/curves/ed25519';
import { blake2b } from '@noble/hashes/blake2';
import { scryptAsync } from '@noble/hashes/scrypt';
import { sha256 } from '@noble/hashes/sha2';
import { randomBytes } from '@noble/hashes/utils';
import { SCRYPT_MEMORY_BYTES_MAX } from '../limits.ts';
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

/** What a browser gives at once (Web Cryptography §10.1.1); it throws for more. */
const ENTROPY_BYTES_MAX = 65_536;

export const portableCrypto: Crypto = {
  ...nobleWallet,

  random(bytes) {
    const random = new Uint8Array(bytes);
    for (let at = 0; at < bytes; at += ENTROPY_BYTES_MAX) {
      random.set(randomBytes(Math.min(ENTROPY_BYTES_MAX, bytes - at)), at);
    }
    return random;
  },
  equal: (a, b) => equalBytes(a, b),

  sha256: (data) => sha256(data),
  createSha256() {
    const hasher = sha256.create();
    return {
      update: (data) => void hasher.update(data),
      digest: () => hasher.digest(),
    };
  },
  blake2b512: (data) => blake2b(data, { dkLen: 64 }),
  scrypt: ({ passphrase, salt, n, r, p, bytes }) =>
    scryptAsync(passphrase, salt, { N: n, r, p, dkLen: bytes, maxmem: SCRYPT_MEMORY_BYTES_MAX }),

  aeadSealInto(target, { key, nonce, plaintext, aad }) {
    assertLength(key, KEY_BYTES, 'a data key');
    assertLength(nonce, AEAD_NONCE_BYTES, 'a nonce');
    assertLength(target, plaintext.length + AEAD_TAG_BYTES, 'the target of a seal');
    target.set(chacha20poly1305(key, nonce, aad).encrypt(plaintext));
  },
  aeadOpen({ key, nonce, sealed, aad }) {
    assertLength(key, KEY_BYTES, 'a data key');
    assertLength(nonce, AEAD_NONCE_BYTES, 'a nonce');
    if (sealed.length < AEAD_TAG_BYTES) return undefined;
    try {
      return chacha20poly1305(key, nonce, aad).decrypt(sealed);
    } catch {
      return undefined;
    }
  },

  x25519PublicKey(secretKey) {
    assertLength(secretKey, KEY_BYTES, 'an x25519 secret key');
    return x25519.getPublicKey(secretKey);
  },
  x25519(secretKey, publicKey) {
    assertLength(secretKey, KEY_BYTES, 'an x25519 secret key');
    assertLength(publicKey, KEY_BYTES, 'an x25519 public key');
    try {
      return x25519.getSharedSecret(secretKey, publicKey);
    } catch {
      // A shared secret of zeros.
      return undefined;
    }
  },

  ed25519PublicKey(secretKey) {
    assertLength(secretKey, KEY_BYTES, 'an ed25519 secret key');
    return ed25519.getPublicKey(secretKey);
  },
  ed25519Sign(secretKey, message) {
    assertLength(secretKey, KEY_BYTES, 'an ed25519 secret key');
    return ed25519.sign(message, secretKey);
  },
  ed25519Verify(publicKey, message, signature) {
    if (signature.length !== ED25519_SIGNATURE_BYTES || !isUsableEd25519Key(publicKey)) {
      return false;
    }
    return ed25519.verify(signature, message, publicKey, { zip215: false });
  },
};
