/** Named limits of the storage role: what one caller, and all of them together, may hold. */
import { HEAD_AGE_MS_MAX } from '@helixmesh/protocol/sealing';

/** How long a state id holds without being renewed, ms: no longer than the gate's answer. */
export const LEASE_MS = HEAD_AGE_MS_MAX;
/** State ids at once, of all callers: some 2 KB each, and their documents. */
export const LEASES_MAX = 10_000;
/** State ids at once of one key. */
export const LEASES_PER_KEY_MAX = 128;
/** Documents that state ids of all callers keep, bytes as sent: memory is some four times as much. */
export const LEASE_BYTES_MAX = 64 * 1024 * 1024;
/** Documents that come with one `Open`, bytes: the largest grant and its segments fit. */
export const OPEN_BYTES_MAX = 5 * 1024 * 1024;
/** Ranges that one `Open` may name. */
export const OPEN_RANGES_MAX = 1_024;

/** Bytes in one message of a body that is read: with what waits to be sent, memory of a slow reader. */
export const CHUNK_BYTES = 256 * 1024;
/** Bytes in one message of a body that is written. */
export const WRITE_CHUNK_BYTES_MAX = 1024 * 1024;
/** Bodies read at once, of all callers: a block of 1 MiB and some 0.5 MiB on its way each. */
export const READS_MAX = 256;
/** Bodies read at once by one key. */
export const READS_PER_KEY_MAX = 16;
/** Bodies written at once by one key; of all keys `PUTS_MAX` of the vault. */
export const WRITES_PER_KEY_MAX = 4;
/**
 * A writer has `WRITE_STEP_MS` for each `WRITE_STEP_BYTES`, 140 kbit/s: who is slower holds one of
 * the few places for nothing.
 */
export const WRITE_STEP_BYTES = 1024 * 1024;
export const WRITE_STEP_MS = 60_000;

/** Objects that come from other vaults at once, of all owners; of one half of it. */
export const REPLICATIONS_MAX = 4;
export const REPLICATIONS_PER_KEY_MAX = 2;
/** Leaves of 1 MiB in one request to another vault: a failed one costs little. */
export const PULL_UNIT_LEAVES = 4;
/** Requests for one object under way at once, over all vaults: 16 MiB of memory. */
export const PULL_UNITS_MAX = 4;
/** Failures of one vault without a piece in between, before it is left. */
export const PEER_TRIES_MAX = 3;
/** Vaults that are asked for one object. */
export const PEERS_MAX = 8;
/** Between two messages of a replication, ms: the owner sees it go on. */
export const REPLICATE_TELL_MS = 1_000;
/** A custodian or vault that does not answer while a scrub repairs, ms. */
export const REPAIR_CALL_MS = 30_000;

/**
 * Room on the disk that bodies leave, bytes. A node ends when 16 MiB are left (`node/disk-guard.ts`);
 * sixteen bodies may each write a block at once, and revocation heads have to be kept all the same.
 */
export const DISK_RESERVE_BYTES = 48 * 1024 * 1024;

/** Between two collections, ms; then it is seen as well whether a scrub is due. */
export const UPKEEP_EVERY_MS = 3_600_000;
/** How long a block that no object names stays: a body that broke off can be sent again cheaply. */
export const COLLECT_GRACE_MS = 24 * 3_600_000;
/** Between two scrubs, ms: each reads the whole vault. */
export const SCRUB_EVERY_MS = 7 * 24 * 3_600_000;
