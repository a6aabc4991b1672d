/** Limits on what a vault keeps and on what it does at once. */

/** A block, bytes: a leaf of a body (profile `unixfs-v1-2025`; another size gives other CIDs). */
export const BLOCK_BYTES_MAX = 2 ** 20;
