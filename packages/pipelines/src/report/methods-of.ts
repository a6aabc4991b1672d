/** The methods of a germline run, from the very specifications that ran: tools and commands. */
import type { Findings } from '../germline/findings.ts';
import type { GermlineInput } from '../germline/input.ts';
import {
  COVERAGE_MIN_BASE_QUALITY,
  COVERAGE_MIN_MAPPING_QUALITY,
  LOW_COVERAGE_DEPTH,
  LOW_COVERAGE_HAPLOID_DEPTH,
} from '../germline/limits.ts';
import type { TaskSpec } from '../task/spec.ts';
import type { ReportMethods } from './model.ts';

export interface MethodSpecs {
  readonly align: TaskSpec;
  /** One shard's; the others differ in their region only. */
  readonly call: TaskSpec;
  readonly lowCoverage: TaskSpec;
  readonly filter: TaskSpec;
  readonly annotate: TaskSpec;
}

export function methodsOf(
  specs: MethodSpecs,
  reference: GermlineInput['reference'],
  sources: Findings['sources'],
): ReportMethods {
  return {
    steps: [
      step('Alignment and read quality', specs.align, ALIGN_TEXT),
      step('Regions of low coverage', specs.lowCoverage, LOW_COVERAGE_TEXT),
      step('Variant calling', specs.call, CALL_TEXT),
      step('Filtering', specs.filter, FILTER_TEXT),
      step('Annotation', specs.annotate, ANNOTATE_TEXT),
    ],
    sources: SOURCES.filter(({ kind }) => sources[kind]).flatMap(
      ({ kind, file, name, usedFor }) => {
        const entry = reference.files[file];
        const release = reference.releases?.[kind === 'consequences' ? 'gff' : kind] ?? null;
        return entry === undefined ? [] : [{ name, release, digest: entry.digest, usedFor }];
      },
    ),
  };
}

const ALIGN_TEXT =
  'Adapters were trimmed and reads filtered (fastp), streamed into the aligner, sorted, and ' +
  'duplicates marked.';
const LOW_COVERAGE_TEXT =
  'Coding exons of the gene models, or contigs where there are none, are searched for bases below ' +
  `${LOW_COVERAGE_DEPTH}×, or ${LOW_COVERAGE_HAPLOID_DEPTH}× where one copy is expected ` +
  '(samtools depth). Duplicates, reads of mapping quality below ' +
  `${COVERAGE_MIN_MAPPING_QUALITY} and bases below Q${COVERAGE_MIN_BASE_QUALITY} do not count, ` +
  'the overlap of two mates counts once, and a read with a deletion covers what it deletes.';
const CALL_TEXT =
  'Regions were called one by one with an overlap, split into alleles, left-aligned, and each ' +
  'call kept by the region that holds its position. The mitochondrial contig is called with ' +
  'freebayes by allele fraction.';
const FILTER_TEXT =
  'Genotypes without the allele were dropped, junk calls too; the others are PASS or LowConf.';
const ANNOTATE_TEXT =
  'Alleles were matched with the sources by contig, position, REF and ALT; consequences are on ' +
  'the gene models of the reference bundle.';

const SOURCES = [
  {
    kind: 'clinvar',
    file: 'clinvar.vcf.gz',
    name: 'ClinVar',
    usedFor: 'Classification, review status and condition, quoted',
  },
  { kind: 'dbsnp', file: 'dbsnp.vcf.gz', name: 'dbSNP', usedFor: 'rs numbers' },
  { kind: 'gnomad', file: 'gnomad.vcf.gz', name: 'gnomAD', usedFor: 'Allele frequencies' },
  {
    kind: 'consequences',
    file: 'genes.gff3.gz',
    name: 'Gene models',
    usedFor: 'Consequences and HGVS names',
  },
] as const;

function step(title: string, spec: TaskSpec, description: string): ReportMethods['steps'][number] {
  const tools = Object.entries(spec.toolVersions)
    .filter(([, version]) => version !== undefined && version !== '')
    .map(([name, version]) => ({
      name: name === 'helixmesh' ? 'helixmesh functions' : name,
      version: version ?? '',
    }));
  return { title, tools, description, command: commandText(spec) };
}

/** The first pipeline of the specification as one would type it, or null. */
function commandText(spec: TaskSpec): string | null {
  const first = spec.commands.find((command) => command.kind === 'tools');
  if (first?.kind !== 'tools' || spec.commands[0]?.kind !== 'tools') return null;
  return first.stages.map(({ tool, args }) => [tool, ...args].join(' ')).join(' | ');
}
