/** Bounds of the check of reads. */

/** One FASTQ record: long reads of 5 Mb with their qualities fit. */
export const RECORD_BYTES_MAX = 16 << 20;
/** Decompressed bytes read at once from each of the two files. */
export const INTAKE_CHUNK_BYTES = 1 << 20;
