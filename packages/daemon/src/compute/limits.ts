/** Named limits of the compute role. */

/** Attempts held at once, whatever the configuration says. */
export const SLOTS_MAX = 64;
/** First and longest wait before a coordinator that does not answer is asked again, ms. */
export const RETRY_FIRST_MS = 500;
export const RETRY_MAX_MS = 30_000;
/** A lease is renewed when this share of it is over. */
export const RENEW_SHARE = 1 / 3;
/** Longest time between two looks at an attempt that waits for others, ms. */
export const ORDER_POLL_MAX_MS = 10_000;
/** Between two looks for offers, ms. */
export const OFFER_POLL_MS = 1_000;
/** How long sealed outputs stay: as long as a requester may dispute a result, ms. */
export const KEEP_OUTPUTS_MS = 72 * 3_600_000;
/** Plaintext of an object that is fetched under one look at the release, bytes: some minutes' worth. */
export const PART_BYTES = 2 ** 30;
/** A release that has less left than this is asked for again before the next part, ms. */
export const RELEASE_LEFT_MS_MIN = 30 * 60_000;
/** Pieces of one object that are fetched at once, of 4 MiB each. */
export const READ_CONNECTIONS = 2;
/** Between two looks for outputs that nobody may fetch any more, ms. */
export const SWEEP_MS = 60_000;
/** A message of results, bytes. */
export const RESULT_CHUNK_BYTES = 256 * 1024;
/** Files of results that are sent at once, of all requesters and of one. */
export const FETCHES_MAX = 64;
export const FETCHES_PER_REQUESTER_MAX = 16;
/** Files of one attempt: a genome has some thirty. */
export const RESULT_FILES_MAX = 10_000;
/** Shortest and longest pause before the coordinator is asked again about a canary, ms. */
export const CANARY_ASK_MS_MIN = 200;
export const CANARY_ASK_MS_MAX = 30_000;
/** Cores that one attempt should have: its shards run at once, most steps use no more. */
export const ATTEMPT_CORES = 8;
/** Attempts that are sealed and wait for the others, in no slot; each is one call in ten seconds. */
export const WAITING_MAX = 256;
/** Room on the disk with less than which no attempt is taken, bytes. */
export const FREE_BYTES_MIN = 2 ** 30;
/**
 * Room that an attempt needs for each byte of its reads: the reads, alignments in the making, their
 * last form, variants, and the sealed copy. Compressed reads of 30× took 5.
 */
export const SCRATCH_PER_READ_BYTE = 6;
/** Rounds over all sources of what another task has made, or of questions to a custodian that is away. */
export const HANDOVER_ROUNDS_MAX = 8;
/** A sealed file that is handed over, bytes: the largest object and what sealing adds. */
export const HANDED_FILE_BYTES_MAX = 2 ** 38 + 2 ** 28;
/** Room on the disk that kept blocks leave to everything else, bytes: some more than an attempt needs to begin. */
export const CACHE_RESERVE_BYTES = 4 * 2 ** 30;
