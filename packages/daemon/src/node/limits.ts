/** Named limits of a node's life. */

/** All stops together: service managers kill after ten seconds, and the database is closed then. */
export const STOP_ALL_MS = 9_500;
/** The stop of one application, unless it asks for more. */
export const STOP_ONE_MS = 2_000;
/** The listener's: what it is answering may take five seconds. */
export const LISTENER_STOP_MS = 6_000;
/** Where analyses run in enclosures, which end their own tools first. */
export const ENCLOSURE_STOP_MS = 9_000;
/** Running tools may end by themselves for so long after the order to stop. */
export const DRAIN_MS = 7_000;
/** Settings file; one with all settings and comments has five thousand bytes. */
export const CONFIG_FILE_MAX_BYTES = 256 * 1024;
/** A genesis document; the protocol takes 128 KiB at most. */
export const NETWORK_FILE_BYTES_MAX = 1024 * 1024;
/** What one owner may keep in a vault unless told otherwise: a few whole genomes at 30×. */
export const OWNER_BYTES_DEFAULT = 500 * 1024 ** 3;
/** Sealed reads that a compute node keeps unless told otherwise: those of one whole genome at 30×. */
export const CACHE_BYTES_DEFAULT = 64 * 1024 ** 3;
export const OWNER_OBJECTS_DEFAULT = 10_000;
/** Micro-USD; the scheduler refuses greater ones. */
export const PRICE_MAX_MICRO_USD = 100_000_000;
/** Objects of one owner; a catalogue entry takes about 1 KiB of memory. */
export const OWNER_OBJECTS_MAX = 1_000_000;
/** Requests of one key, and of one address: a hundred in each second. */
export const REQUESTS_PER_MINUTE_DEFAULT = 6_000;
export const REQUESTS_PER_MINUTE_MAX = 1_000_000;

/** Wallets that the settings of one node name. */
export const ACCOUNTS_MAX = 10_000;
