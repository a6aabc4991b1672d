/** Named limits of the local API. */

/** Largest request body; a submission has a few hundred bytes. */
export const BODY_MAX_BYTES = 1024 * 1024;
