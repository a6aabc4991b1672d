/** Bounds of the canonicalizers. A changed TIES_MAX changes digests: raise the domain tag with it. */

/** Records at one position up to which they are sorted; more are hashed as a multiset. */
export const TIES_MAX = 4096;
/** Bytes of canonical records gathered before they are hashed. */
export const OUT_BYTES = 1 << 21;
/** A BAM header; 10 million contigs would fit. */
export const BAM_HEADER_BYTES_MAX = 1 << 29;
/** One BAM record; the longest reads known are below 5 Mb. */
export const BAM_RECORD_BYTES_MAX = 1 << 28;
/** Tags of one BAM record. */
export const BAM_TAGS_MAX = 4096;
/** Records of an unsorted VCF, which are sorted in memory. */
export const UNSORTED_VCF_RECORDS_MAX = 1_000_000;
/** A JSON document, which is read whole. */
export const JSON_BYTES_MAX = 1 << 28;
