/** Bounds of the check of reads. */

/** One FASTQ record: long reads of 5 Mb with their qualities fit. */
export const RECORD_BYTES_MAX = 16 << 20;
/** Decompressed bytes read at once from each of the two files. */
export const INTAKE_CHUNK_BYTES = 1 << 20;
/** Of a piece, joined at least with what the piece before it left; a short read's record fits. */
export const CARRY_JOIN_BYTES = 1 << 10;
/** Pieces of R2 that its thread may be ahead of R1. */
export const PIECES_AHEAD = 4;
/** An R2 as large as this has its own thread; one is started in the time that scans a third of it. */
export const APART_MIN_BYTES = 64 << 20;
