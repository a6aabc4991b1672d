/** Bounds of what comes from outside, and the few intervals that the network agrees on. */

/** A node's heartbeat; the seeds' interval. */
export const HEARTBEAT_INTERVAL_MS = 30_000;
/** Silent for three heartbeats is offline: one lost packet must not move a node's work. */
export const OFFLINE_AFTER_MS = 3 * HEARTBEAT_INTERVAL_MS;

export const CORES_MAX = 4_096;
/** 64 TiB; sizes stay far below 2^53 so that they are exact numbers. */
export const MEMORY_MAX_BYTES = 2 ** 46;
/** 4 PiB. */
export const DISK_MAX_BYTES = 2 ** 52;
export const GPUS_MAX = 64;
/** 4 TiB. */
export const VRAM_MAX_BYTES = 2 ** 42;
export const TOOLS_MAX = 256;
export const SERVICES_MAX = 64;
/** Attempts that one node runs at once. */
export const SLOTS_MAX = 256;
/** Zones that one node is in. */
export const STATED_ZONES_MAX = 16;
export const ENDPOINT_MAX_CHARS = 256;
/** A signed registration: some 2 KiB, with 64 GPUs and 256 tools of usual names some 12 KiB. */
export const REGISTRATION_BYTES_MAX = 16 * 1024;
/** A heartbeat: 64 GPUs take some 6 KiB. */
export const HEARTBEAT_BYTES_MAX = 8 * 1024;
/** A signed zone statement. */
export const ZONE_STATEMENT_BYTES_MAX = 4 * 1024;
/** How far ahead of the coordinator's clock a registration's may be. */
export const REGISTRATION_SKEW_MS = 60_000;
/** A registration is renewed at least this often, so that a lost key cannot stand for ever. */
export const REGISTRATION_MAX_MS = 366 * 24 * 3_600_000;

/** 100 USD for an hour or a GiB; with `USAGE_MAX_SECONDS` the product is an exact number. */
export const RATE_MAX_MICRO_USD = 100_000_000;
/** 13,888 core-hours for one task. */
export const USAGE_MAX_SECONDS = 50_000_000;
/** 64 TiB of one input, or moved by one task; times a rate it is an exact number of MiB prices. */
export const USAGE_MAX_BYTES = 2 ** 46;
/** One million USD. */
export const PRICE_MAX_MICRO_USD = 1_000_000_000_000;

export const INPUTS_MAX = 64;
/** Places that hold a copy of one input. */
export const PLACES_MAX = 64;
/** Operators that a requester names for one job, as many as its document takes. */
export const OPERATORS_MAX = 1_000;
/** Entries of one list in a policy, a grant or a request: as many zones as a grant may name. */
export const LIST_MAX = 300;
export const LATENCY_MAX_MS = 60_000;
/** Nodes in one decision; also keeps the sort key of a candidate an exact number. */
export const CANDIDATES_MAX = 100_000;
/** Record of a placement as it is read; one candidate takes about 1 KiB. */
export const DECISION_MAX_BYTES = 128 * 2 ** 20;
/** A licence answer older than this is asked for again. */
export const LICENCE_AGE_MAX_MS = 3_600_000;

/** Replicas that a job may ask for. */
export const REDUNDANCY_MAX = 7;
/** Replicas of one task in all, those added on disagreement included. */
export const REPLICAS_MAX = 15;
/** From this many wrong results on, a node is banned for a tool set. */
export const INVALID_MAX = 3;
