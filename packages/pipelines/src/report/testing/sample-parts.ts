/** What the steps before the report would leave behind, invented: for tests of the last step. */
import type { Digest, SampleId, TaskKey } from '@helixmesh/protocol';
import type { ReportInputs } from '../../germline/analysis-parts.ts';
import type { GermlineInput } from '../../germline/input.ts';
import { QC_FORMAT_VERSION, type QcModel } from '../../germline/qc-model.ts';
import type { VariantsModel } from '../../germline/variants-model.ts';
import type { TaskResult } from '../../task/spec.ts';
import { sampleModel } from './sample-model.ts';
import { sampleContigs, sampleQc } from './sample-qc.ts';

const hex = (digit: string) => `sha256:${digit.repeat(64)}`;
const digest = (digit: string) => hex(digit) as Digest;

function taskOf(digit: string, ...names: readonly string[]): TaskResult {
  const record = { digest: digest(digit), sizeBytes: 1 };
  return {
    key: hex(digit) as TaskKey,
    outputs: Object.fromEntries(names.map((name) => [name, record])),
  };
}

/** Of a genome of three contigs with ClinVar and nothing else. */
export function sampleReportInputs(): ReportInputs {
  const { sample, caller } = sampleModel();
  const reads = { reads: 400, bases: 60_000, maxLength: 150, compression: 'gzip' } as const;
  const decision = {
    formatVersion: 1,
    meanDepth: 35,
    callableDepth: 36,
    readsAligned: 800,
  } as const;
  return {
    input: sampleInput(),
    intake: { r1: { ...reads, digest: digest('1') }, r2: { ...reads, digest: digest('2') } },
    decision: { ...decision, sex: sample.sex },
    choice: { caller: 'freebayes', reason: caller.reason },
    aligned: taskOf('3', 'aligned.bam', 'aligned.bam.bai', 'qc.json'),
    lowCoverage: taskOf('8', 'low-coverage.json', 'low-coverage.bed'),
    filtered: taskOf('4', 'filtered.vcf.gz', 'variants.json'),
    annotated: taskOf('5', 'annotated.vcf.gz', 'findings.json'),
    nowMs: Date.UTC(2026, 2, 14, 9, 26, 53, 589),
  };
}

function sampleInput(): GermlineInput {
  const names = ['ref.fa', 'ref.fa.fai', 'clinvar.vcf.gz', 'clinvar.vcf.gz.tbi'];
  const bwa = ['amb', 'ann', 'bwt', 'pac', 'sa'].map((end) => `ref.fa.${end}`);
  const file = (name: string) => ({
    name,
    digest: digest('6'),
    sizeBytes: 1,
    location: `/x/${name}`,
  });
  return {
    sampleId: 'S1' as SampleId,
    reads: { r1: file('S1_R1.fastq.gz'), r2: file('S1_R2.fastq.gz') },
    reference: {
      name: 'three',
      digest: digest('7'),
      contigs: ['chr1', 'chr2', 'chrX'].map((name) => ({ name, lengthBases: 100_000 })),
      par: [],
      files: Object.fromEntries([...names, ...bwa].map((name) => [name, file(name)])),
    },
    parameters: { aligner: 'bwa', caller: 'auto', sex: 'infer', shardTargetBases: 5_000_000 },
    toolVersions: Object.fromEntries(
      ['fastp', 'bwa', 'samtools', 'bcftools', 'tabix', 'freebayes'].map((name) => [name, '1.0']),
    ),
  };
}

export function sampleQcFile(): QcModel {
  const { verdict, metrics, plots, meanDepth } = sampleQc();
  const reads = { reads: 800, bases: 120_000, q20Fraction: 0.97, q30Fraction: 0.93 };
  const side = { ...reads, gcFraction: 0.41, meanLength1: 150, meanLength2: 150 };
  const cycle = {
    quality: plots.qualityByCycle?.read1 ?? [],
    gcFraction: plots.gcByCycle?.read1 ?? [],
    nFraction: [],
  };
  return {
    format: 'helixmesh.alignment-qc',
    formatVersion: QC_FORMAT_VERSION,
    layout: 'paired',
    verdict,
    metrics,
    reads: { before: side, after: side },
    filtered: {
      lowQuality: 0,
      tooManyN: 0,
      tooShort: 0,
      adapterTrimmedReads: 0,
      adapterTrimmedBases: 0,
    },
    cycles: { read1: cycle, read2: cycle },
    duplication: { fastpFraction: 0.06, markdupFraction: 0.08, estimatedLibrarySize: null },
    alignment: {
      primary: 800,
      primaryMapped: 799,
      secondary: 0,
      supplementary: 0,
      properlyPaired: 790,
      mismatchFraction: 0.004,
    },
    insertSize: {
      histogram: { start: 0, binWidth: 100, counts: [0, 1, 5, 9, 4] },
      medianBases: 340,
      meanBases: 333,
    },
    coverage: {
      meanDepth: meanDepth ?? 0,
      callableDepth: 36.4,
      breadth: [
        { depth: 1, fraction: 0.99 },
        { depth: 10, fraction: 0.98 },
      ],
      depthHistogram: { start: 0, binWidth: 1, counts: [10, 0, 30, 60] },
      contigs: sampleContigs().map((contig) => ({ ...contig, breadth1: 0.99 })),
      unlistedContigs: 0,
    },
    sex: sampleModel().sample.sex,
  };
}

export function sampleVariantsFile(): VariantsModel {
  return {
    formatVersion: 1,
    caller: 'freebayes',
    total: 310,
    passed: 300,
    snv: 306,
    indel: 4,
    mnv: 0,
    transitions: 206,
    transversions: 100,
    tiTv: 2.06,
    genotypes: { heterozygous: 200, homozygous: 105, hemizygous: 4, fraction: 1 },
    hetHom: 1.9048,
    alleleBalance: { histogram: { start: 0, binWidth: 0.5, counts: [90, 110] }, calls: 200 },
    dropped: { lowQuality: 5, notCarried: 0, lowFraction: 0 },
    contigs: [],
  };
}
