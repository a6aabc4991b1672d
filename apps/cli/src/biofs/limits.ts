/** Limits on files that people give to `biofs`, and on what these may ask of the machine. */

/** A vault that does not say within this time how a copy is, ms. */
export const COPY_ASK_MS_MAX = 10_000;
/** A key file or keystore, bytes; a keystore has some 500. */
export const WALLET_FILE_BYTES_MAX = 64 * 1024;
/** Memory of one scrypt, bytes: what wallets write (n 2^18, r 8) needs 256 MiB. */
export const KEYSTORE_SCRYPT_BYTES_MAX = 512 * 1024 * 1024;
/** n × r × p of one scrypt: eight times what wallets write, some seconds. */
export const KEYSTORE_SCRYPT_WORK_MAX = 2 ** 24;
/** Rounds of PBKDF2: wallets write 262,144; this many take some seconds. */
export const KEYSTORE_PBKDF2_ROUNDS_MAX = 10_000_000;
/** A passphrase, characters. */
export const PASSPHRASE_CHARS_MAX = 4_096;
/** The file of a grant, bytes: the largest grant, a manifest, and the rest of it. */
export const INVITATION_BYTES_MAX = 5 * 1024 * 1024;
/** Files of one `put`, those in folders included: as many as a vault keeps of one owner tenfold. */
export const PUT_FILES_MAX = 100_000;
/** Bodies on their way to a vault at once, as many as it takes of one key. */
export const UPLOADS_AT_ONCE = 4;
/** Wait before a vault that is busy is asked again, ms; it counts requests by the minute. */
export const BUSY_WAIT_MS = 5_000;
/** Times that a busy vault is asked: some minutes in all. */
export const BUSY_TRIES_MAX = 60;
/** What a data folder remembers of one job, bytes: the job, manifests and grants in base64. */
export const JOB_RECORD_BYTES_MAX = 512 * 1024 * 1024;
/** Between two looks at a job that goes on, ms. */
export const JOB_LOOK_MS = 2_000;
/** Longest pause while the coordinator does not answer, ms. */
export const JOB_LOOK_MS_MAX = 30_000;
/** How long after the end of a job its nodes may not have heard of it, ms: they look every 10 s. */
export const RESULT_SETTLE_MS = 60_000;
/** Files of a result that are fetched at once. */
export const RESULT_FETCHES = 4;
/** One sealed file of a result, bytes: a BAM of 100 times coverage fits. */
export const RESULT_FILE_BYTES_MAX = 2 ** 40;
