/** Limits on what a vault keeps and on what it does at once. */

/** A block, bytes: a leaf of a body (profile `unixfs-v1-2025`; another size gives other CIDs). */
export const BLOCK_BYTES_MAX = 2 ** 20;
/** Links in a node of the tree above the leaves: part of the profile, other numbers give other CIDs. */
export const NODE_LINKS_MAX = 1_024;
/** Levels of nodes above the leaves: 1,024³ leaves are a thousand times the largest object. */
export const DAG_DEPTH_MAX = 3;
/** Objects that one vault knows, deleted ones included: some 100 MB of memory. */
export const RECORDS_MAX = 200_000;
/** Leaves of one body that are being written at once. */
export const LEAVES_IN_FLIGHT_MAX = 4;
/** Bodies that come in at once: some 6 MiB of memory each. */
export const PUTS_MAX = 16;
/** The list of leaves of a body that broke off, bytes: a line of 60 for each MiB of the largest object. */
export const PARTIAL_BYTES_MAX = 60 * 2 ** 18 + 60;
/** What is kept of an object beside its blocks, bytes: a signed manifest and a few fields. */
export const RECORD_BYTES_MAX = 68 * 1024;
/** Ranges of one request to the licence gate. */
export const RANGES_MAX = 10_000;
/** Grants that are judged for one request: each is signed for one person and one object. */
export const GRANTS_MAX = 64;
/** Owners whose revocation heads a vault keeps in memory. */
export const HEADS_MAX = 10_000;
/** All those heads as they are written, bytes: memory is some two times as much. */
export const HEADS_BYTES_MAX = 256 * 1024 * 1024;
/** What is kept of an owner, bytes: a signed head with all that may be revoked, and a statement. */
export const HEAD_RECORD_BYTES_MAX = 1024 * 1024 + 8 * 1024;
