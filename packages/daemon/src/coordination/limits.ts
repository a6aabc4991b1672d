/** Named limits of the coordinator's registry and of a node's membership. */
import { NODES_LISTED_MAX } from '@helixmesh/protocol/sealing';

/** Nodes that one coordinator knows: as many as one list of them holds. */
export const NODES_MAX = NODES_LISTED_MAX;
/** A list of nodes, bytes: a client reads 16 MiB. All nodes fit with some 1.2 KiB each. */
export const LIST_BYTES_MAX = 12 * 1024 * 1024;
/**
 * When the registry is full, a node that was never verified and has been silent for so long makes
 * room for another: nothing that it has earned is lost.
 */
export const FORGOTTEN_AFTER_MS = 30 * 24 * 3_600_000;
/** Nodes that are looked at, when the registry is full, for one that may make way: each is parsed. */
export const STRANGERS_LOOKED_AT_MAX = 64;

/** A registration that a node makes holds for so long, and is renewed after half of it. */
export const REGISTRATION_VALID_MS = 30 * 24 * 3_600_000;
/** Between two looks at hardware and tools: what is installed is offered soon after. */
export const REMEASURE_MS = 10 * 60_000;
/** A coordinator that does not answer within this time is offline. */
export const CALL_MAX_MS = 10_000;
/** After a call that failed; doubles up to the heartbeat's interval. */
export const RETRY_FIRST_MS = 1_000;
/** Between two looks at the number of attempts, of which the coordinator is told when it changes, ms. */
export const LOAD_LOOK_MS = 1_000;
/** The last word of a node that stops must not hold up its end. */
export const FAREWELL_MAX_MS = 2_000;

/** A canary's genome: small enough for seconds, large enough that every step has something to do. */
export const CANARY_GENOME = { contigs: 2, basesPerContig: 20_000, coverage: 10 } as const;
/** How long a node may take for a canary, ms: a slow machine with other work. */
export const CANARY_MS = 15 * 60_000;
/** Pause after a canary that failed, ms; doubles with each in a row. */
export const CANARY_PAUSE_FIRST_MS = 30_000;
export const CANARY_PAUSE_MAX_MS = 3_600_000;
/** When a node whose answer is being judged should ask again, ms. */
export const CANARY_JUDGED_MS = 2_000;
/** When a node that is admitted, or can do nothing about it now, should ask again, ms. */
export const CANARY_IDLE_MS = 30_000;
/** Between two looks at the coordinator's own tools, ms. */
export const CANARY_TOOLS_MS = 60_000;
