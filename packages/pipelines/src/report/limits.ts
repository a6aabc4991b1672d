/** Bounds of a report: what fits a document that people read. The VCF holds everything. */

/** Regions of low coverage that the report lists, longest first. */
export const MAX_LOW_COVERAGE_REGIONS = 200;
/** Genes of one region: overlapping ones, of which clusters have some dozens. */
export const MAX_LOW_COVERAGE_GENES = 100;
/** Of these, the PDF prints so many; HTML and JSON hold all listed ones. */
export const MAX_LOW_COVERAGE_ROWS_PDF = 40;
/** Contigs with a bar of their own in the coverage plot; the others share one bar. */
export const MAX_CONTIG_BARS = 26;
/** Contigs in the model: the largest draft assemblies in use have some hundred thousand. */
export const MAX_CONTIGS = 1_000_000;
/** Points of one plotted series. */
export const MAX_SERIES_POINTS = 5_000;
/** Letters of an allele that are printed before it is shortened to its length. */
export const MAX_PRINTED_ALLELE_LETTERS = 18;
/** Letters of a gene or HGVS name in the summary. */
export const MAX_HEADLINE_LETTERS = 40;
/** Letters of a free text (condition, command) that the PDF prints in one table cell. */
export const MAX_CELL_LETTERS = 420;
/** Lines of one table cell in the PDF; more would let one row outgrow a page. */
export const MAX_CELL_LINES = 16;
/** Decimals of a figure that stands near its limit. */
export const MAX_DECIMALS = 6;
/** Letters of a ClinVar record's conditions in a table cell; the rest is counted. */
export const MAX_CONDITIONS_LETTERS = 240;
/** Letters of any text in the model. */
export const MAX_TEXT_LETTERS = 100_000;
