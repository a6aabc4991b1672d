/** Largest reply that is read; a journal page of 5,000 rows has about 2 MiB. */
export const REPLY_MAX_BYTES = 64 * 1024 * 1024;
