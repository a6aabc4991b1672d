/** Limits of fetching results. */

/** A node that sends nothing for so long is given up, ms. */
export const SILENCE_MS_MAX = 60_000;
/** Tries of one file without a byte more in between. */
export const TRIES_MAX = 4;
/** First pause between two tries, ms; doubles. */
export const PAUSE_MS = 250;
