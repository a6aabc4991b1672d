/** Named limits of the small-variant comparison. */

/**
 * Bases of reference between two variants (their shiftable spans) from which on they are compared
 * apart. Representations of one event spread further than this are not recognised as equal.
 */
export const CLUSTER_GAP_BASES = 50;

/** How far an indel is followed through a repeat, in bases to either side. */
export const MAX_SHIFT_BASES = 2_000;

/** Longer alleles are structural variants, which replay is not meant for (as rtg vcfeval). */
export const MAX_ALLELE_BASES = 1_000;

/** Haplotype states kept at one variant of one cluster before the search gives the cluster up. */
export const MAX_REPLAY_STATES = 20_000;

/** Reference bases read at once, and how many such blocks stay in memory. */
export const FASTA_BLOCK_BASES = 65_536;
export const FASTA_BLOCKS_KEPT = 8;

/** Samples of a file that an error names; a cohort has thousands. */
export const MAX_NAMED_SAMPLES = 10;
