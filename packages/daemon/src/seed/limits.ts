/** Named limits of the role seed. */

/** Between two questions to the coordinator, ms: as often as nodes beat. */
export const ASK_MS = 30_000;
/** One question, ms. */
export const ASK_MS_MAX = 20_000;
/** A coordinator that was not heard for longer is one that does not answer, ms. */
export const HEARD_MS_MAX = 120_000;
