/** Bounds of the reference store and of what it reads. */

/** Contigs of one reference; the largest draft assemblies in use have some hundred thousand. */
export const MAX_CONTIGS = 1_000_000;
/** Letters of a contig name; samtools keeps names in one line of an index. */
export const MAX_CONTIG_NAME_LETTERS = 255;
/** A FASTA header line; descriptions beyond it mean that the file is something else. */
export const MAX_FASTA_HEADER_BYTES = 64 * 1024;
/** The header of an annotation VCF: gnomAD's has about 1 MB. */
export const MAX_VCF_HEADER_BYTES = 64 * 1024 * 1024;
/** One line of an annotation VCF or GFF3. */
export const MAX_SOURCE_LINE_BYTES = 16 * 1024 * 1024;
/** Genes and transcripts of one GFF3; Ensembl's human one has about 350,000. */
export const MAX_GENE_MODELS = 5_000_000;
/** Records whose REF is compared with the FASTA. */
export const REF_CHECK_RECORDS = 10_000;
/** Share of differing REF alleles above which the annotation is of another assembly. */
export const REF_MISMATCH_MAX_FRACTION = 0.1;
/** Names of dropped contigs that are kept for the notice; the others are only counted. */
export const MAX_DROPPED_NAMES = 5;
/** Total size from which checksums are computed in worker threads. */
export const HASH_IN_WORKERS_BYTES = 32 * 1024 * 1024;
/** Files that are hashed at the same time; the disk, not the CPU, is the limit beyond. */
export const HASH_WORKERS = 2;
/** What is kept of a tool's standard error for a message. */
export const STDERR_TAIL_BYTES = 8 * 1024;
/** Memory of `sort` and `bcftools sort` before they use temporary files. */
export const SORT_MEMORY_MIB = 512;
/** SnpEff's heap for building; below and above LARGE_GENOME_BASES. */
export const SNPEFF_BUILD_HEAP_MIB = 2_048;
export const SNPEFF_BUILD_HEAP_LARGE_MIB = 12_288;
export const LARGE_GENOME_BASES = 500_000_000;
/** Sources of one kind (`--gnomad` may be given once). Words of a note in a manifest. */
export const MAX_NOTES = 100;
