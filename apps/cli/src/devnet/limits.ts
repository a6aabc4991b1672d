/** Limits of a network on one machine. */

/** A coordinator and a vault are the least that is a network; each node takes some 150 MB. */
export const NODES_MIN = 2;
export const NODES_MAX = 32;
/** First port, unless told otherwise. */
export const PORT_DEFAULT = 7400;
/** Until a node answers, ms; a machine that is busy takes its time. */
export const START_MS_MAX = 120_000;
/** From SIGTERM to SIGKILL, ms: nodes drain for ten seconds. */
export const STOP_MS_MAX = 20_000;
/** What is kept of what a node says on standard error, for the line that tells of its end. */
export const SAID_CHARS_MAX = 4_096;
/** How long an operator's statement about a node of a devnet holds, ms: a year. */
export const STATEMENT_MS = 31_536_000_000;
