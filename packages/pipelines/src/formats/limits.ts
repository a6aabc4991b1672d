/** Bounds of the readers and writers of this folder. */

/** Decompressed bytes handed on at once; larger ones gain nothing and cost memory. */
export const CHUNK_BYTES = 1 << 20;
/** Compressed bytes read at once. */
export const READ_BYTES = 1 << 19;
/** One text line; a VCF line of 100,000 samples is about 10 MiB. */
export const LINE_BYTES_MAX = 64 << 20;
/** An index of a file once it is decompressed: a CSI of 100,000 contigs has some 50 MiB. */
export const INDEX_BYTES_MAX = 256 << 20;
/** A block of BGZF (SAMv1 §4.1), compressed or not: the format has no larger ones. */
export const BGZF_BLOCK_BYTES_MAX = 1 << 16;
/** Header of a VCF or BAM file, decompressed: 100,000 samples or contigs fit. */
export const HEADER_BYTES_MAX = 64 << 20;
/** One alignment with its tags; a read of 4 million bases is about 10 MiB. */
export const ALIGNMENT_BYTES_MAX = 256 << 20;
