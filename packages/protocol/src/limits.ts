/** Limits on what comes from outside, and on what is kept of it. */

/** Parsed Ed25519 public keys kept, keys: about 1 KiB each. */
export const ED25519_KEYS_CACHED_MAX = 1_024;
/** Memory of one scrypt call, bytes: cost 2^14 with blocks of 8 needs 16 MiB. */
export const SCRYPT_MEMORY_BYTES_MAX = 64 * 1024 * 1024;

/** A detached Crypt4GH header, bytes: as many packets as may be, and a full edit list. */
export const CRYPT4GH_HEADER_BYTES_MAX = 4 * 1024 * 1024;
/**
 * Packets of one header: each costs some 35 µs. A key for each 16 MiB of the largest object fits,
 * and an edit list.
 */
export const CRYPT4GH_PACKETS_MAX = 20_000;
/** Different writers' keys tried for one header: each costs an X25519, some 60 µs. */
export const CRYPT4GH_WRITERS_MAX = 256;
/** Lengths in an edit list: half as many pieces of a file. */
export const CRYPT4GH_EDITS_MAX = 65_536;
/**
 * Data keys that are tried on one segment where nobody says which one is right: a segment that none
 * opens costs 64 KiB of decryption for each.
 */
export const CRYPT4GH_TRIAL_KEYS_MAX = 4_096;
/** A key file, characters. */
export const KEY_FILE_CHARS_MAX = 4_096;
/** Segments fetched at once by a random read: 1 MiB. */
export const READ_SEGMENTS_MAX = 16;
/** Regions of one grant: each makes two lengths of the edit list. */
export const REGIONS_MAX = 10_000;
/** Plaintext of one object, bytes: 256 GiB, 16,384 groups of segments. */
export const OBJECT_BYTES_MAX = 2 ** 38;
/** A signed manifest, bytes. */
export const MANIFEST_BYTES_MAX = 64 * 1024;
/** The sealed part of a manifest, bytes before base64: a file name of 255 characters fits. */
export const SEALED_PART_BYTES_MAX = 4 * 1024;

/** Longest wait for a job to end in one request, ms: a node that stops waits for its requests. */
export const JOB_WAIT_MAX_MS = 2_000;
/** How long a custodian's release to a node may hold: a long fetch; then it asks again. */
export const NODE_RELEASE_MS_MAX = 3_600_000;
/** How far a signed request's time may be from ours, either way, ms. */
export const REQUEST_WINDOW_MS = 60_000;
/** Requests remembered against replay, of all keys: some 20 MB. */
export const REPLAY_ENTRIES_MAX = 100_000;
/** The same for one key: 166 requests a second for two minutes. */
export const REPLAY_ENTRIES_PER_KEY_MAX = 20_000;
/** A head that was attested longer ago allows no new open, renewal or replication, ms. */
export const HEAD_AGE_MS_MAX = 60_000;
/** A signed grant, bytes: its regions fit. */
export const GRANT_BYTES_MAX = 4 * 1024 * 1024;
/** Grants that one owner has revoked. */
export const REVOKED_GRANTS_MAX = 10_000;
/** A signed revocation head, bytes: its list fits. */
export const REVOCATION_HEAD_BYTES_MAX = 1024 * 1024;
/** Segments of the largest object. */
export const SEGMENTS_MAX = OBJECT_BYTES_MAX / 65_536;
/** How long a wallet may let a session's key act for it, ms: a day. */
export const SESSION_MS_MAX = 86_400_000;
/** A signed session, bytes: its text has some 800. */
export const SESSION_BYTES_MAX = 2_048;
/** A genesis document, bytes: its lists fit. */
export const GENESIS_BYTES_MAX = 128 * 1024;
/** Nodes that a seed tells newcomers of: enough to find the network by. */
export const SEED_NODES_MAX = 1_000;
/** Its signed list, bytes: an address and all zones of an operator for each. */
export const NODE_LIST_BYTES_MAX = 2 * 1024 * 1024;
/** Coordinators of a network. */
export const COORDINATORS_MAX = 100;
/** Operators whose statements a network vouches for. */
export const OPERATORS_MAX = 1_000;
/** Vaults that are named for one object. */
export const VAULTS_MAX = 32;
/** Nodes in one list: some 1 KiB each. */
export const NODES_LISTED_MAX = 10_000;
/** An error in a header, bytes; servers and proxies refuse headers of 8 KiB and more. */
export const WIRE_ERROR_BYTES_MAX = 4_096;
/** Message or hint of such an error, characters of up to 3 bytes. */
export const WIRE_ERROR_TEXT_CHARS_MAX = 600;
/** How long a job of the network may be under way, ms: 14 days. */
export const NETWORK_JOB_MS_MAX = 14 * 86_400_000;
/** A signed job of the network, bytes: its datasets and parameters fit. */
export const NETWORK_JOB_BYTES_MAX = 64 * 1024;
/** Datasets of one job, as many as one placement takes. */
export const JOB_DATASETS_MAX = 64;
/** Parameters of one job. */
export const JOB_PARAMETERS_MAX = 64;
/** Replicas that a job may ask for, as in the scheduler. */
export const JOB_REDUNDANCY_MAX = 7;
/** Replicas of one task in all, as in the scheduler. */
export const JOB_REPLICAS_MAX = 15;
/** A signed statement about an attempt, bytes: an assignment has its datasets. */
export const ATTEMPT_STATEMENT_BYTES_MAX = 16 * 1024;
/** Offers that a node is told of at once. */
export const OFFERS_LISTED_MAX = 256;
/** Attempts in the view of a task; the first ones are left out where there are more. */
export const ATTEMPTS_LISTED_MAX = 256;
/** Contigs of a canary's genome. */
export const CANARY_CONTIGS_MAX = 8;
/** Bases of each. */
export const CANARY_CONTIG_BASES_MAX = 100_000;
/** How often each base of it is read, on average. */
export const CANARY_COVERAGE_MAX = 60;
/** Decisions about one job that are listed, newest first. */
export const PLACEMENTS_LISTED_MAX = 256;
/** The record of a decision as it is sent, packed, bytes: that of 10,000 nodes takes some 1 MiB. */
export const PLACEMENT_PACKED_BYTES_MAX = 8 * 1024 * 1024;
/** Tasks that were given up, in one list. */
export const DEAD_TASKS_LISTED_MAX = 256;
/** Files of one result: an analysis has some ten. */
export const RESULT_FILES_MAX = 10_000;
/** The index of a result, bytes: its files fit with usual names. */
export const RESULT_INDEX_BYTES_MAX = 4 * 1024 * 1024;
/** The statement of a result, bytes: it says some more of each file than the index. */
export const RESULT_STATEMENT_BYTES_MAX = 8 * 1024 * 1024;
/** Path of a file of a result, characters. */
export const RESULT_PATH_CHARS_MAX = 200;
/** Headers that are rewrapped in one request: each costs two X25519, some 200 µs. */
export const REWRAP_HEADERS_MAX = 2_000;
/** Each of them, bytes: it holds one key for one reader. */
export const REWRAP_HEADER_BYTES_MAX = 512;
