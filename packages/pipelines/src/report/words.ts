/** The report's sentences and titles: one wording for PDF and HTML. */
import type { Finding, FindingCategory, FindingGroup } from '../germline/findings.ts';
import { MT_HOMOPLASMIC_FRACTION, MT_NUMT_FRACTION, SPREAD_FRACTION } from '../germline/limits.ts';
import { clipped, depthText, grouped, hgvs, NO_VALUE, percent, shareText } from './format.ts';
import { MAX_HEADLINE_LETTERS } from './limits.ts';
import type { ReportModel } from './model.ts';
import type { LowCoverage, LowCoverageScope } from './model-low-coverage.ts';
import type { Verdict } from './model-qc.ts';

export const RESEARCH_USE = 'Research use only. Not a diagnosis.';
export const REPORT_TITLE = 'Germline variant report';
export const PRODUCT = 'Helixmesh';

export const SECTION_TITLES = {
  summary: 'Summary',
  variants: 'Variants of interest',
  mitochondrial: 'Mitochondrial variants',
  qc: 'Quality control',
  lowCoverage: 'Regions of low coverage',
  methods: 'Methods',
  limitations: 'Limitations',
  glossary: 'Glossary',
  provenance: 'Provenance',
} as const;

export const CATEGORY_TITLES: Readonly<Record<FindingCategory, string>> = {
  pathogenic: 'Pathogenic in ClinVar',
  'likely pathogenic': 'Likely pathogenic in ClinVar',
  conflicting: 'Conflicting classifications in ClinVar',
  'uncertain significance': 'Uncertain significance in ClinVar',
  'other ClinVar': 'Other ClinVar records (drug response, risk factor, association)',
  'not in ClinVar': 'Not in ClinVar: rare, with a consequence for a protein',
  'likely benign': 'Likely benign in ClinVar',
  benign: 'Benign in ClinVar',
};

export const VERDICT_WORDS: Readonly<Record<Verdict, string>> = {
  pass: 'Pass',
  warn: 'Warning',
  fail: 'Fail',
};

/** A mitochondrial allele reads as below them when it is. */
const MT_LIMITS = [MT_NUMT_FRACTION, MT_HOMOPLASMIC_FRACTION];

/** `Heterozygous`; mitochondrial alleles are told by their fraction. */
export function zygosityText(finding: Pick<Finding, 'zygosity'>): string {
  const { zygosity } = finding;
  if (zygosity.kind === 'unknown') return 'Genotype incomplete';
  if (zygosity.kind !== 'heteroplasmic') {
    return zygosity.kind.charAt(0).toUpperCase() + zygosity.kind.slice(1);
  }
  return zygosity.fraction === null
    ? 'Allele fraction unknown'
    : `Allele fraction ${shareText(zygosity.fraction, MT_LIMITS)}`;
}

/** `depth 41, 49 % ALT`. */
export function readsText(finding: Pick<Finding, 'depth' | 'alleleFraction' | 'zygosity'>): string {
  const depth = finding.depth === null ? 'depth unknown' : `depth ${grouped(finding.depth)}`;
  if (finding.alleleFraction === null || finding.zygosity.kind === 'heteroplasmic') return depth;
  return `${depth}, ${percent(finding.alleleFraction, 0)} ALT`;
}

export const NUMT_CAVEAT =
  'Mitochondrial variants are given as the fraction of reads that carry the allele, never as a ' +
  'genotype: a cell holds many copies. Reads from nuclear copies of mitochondrial sequence ' +
  '(NUMTs) can align here and look like variants of low fraction; fractions below 10 % need an ' +
  'independent method.';

export const GLOSSARY: readonly (readonly [term: string, meaning: string])[] = [
  ['Allele fraction', 'Share of the reads at a position that carry the ALT allele.'],
  ['Breadth', 'Share of the bases that are covered at least so many times.'],
  ['ClinVar', 'Public archive of variant classifications kept by the NCBI; each is quoted as is.'],
  ['Depth', 'Number of reads that cover a position, after duplicates are set aside.'],
  ['FILTER', 'Confidence tier of a call; PASS met every filter named under Methods.'],
  ['gnomAD AF', 'Allele frequency in the gnomAD reference population; – where it is not listed.'],
  ['HGVS', 'Standard notation of a change in the transcript (c.) and in the protein (p.).'],
  ['Phred quality', 'Q = −10·log10(error probability): Q30 is one error in 1,000.'],
  ['Review stars', 'ClinVar’s measure of review, 0 (no criteria) to 4 (practice guideline).'],
  ['Ti/Tv', 'Transitions over transversions; far from its expected range, many calls are errors.'],
  [
    'Zygosity',
    'Heterozygous: one copy carries the allele; homozygous: both; hemizygous: the only.',
  ],
];

/** Which categories always stand in the report, even empty. */
export const LEADING_CATEGORIES: readonly FindingCategory[] = ['pathogenic', 'likely pathogenic'];

export const NOTHING_FOUND =
  'No variant classified pathogenic or likely pathogenic by ClinVar was found in the regions ' +
  'covered.';
export const CLINVAR_NOT_USED =
  'ClinVar was not given for this analysis, so no classification can be quoted. The absence of a ' +
  'classified variant means nothing here.';

function countOf(model: ReportModel, category: FindingCategory): number {
  return model.findings.groups.find((group) => group.category === category)?.total ?? 0;
}

/** True where ClinVar calls at least one variant pathogenic or likely pathogenic. */
export function hasPathogenic(model: ReportModel): boolean {
  return LEADING_CATEGORIES.some((category) => countOf(model, category) > 0);
}

/** The first sentence of the report. */
export function headline(model: ReportModel): string {
  if (!model.findings.sources.clinvar) return CLINVAR_NOT_USED;
  const pathogenic = countOf(model, 'pathogenic');
  const likely = countOf(model, 'likely pathogenic');
  if (pathogenic + likely === 0) return NOTHING_FOUND;
  const parts = [
    ...(pathogenic > 0 ? [`${plural(pathogenic, 'pathogenic variant')}`] : []),
    ...(likely > 0 ? [`${plural(likely, 'likely pathogenic variant')}`] : []),
  ];
  return `${parts.join(' and ')} reported by ClinVar`;
}

/** What stands under the headline. */
export function subline(model: ReportModel): string {
  const { counts, sources } = model.findings;
  const first = leadVariants(model).slice(0, 3).map(shortName);
  const called =
    `${plural(counts.total, 'variant')} called (${grouped(counts.snv)} SNV, ` +
    `${grouped(counts.indel)} indel)` +
    `${sources.clinvar ? `, ${grouped(counts.inClinvar)} with a ClinVar record` : ''}.`;
  const quality = qualitySentence(model);
  const told = first.length === 0 ? [called] : [`${first.join('; ')}.`, called];
  return [...told, ...(quality === null ? [] : [quality])].join(' ');
}

/** Gene, c. and p., each cut where it is long; the table has them whole. */
function shortName({ gene, hgvsC, hgvsP }: Finding): string {
  return [gene, hgvsC, hgvsP]
    .filter((part) => part !== null)
    .map((part) => clipped(hgvs(part), MAX_HEADLINE_LETTERS))
    .join(' ');
}

function leadVariants(model: ReportModel): readonly Finding[] {
  return model.findings.groups
    .filter((group) => LEADING_CATEGORIES.includes(group.category))
    .flatMap((group) => group.findings);
}

export function plural(count: number, noun: string): string {
  return `${grouped(count)} ${noun}${count === 1 ? '' : 's'}`;
}

/** Groups that have something to show, in the report's order. */
export function shownGroups(model: ReportModel): readonly FindingGroup[] {
  return model.findings.groups.filter((group) => group.findings.length > 0);
}

/** What was examined for regions of low coverage. */
export const LOW_COVERAGE_SCOPES: Readonly<Record<LowCoverageScope, string>> = {
  'coding exons': 'the coding exons of all genes',
  'coding exons of covered genes': 'the coding exons of genes that the reads reach',
  contigs: 'the contigs',
};

/** `20× (10× where one copy is expected)`. */
export function thresholdText(
  low: Pick<LowCoverage, 'thresholdDepth' | 'haploidThresholdDepth'>,
): string {
  return `${low.thresholdDepth}× (${low.haploidThresholdDepth}× where one copy is expected)`;
}

/** What was left out of a group, or null. */
export function unlistedText(unlisted: number): string | null {
  return unlisted === 0 ? null : `${grouped(unlisted)} more are in the VCF and not listed here.`;
}

export function sexText(sex: ReportModel['sample']['sex']): string {
  if (sex.karyotype === 'XX' || sex.karyotype === 'XY') return `${sex.karyotype} (${sex.basis})`;
  return sex.karyotype === 'undetermined' ? 'Undetermined' : 'Not applicable';
}

/** How the sample was read, and how much of the reference: what it was meant to cover is not known. */
export function sequencingText({ layout, coveredFraction }: ReportModel['sample']): string {
  const ends = layout === 'paired' ? 'Paired-end' : 'Single-end';
  return `${ends}, ${shareText(coveredFraction, [0, 1])} of the reference covered`;
}

/** Names the figures outside their limits, or null where all are inside. */
export function qualitySentence(model: ReportModel): string | null {
  const worse = model.qc.metrics.filter(({ verdict }) => verdict === 'warn' || verdict === 'fail');
  if (worse.length === 0) return null;
  const named = worse.slice(0, 3).map((metric) => metric.label.toLowerCase());
  const more = worse.length > named.length ? ` and ${worse.length - named.length} more` : '';
  return `Outside its quality limit: ${named.join(', ')}${more}.`;
}

/** The tiles of the summary: label and value. */
export function keyFigures(model: ReportModel): readonly (readonly [string, string])[] {
  const isSpread = model.sample.coveredFraction >= SPREAD_FRACTION;
  return [
    ['Quality control', VERDICT_WORDS[model.qc.verdict]],
    [
      isSpread ? 'Mean depth' : 'Mean depth where covered',
      model.qc.meanDepth === null ? NO_VALUE : depthText(model.qc.meanDepth),
    ],
    ['Sex chromosomes', sexText(model.sample.sex)],
    ['Variant caller', model.caller.name],
  ];
}
