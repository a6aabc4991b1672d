/** Joins qc.json, variants.json, findings.json and the context into the report model. Pure. */
import type { Findings } from '../germline/findings.ts';
import { LOW_CONFIDENCE_QUAL, MT_NUMT_FRACTION } from '../germline/limits.ts';
import { coveredFraction, isSpread, type QcModel } from '../germline/qc-model.ts';
import type { VariantsModel } from '../germline/variants-model.ts';
import { MAX_SERIES_POINTS } from './limits.ts';
import { parseReportModel, REPORT_FORMAT_VERSION, type ReportModel } from './model.ts';
import type { LowCoverageScope } from './model-low-coverage.ts';
import type { PlotData, ReportQc } from './model-qc.ts';
import { TI_TV_EXPECTED, TI_TV_SOURCE } from './plots/ti-tv.ts';
import type { ReportContext } from './report-context.ts';
import { thresholdText } from './words.ts';

export interface ReportParts {
  readonly context: ReportContext;
  readonly qc: QcModel;
  readonly variants: VariantsModel;
  readonly findings: Findings;
  /** Null where regions of low coverage were not looked for. */
  readonly lowCoverage: ReportModel['lowCoverage'];
}

/** The checked model. INPUT_MALFORMED when the parts do not make one. */
export function toReportModel(parts: ReportParts): ReportModel {
  const { context, qc, findings, lowCoverage } = parts;
  return parseReportModel({
    format: 'helixmesh.germline-report',
    formatVersion: REPORT_FORMAT_VERSION,
    provenanceDigest: context.provenanceDigest,
    reportedAt: context.reportedAt,
    sample: { ...context.sample, layout: qc.layout, coveredFraction: coveredFraction(qc.coverage) },
    reference: context.reference,
    caller: context.caller,
    findings,
    qc: reportQc(parts),
    lowCoverage,
    methods: context.methods,
    limitations: limitationsOf(parts),
  } satisfies ReportModel);
}

function reportQc({ qc, variants }: ReportParts): ReportQc {
  return {
    verdict: qc.verdict,
    meanDepth: isSpread(qc.coverage) ? qc.coverage.meanDepth : qc.coverage.callableDepth,
    metrics: [
      ...qc.metrics,
      {
        id: 'ti-tv',
        label: 'Ti/Tv of the SNVs',
        value: variants.tiTv,
        unit: 'ratio',
        verdict: null,
        threshold: TI_TV_EXPECTED,
        limits: null,
        source: TI_TV_SOURCE,
      },
      {
        id: 'het-hom',
        label: 'Heterozygous to homozygous calls',
        value: variants.hetHom,
        unit: 'ratio',
        verdict: null,
        threshold: null,
        limits: null,
        source: null,
      },
    ],
    plots: plotData(qc, variants),
  };
}

function plotData(qc: QcModel, variants: VariantsModel): PlotData {
  const { read1, read2 } = qc.cycles;
  const cut = (series: readonly number[]) => series.slice(0, MAX_SERIES_POINTS);
  const { transitions, transversions } = variants;
  return {
    qualityByCycle: { read1: cut(read1.quality), read2: read2 && cut(read2.quality) },
    gcByCycle: { read1: cut(read1.gcFraction), read2: read2 && cut(read2.gcFraction) },
    coverageByContig: qc.coverage.contigs.map(({ refName, lengthBases, meanDepth }) => ({
      refName,
      lengthBases,
      meanDepth,
    })),
    insertSize: qc.insertSize && {
      histogram: qc.insertSize.histogram,
      medianBases: qc.insertSize.medianBases,
    },
    breadth: breadthCurve(qc),
    tiTv: variants.tiTv === null ? null : { ratio: variants.tiTv, transitions, transversions },
    alleleBalance: variants.alleleBalance.calls === 0 ? null : variants.alleleBalance,
  };
}

/** From the histogram of depths: share of the bases at least so deep. */
function breadthCurve({ coverage }: QcModel): PlotData['breadth'] {
  const { start, binWidth, counts } = coverage.depthHistogram;
  const total = counts.reduce((sum, count) => sum + count, 0);
  if (total === 0) return null;
  let left = total;
  const points: { depth: number; fraction: number }[] = [];
  for (const [index, count] of counts.entries()) {
    const fraction = Math.max(0, left / total);
    points.push({ depth: start + index * binWidth, fraction });
    left -= count;
    // The long tail of few deep bases would flatten the curve.
    if (fraction < 0.005) break;
  }
  return points.slice(0, MAX_SERIES_POINTS);
}

/** Where regions of low coverage are not looked for. */
const UNEXAMINED: Readonly<Record<LowCoverageScope, string>> = {
  'coding exons':
    'They are looked for in coding exons; introns with their splice sites, untranslated and other ' +
    'regions can be thinly covered too.',
  'coding exons of covered genes':
    'They are looked for in the coding exons of genes that the reads reach; of a gene without ' +
    'reads it cannot be told whether the assay aims at it.',
  contigs: 'They are looked for in the chromosomes, where the reference is known.',
};

/** What the analysis cannot say. True of every run, and then of this one. */
export function limitationsOf({
  findings,
  lowCoverage,
}: Pick<ReportParts, 'findings' | 'lowCoverage'>): string[] {
  const { sources } = findings;
  return [
    'Only small variants are reported: substitutions and short insertions and deletions. Copy ' +
      'number variants, structural variants, repeat expansions and mobile elements are not ' +
      'examined.',
    'Regions that are repeated in the genome, of extreme G+C content or otherwise hard to align ' +
      'can hide variants or show false ones.',
    lowCoverage === null
      ? 'Where too few reads cover a position, a variant can be missed; the figures on breadth ' +
        'tell how much of the reference that is.'
      : `Regions covered less than ${thresholdText(lowCoverage)} are listed; the absence of a ` +
        `finding in them says nothing. ${UNEXAMINED[lowCoverage.scope]}`,
    'A change of several neighbouring bases that was called as one is looked up in the databases ' +
      'as that one; a record of a part of it is not found.',
    'Phase is unknown: whether two heterozygous variants of a gene lie on the same copy or on ' +
      'different ones is not determined.',
    'Mosaic variants of low fraction are not looked for outside the mitochondrial genome.',
    sources.clinvar
      ? 'Classifications are quoted from the named release of ClinVar at exactly the same ' +
        'position and alleles. They are not made or reviewed here, and can change with later ' +
        'releases.'
      : 'No ClinVar file was given, so no classification is quoted.',
    ...(sources.gnomad ? [] : ['No gnomAD file was given, so frequencies are not known.']),
    ...(sources.hgvs
      ? ['HGVS names refer to the transcript shown; other transcripts can give other names.']
      : ['No gene models were given for HGVS names, so variants are named by position only.']),
    `Calls with the filter LowConf have a quality of at most Q${LOW_CONFIDENCE_QUAL} (or, on the ` +
      `mitochondrial contig, a fraction below ${MT_NUMT_FRACTION * 100} %) and are more often ` +
      'false.',
    'No finding was confirmed by an independent method. A finding that matters needs ' +
      'confirmation and interpretation by a qualified professional.',
  ];
}
