/** How long the end-to-end tests wait before they call a thing stuck; all far above the usual. */

/** A daemon and its engine start in about a second. */
export const START_DEADLINE_MS = 60_000;
/** A sample of three contigs takes about five seconds. */
export const JOB_DEADLINE_MS = 180_000;
/** A job of a network waits for canaries, heartbeats, leases and the restarts of its nodes. */
export const NETWORK_JOB_DEADLINE_MS = 900_000;
/** One step or one reaction of the node. */
export const STEP_DEADLINE_MS = 45_000;
/** Between two looks at a condition. */
export const LOOK_MS = 10;
/** What the requirements promise, and so is asserted. */
export const RECOVERY_MAX_MS = { daemon: 10_000, engine: 10_000, tool: 5_000 } as const;
/** Ten seconds of draining and a little for the rest of the way out. */
export const DRAIN_MAX_MS = 12_000;
