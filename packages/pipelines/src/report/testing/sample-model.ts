/**
 * An invented report with plausible figures, for tests and for looking at the layout. The variants
 * are public ones; the person does not exist.
 */
import {
  FINDING_CATEGORIES,
  type Finding,
  type FindingCategory,
  type Findings,
} from '../../germline/findings.ts';
import { REPORT_FORMAT_VERSION, type ReportModel } from '../model.ts';
import type { LowCoverage } from '../model-low-coverage.ts';
import { limitationsOf } from '../to-report-model.ts';
import { sampleQc } from './sample-qc.ts';

const digest = (digit: string) => `sha256:${digit.repeat(64)}`;

/** A heterozygous call of good quality in no source, changed by `fields`. */
export function sampleFinding(fields: Partial<Finding> = {}): Finding {
  const ref = fields.ref ?? 'C';
  const alt = fields.alt ?? 'T';
  return {
    refName: 'chr17',
    pos1: 43_057_062,
    ref,
    refLength: ref.length,
    alt,
    altLength: alt.length,
    gene: 'BRCA1',
    consequence: 'missense_variant',
    impact: 'MODERATE',
    transcript: 'NM_007294.3',
    hgvsC: null,
    hgvsP: null,
    haplotypeConsequence: null,
    zygosity: { kind: 'heterozygous' },
    genotype: '0/1',
    depth: 38,
    alleleDepths: [19, 19],
    alleleFraction: 0.5,
    quality: 812.4,
    filter: 'PASS',
    rsId: null,
    gnomadFrequency: null,
    clinvar: null,
    category: 'not in ClinVar',
    ...fields,
  };
}

const BRCA1 = sampleFinding({
  ref: 'T',
  alt: 'TG',
  altLength: 2,
  consequence: 'frameshift_variant',
  impact: 'HIGH',
  hgvsC: 'c.5266dupC',
  hgvsP: 'p.Gln1756fs',
  depth: 41,
  alleleDepths: [21, 20],
  alleleFraction: 0.488,
  rsId: 'rs80357906',
  gnomadFrequency: 0.000112,
  category: 'pathogenic',
  clinvar: {
    significance: 'Pathogenic',
    conflict: null,
    reviewStatus: 'reviewed by expert panel',
    stars: 3,
    conditions: [
      'Breast-ovarian cancer, familial, susceptibility to, 1',
      'Hereditary breast ovarian cancer syndrome',
      'Hereditary cancer-predisposing syndrome',
    ],
    variationId: '17677',
    hgvs: 'NC_000017.11:g.43057065dup',
  },
});

const ATM = sampleFinding({
  refName: 'chr11',
  pos1: 108_244_873,
  gene: 'ATM',
  transcript: 'NM_000051.4',
  ref: 'T',
  alt: 'C',
  hgvsC: 'c.2119T>C',
  hgvsP: 'p.Ser707Pro',
  depth: 34,
  alleleFraction: 0.529,
  rsId: 'rs4986761',
  gnomadFrequency: 0.0089,
  category: 'conflicting',
  clinvar: {
    significance: 'Conflicting classifications of pathogenicity',
    conflict: 'Uncertain significance(3)|Benign(11)|Likely benign(9)',
    reviewStatus: 'criteria provided, conflicting classifications',
    stars: 1,
    conditions: ['Ataxia-telangiectasia syndrome', 'Hereditary cancer-predisposing syndrome'],
    variationId: '3041',
    hgvs: null,
  },
});

const PALB2 = sampleFinding({
  refName: 'chr16',
  pos1: 23_629_880,
  gene: 'PALB2',
  transcript: 'NM_024675.4',
  ref: 'C',
  alt: 'G',
  hgvsC: 'c.2014G>C',
  hgvsP: 'p.Glu672Gln',
  depth: 29,
  alleleFraction: 0.448,
  filter: 'LowConf',
  quality: 14.2,
  rsId: 'rs45532440',
  gnomadFrequency: 0.0000041,
  category: 'uncertain significance',
  clinvar: {
    significance: 'Uncertain significance',
    conflict: null,
    reviewStatus: 'criteria provided, multiple submitters, no conflicts',
    stars: 2,
    conditions: ['Familial cancer of breast'],
    variationId: '126627',
    hgvs: null,
  },
});

const CYP2C19 = sampleFinding({
  refName: 'chr10',
  pos1: 94_781_859,
  gene: 'CYP2C19',
  transcript: 'NM_000769.4',
  ref: 'G',
  alt: 'A',
  consequence: 'synonymous_variant',
  impact: 'LOW',
  hgvsC: 'c.681G>A',
  hgvsP: 'p.Pro227=',
  zygosity: { kind: 'homozygous' },
  genotype: '1/1',
  depth: 36,
  alleleFraction: 1,
  rsId: 'rs4244285',
  gnomadFrequency: 0.1532,
  category: 'other ClinVar',
  clinvar: {
    significance: 'drug response',
    conflict: null,
    reviewStatus: 'practice guideline',
    stars: 4,
    conditions: ['clopidogrel response - Efficacy', 'CYP2C19: decreased function'],
    variationId: '16897',
    hgvs: null,
  },
});

const INSERTION = 'ACGTTGCAAGGTCATTGACC'.repeat(16);
const NOVEL: readonly Finding[] = [
  sampleFinding({
    refName: 'chr2',
    pos1: 178_527_233,
    gene: 'TTN',
    transcript: 'NM_001267550.2',
    hgvsC: 'c.107416G>A',
    hgvsP: 'p.Val35806Met',
    depth: 27,
    alleleFraction: 0.407,
    gnomadFrequency: 0.00021,
    rsId: 'rs199761901',
  }),
  sampleFinding({
    refName: 'chrX',
    pos1: 31_478_233,
    gene: 'DMD',
    transcript: 'NM_004006.3',
    ref: 'A',
    alt: `A${INSERTION}`,
    altLength: 321,
    consequence: 'inframe_insertion&splice_region_variant',
    hgvsC: `c.8217_8218ins${INSERTION}`,
    hgvsP: 'p.Lys2740ins',
    depth: 22,
    alleleFraction: 0.364,
  }),
];

const MITOCHONDRIAL: readonly Finding[] = [
  sampleFinding({
    refName: 'chrM',
    pos1: 1555,
    gene: 'MT-RNR1',
    transcript: null,
    ref: 'A',
    alt: 'G',
    consequence: 'non_coding_transcript_exon_variant',
    impact: 'MODIFIER',
    zygosity: { kind: 'heteroplasmic', fraction: 0.182 },
    genotype: '0/1',
    depth: 2841,
    alleleFraction: 0.182,
    rsId: 'rs267606617',
    category: 'other ClinVar',
    clinvar: {
      significance: 'drug response',
      conflict: null,
      reviewStatus: 'reviewed by expert panel',
      stars: 3,
      conditions: ['Aminoglycoside-induced deafness'],
      variationId: '9628',
      hgvs: null,
    },
  }),
];

const LISTED: readonly Finding[] = [BRCA1, ATM, PALB2, CYP2C19, ...NOVEL];

/** Groups of all categories with these findings in them. */
export function sampleGroups(listed: readonly Finding[]): ReportModel['findings']['groups'] {
  return FINDING_CATEGORIES.map((category: FindingCategory) => {
    const findings = listed.filter((finding) => finding.category === category);
    const total = findings.length;
    return { category, total, eligible: total, unlisted: 0, findings };
  });
}

const FINDINGS: Findings = {
  version: 1,
  sources: { clinvar: true, dbsnp: true, gnomad: true, consequences: true, hgvs: true },
  counts: { total: 4_812_377, snv: 3_938_201, indel: 874_176, inClinvar: 31_204 },
  groups: sampleGroups(LISTED),
  mitochondrial: { total: 1, unlisted: 0, findings: [...MITOCHONDRIAL] },
};

const LOW_COVERAGE: LowCoverage = {
  scope: 'coding exons',
  thresholdDepth: 20,
  haploidThresholdDepth: 10,
  examinedBases: 34_806_127,
  totalRegions: 3,
  totalBases: 1_294,
  regions: [
    { refName: 'chr1', start: 145_095_600, end: 145_096_310, meanDepth: 4.1, genes: ['NBPF20'] },
    { refName: 'chr7', start: 74_775_000, end: 74_775_412, meanDepth: 6.7, genes: ['NCF1'] },
    { refName: 'chr5', start: 70_942_301, end: 70_942_473, meanDepth: 2.4, genes: ['SMN1'] },
  ],
};

/** A fresh copy, so that a test can change it. */
export function sampleModel(): ReportModel {
  return structuredClone({
    format: 'helixmesh.germline-report',
    formatVersion: REPORT_FORMAT_VERSION,
    provenanceDigest: 'sha256:3fa91c0b2d4e77a8c5d0916be2f83a4417c9de5b60a2f1389d4c7be0f6125a93',
    reportedAt: '2026-03-14T09:26:53Z',
    sample: {
      id: 'HX-2026-0142',
      layout: 'paired',
      sex: {
        karyotype: 'XX',
        basis: 'inferred',
        xRatio: 0.99,
        yRatio: 0.01,
        reason: 'X is as deep as the autosomes and Y is not covered.',
      },
      coveredFraction: 0.9913,
      inputs: [
        { name: 'HX-2026-0142_R1.fastq.gz', digest: digest('a') },
        { name: 'HX-2026-0142_R2.fastq.gz', digest: digest('b') },
      ],
    },
    reference: {
      name: 'GRCh38 no-alt analysis set',
      digest: digest('c'),
      contigs: 195,
      lengthBases: 3_099_922_541,
    },
    caller: {
      name: 'freebayes',
      version: '1.3.6',
      reason: 'Mean depth of bases covered at least 5× is 36.4×, not below 20×.',
    },
    findings: FINDINGS,
    qc: sampleQc(),
    lowCoverage: LOW_COVERAGE,
    methods: {
      steps: [
        {
          title: 'Read quality',
          tools: [{ name: 'fastp', version: '0.23.2' }],
          description: 'Adapters and bases of low quality were removed; reads were streamed on.',
          command: null,
        },
        {
          title: 'Alignment',
          tools: [
            { name: 'bwa', version: '0.7.17-r1188' },
            { name: 'samtools', version: '1.16.1' },
          ],
          description: 'Reads were aligned, sorted, and duplicates marked.',
          command: 'bwa mem -K 100000000 -Y',
        },
        {
          title: 'Variant calling',
          tools: [
            { name: 'freebayes', version: '1.3.6' },
            { name: 'bcftools', version: '1.16' },
          ],
          description: 'Variants were called by region, left-aligned and filtered.',
          command: 'freebayes --min-mapping-quality 1 --ploidy 2',
        },
        {
          title: 'Annotation',
          tools: [
            { name: 'bcftools', version: '1.16' },
            { name: 'SnpEff', version: '5.1d' },
          ],
          description: 'Alleles were matched by contig, position, REF and ALT.',
          command: null,
        },
      ],
      sources: [
        {
          name: 'ClinVar',
          release: '2026-03-02',
          digest: digest('d'),
          usedFor: 'Classification, review status and condition',
        },
        { name: 'dbSNP', release: 'build 157', digest: digest('e'), usedFor: 'rs numbers' },
        { name: 'gnomAD', release: null, digest: digest('f'), usedFor: 'Allele frequency' },
      ],
    },
    limitations: limitationsOf({ findings: FINDINGS, lowCoverage: LOW_COVERAGE }),
  } satisfies ReportModel) as ReportModel;
}
