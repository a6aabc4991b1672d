/** Limits on what comes from outside, and on what is kept of it. */

/** Parsed Ed25519 public keys kept, keys: about 1 KiB each. */
export const ED25519_KEYS_CACHED_MAX = 1_024;
/** Memory of one scrypt call, bytes: cost 2^14 with blocks of 8 needs 16 MiB. */
export const SCRYPT_MEMORY_BYTES_MAX = 64 * 1024 * 1024;
