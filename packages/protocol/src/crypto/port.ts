/**
 * The cryptographic primitives that the contract needs, as bytes in and bytes out. Two twins pass
 * `testing/crypto-compliance.ts`: `@helixmesh/protocol/node` (node:crypto) and
 * `@helixmesh/protocol/browser` (JavaScript alone).
 *
 * What an outsider can cause (a tag or signature that does not match, a bad public key) is a value;
 * an argument of a wrong length is a programmer error and throws INTERNAL.
 *
 * Left out: where keys are kept. A secret key here is 32 bytes in memory.
 */
import { AppError } from '../errors.ts';

export const KEY_BYTES = 32;
/** RFC 8439: the nonce of ChaCha20-Poly1305. */
export const AEAD_NONCE_BYTES = 12;
/** RFC 8439: the Poly1305 tag. */
export const AEAD_TAG_BYTES = 16;
export const ED25519_SIGNATURE_BYTES = 64;

export interface KeyPair {
  readonly publicKey: Uint8Array;
  readonly secretKey: Uint8Array;
}

export interface AeadSeal {
  readonly key: Uint8Array;
  /** Never used twice with one key. */
  readonly nonce: Uint8Array;
  readonly plaintext: Uint8Array;
  readonly aad?: Uint8Array;
}

export interface AeadOpen {
  readonly key: Uint8Array;
  readonly nonce: Uint8Array;
  /** Ciphertext and then the tag. */
  readonly sealed: Uint8Array;
  readonly aad?: Uint8Array;
}

export interface ScryptOptions {
  readonly passphrase: Uint8Array;
  readonly salt: Uint8Array;
  /** RFC 7914: cost (a power of two), block size, parallelization. */
  readonly n: number;
  readonly r: number;
  readonly p: number;
  readonly bytes: number;
}

export interface RecoverableSignature {
  /** r and s, 32 bytes each, big-endian; s is in the lower half of the group order. */
  readonly signature: Uint8Array;
  readonly recovery: 0 | 1;
}

export interface Hasher {
  update(data: Uint8Array): void;
  digest(): Uint8Array;
}

export interface Crypto {
  /** Bytes that nobody can guess. */
  random(bytes: number): Uint8Array;
  /** Equality in a time that does not depend on the contents; false for unequal lengths. */
  equal(a: Uint8Array, b: Uint8Array): boolean;

  sha256(data: Uint8Array): Uint8Array;
  /** SHA-256 of data that comes in pieces. */
  createSha256(): Hasher;
  blake2b512(data: Uint8Array): Uint8Array;
  /** Keccak-256 with the padding of Ethereum, which is not SHA3-256. */
  keccak256(data: Uint8Array): Uint8Array;
  scrypt(options: ScryptOptions): Promise<Uint8Array>;

  /** ChaCha20-Poly1305 (RFC 8439): ciphertext and tag into `target`, 16 bytes longer than it. */
  aeadSealInto(target: Uint8Array, seal: AeadSeal): void;
  /** The plaintext, or undefined when the tag does not match; nothing unauthenticated is returned. */
  aeadOpen(open: AeadOpen): Uint8Array | undefined;

  x25519PublicKey(secretKey: Uint8Array): Uint8Array;
  /** RFC 7748 §6.1; undefined when the result is all zero, that is for a public key of small order. */
  x25519(secretKey: Uint8Array, publicKey: Uint8Array): Uint8Array | undefined;

  ed25519PublicKey(secretKey: Uint8Array): Uint8Array;
  ed25519Sign(secretKey: Uint8Array, message: Uint8Array): Uint8Array;
  /** RFC 8032; false as well for public keys that `isUsableEd25519Key` refuses. */
  ed25519Verify(publicKey: Uint8Array, message: Uint8Array, signature: Uint8Array): boolean;

  /** 64 bytes: x and y of the public key. */
  secp256k1PublicKey(secretKey: Uint8Array): Uint8Array;
  /** RFC 6979 signature of a 32-byte digest. */
  secp256k1Sign(secretKey: Uint8Array, digest: Uint8Array): RecoverableSignature;
  /** The 64-byte public key that made it; undefined where there is none, or s is in the upper half. */
  secp256k1Recover(digest: Uint8Array, signed: RecoverableSignature): Uint8Array | undefined;
}

/** A fresh X25519 key pair. */
export function makeX25519KeyPair(crypto: Crypto): KeyPair {
  const secretKey = crypto.random(KEY_BYTES);
  return { secretKey, publicKey: crypto.x25519PublicKey(secretKey) };
}

/** Ciphertext and tag in an array of their own. */
export function aeadSeal(crypto: Crypto, seal: AeadSeal): Uint8Array {
  const sealed = new Uint8Array(seal.plaintext.length + AEAD_TAG_BYTES);
  crypto.aeadSealInto(sealed, seal);
  return sealed;
}

/** Throws INTERNAL unless `bytes` has the length that the caller owes. */
export function assertLength(bytes: Uint8Array, length: number, what: string): void {
  if (bytes.length === length) return;
  throw new AppError('INTERNAL', `${what} has ${bytes.length} bytes, expected ${length}`);
}
