/** Bounds of the germline pipeline: what keeps specifications and journal values small. */

/** Bases of overlap on each side of a shard's core; a read pair and its haplotype fit in it. */
export const SHARD_PADDING_BASES = 2_000;
/** Smallest piece of a cut chromosome: freebayes changes genotypes at window edges (5 kb did). */
export const SHARD_MIN_BASES = 5_000_000;
/** Below this a contig may be grouped with its neighbours. */
export const SMALL_CONTIG_BASES = 1_000_000;
/** More contigs than this is an assembly with scaffolds, whatever their names. */
export const MANY_CONTIGS = 100;
/** Contigs of one group: its two BED texts stand in a specification of at most 64 KiB. */
export const MAX_GROUPED_CONTIGS = 300;
/** Letters of the contig names of one group, for the same reason. */
export const MAX_GROUPED_LETTERS = 8_000;
/** Inputs of one concatenation; each takes some 250 bytes of a specification of 64 KiB. */
export const MAX_CONCAT_INPUTS = 150;

/** A base counts as callable from this depth on. */
export const CALLABLE_MIN_DEPTH = 4;
/** Mean callable depth below which `auto` takes bcftools; measured on HG002 at 10×, 15× and 30×. */
export const AUTO_CALLER_DEPTH = 20;

/** Share of the reference covered once from which the reads count as spread all over it. */
export const SPREAD_FRACTION = 0.5;

/** Mean depth below which a genome gets a warning (an own limit), and below which it fails. */
export const DEPTH_WARN = 30;
/** gnomAD v3 leaves out genomes of less. */
export const DEPTH_FAIL = 15;

/** Smallest allele fraction called on the mitochondrial contig. */
export const MT_MIN_FRACTION = 0.05;
/** Fewest reads with a mitochondrial allele. */
export const MT_MIN_READS = 3;
/** Below this a mitochondrial allele may be a nuclear copy (NUMT); gnomAD v3 reports from 0.10. */
export const MT_NUMT_FRACTION = 0.1;
/** From this fraction on a mitochondrial allele counts as homoplasmic (gnomAD v3). */
export const MT_HOMOPLASMIC_FRACTION = 0.95;

/** freebayes calls at or below are junk: they were false on HG002 at 30× and mini24. */
export const FREEBAYES_DROP_QUAL = 1;
/** Calls at or below are kept and named LowConf. */
export const LOW_CONFIDENCE_QUAL = 20;

/** Longest list of contigs in qc.json; the rest are summed. */
export const MAX_QC_CONTIGS = 5_000;
/** Bins of the insert-size and depth histograms in qc.json. */
export const MAX_QC_BINS = 2_000;

/**
 * A base below counts as low. ≥ 20× is the clinically relevant depth of Patwardhan et al. (Genome
 * Med 2015, 7:71); 95 % of heterozygous SNVs are found from there on (Meynert et al., BMC
 * Bioinformatics 2013, 14:195, table 1: 19.7×). Lower hides gaps, higher lists what is fine.
 */
export const LOW_COVERAGE_DEPTH = 20;
/** The same where one copy is expected: all reads carry the allele (Meynert table 1: 9.0×). */
export const LOW_COVERAGE_HAPLOID_DEPTH = 10;
/**
 * Reads and bases below do not count: GA4GH WGS quality control, definition of coverage, which
 * also leaves duplicates out and counts the overlap of mates once. Lower, and copies of a repeat
 * that no caller can tell apart would pass for covered.
 */
export const COVERAGE_MIN_MAPPING_QUALITY = 20;
export const COVERAGE_MIN_BASE_QUALITY = 20;
/** Without gene models, larger references are not examined: 16 bytes of text for each base. */
export const MAX_EXAMINED_CONTIG_BASES = 250_000_000;
/** Lines CDS of the gene models that are held; Ensembl's human ones are about 900,000. */
export const MAX_CODING_SEGMENTS = 10_000_000;
