/** Limits of the clients. */

/** Largest reply that is read; a journal page of 5,000 rows has about 2 MiB. */
export const REPLY_MAX_BYTES = 64 * 1024 * 1024;

/** Segments that one request reads: 4 MiB, so that a failed one costs little. */
export const UNIT_SEGMENTS = 64;
/** Requests under way at once for one object: 8 × 4 MiB of memory at most. */
export const CONNECTIONS_MAX = 8;
/** Tries of one piece without a verified segment in between, over all vaults. */
export const READ_TRIES_MAX = 5;
/** Wait before the second try, ms; doubled for each further one. */
export const RETRY_WAIT_MS = 250;
/** A vault that sends nothing for this long is left for another one, ms. */
export const SILENCE_MS_MAX = 30_000;
/** Tries of one body at a vault without a byte more of it being kept there: some 8 s of waiting. */
export const WRITE_TRIES_MAX = 6;
/** Piece of a body in one message of `Write`, bytes: far below what a server takes at once. */
export const WRITE_CHUNK_BYTES = 256 * 1024;
