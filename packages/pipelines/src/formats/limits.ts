/** Bounds of the readers and writers of this folder. */

/** Decompressed bytes handed on at once; larger ones gain nothing and cost memory. */
export const CHUNK_BYTES = 1 << 20;
/** Compressed bytes read at once. */
export const READ_BYTES = 1 << 19;
/** One text line; a VCF line of 100,000 samples is about 10 MiB. */
export const LINE_BYTES_MAX = 64 << 20;
