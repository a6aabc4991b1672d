/** Limits on what a custodian keeps, judges and sends. */

/** Datasets of one store, shredded ones included: each listing reads them all. */
export const DATASETS_MAX = 100_000;
/** Vaults that one dataset lies in. */
export const VAULTS_PER_DATASET_MAX = 16;
/** Grants judged for one request that names none: each costs a recovery of a signature, some 1 ms. */
export const GRANTS_JUDGED_MAX = 64;
/** How far the clock of who signed an encryption key may be ahead of ours, ms. */
export const KEY_AHEAD_MS_MAX = 60_000;
/** Byte ranges of one grant of regions: as many as a grant has regions at most. */
export const BYTE_RANGES_MAX = 10_000;
/** Refusals kept in the access log, rows: strangers can write them. Releases are kept for ever. */
export const REFUSALS_KEPT_MAX = 100_000;
/** Entries of the access log that one listing returns unless told otherwise. */
export const LOG_ENTRIES_LISTED = 1_000;

/** A backup, bytes: 100 headers of the largest objects fit. */
export const BACKUP_BYTES_MAX = 256 * 1024 * 1024;
/** A passphrase for a backup, characters: shorter ones are guessed, scrypt or not. */
export const PASSPHRASE_CHARS_MIN = 8;

/** How long a statement waits for another process that writes, ms. */
export const BUSY_TIMEOUT_MS = 5_000;

/** Between two attestations of a head, ms: two may be lost before it is too old (60 s). */
export const ATTEST_EVERY_MS = 20_000;
/** Between two rounds in which vaults are told of tombstones, ms. */
export const REMOVE_EVERY_MS = 30_000;
/** One vault has so long to remove a copy, ms. */
export const REMOVE_MS_MAX = 10_000;
/** Between two looks whether a command has put a newer head into the store, ms. */
export const HEAD_POLL_MS = 1_000;
/** A vault that has not taken a head by then is tried again with the next one, ms. */
export const PUSH_TIMEOUT_MS = 10_000;
/** Vaults that get a head at the same time. */
export const PUSHES_AT_ONCE_MAX = 8;
