/**
 * The annotation of one sample's calls as a task: consequences by `bcftools csq`, HGVS c. and p. by
 * SnpEff on the bundle's own gene models, then ClinVar, dbSNP and gnomAD by `bcftools annotate`,
 * and `findings.json`, the variants of interest.
 *
 * `bcftools annotate` reads both of its files through their indexes, so the calls are written and
 * indexed before each source. Alleles are split and left-aligned first, as the sources are: a match
 * is one of contig, position, REF and ALT. csq takes every genotype as phased (`-p a`) and leaves
 * out what has no complete one; SnpEff looks at alleles alone and covers those. The stages speak
 * VCF text: as BCF, bcftools turns a FILTER that the header does not define into another one.
 */
import { AppError, type Digest, type TaskKey } from '@helixmesh/protocol';
import {
  SNPEFF_CONFIG,
  SNPEFF_FOLDER,
  SNPEFF_GENOME,
  snpeffConfig,
} from '../reference/snpeff-config.ts';
import type { Command, FileInput, Stage, TaskInput, TaskSpec } from '../task/spec.ts';
import type { ToolName } from '../tools/catalogue.ts';
import type { AnnotationSources } from './findings.ts';
import type { ReferenceBundle } from './input.ts';

/** Outputs of the task. */
export const ANNOTATED_VCF = 'annotated.vcf.gz';
export const ANNOTATED_INDEX = 'annotated.vcf.gz.tbi';
export const FINDINGS_FILE = 'findings.json';

const CALLS = 'calls.vcf.gz';
const BCFTOOLS_MIB = 1_024;
/** SnpEff's heap of the tool catalogue and what Java needs besides. */
const SNPEFF_MIB = 5_120;

/** Removed from the calls before annotating, so that only the bundle's sources speak. */
const STRIPPED = [
  'ID',
  ...['CLNVID', 'CLNSIG', 'CLNSIGCONF', 'CLNREVSTAT', 'CLNDN', 'CLNHGVS', 'CLNVC', 'GENEINFO'],
  ...['RS', 'GNOMAD_AF', 'ANN', 'LOF', 'NMD', 'BCSQ'],
].map((tag) => (tag === 'ID' ? tag : `INFO/${tag}`));

/** `bcftools annotate -c` for each source. */
const COLUMNS = {
  clinvar:
    'INFO/CLNVID:=ID,INFO/CLNSIG,INFO/CLNSIGCONF,INFO/CLNREVSTAT,INFO/CLNDN,INFO/CLNHGVS,' +
    'INFO/CLNVC,INFO/GENEINFO,INFO/RS',
  dbsnp: 'ID',
  gnomad: 'INFO/GNOMAD_AF:=INFO/AF',
} as const;

export interface AnnotateOptions {
  /** The merged calls: bgzip-compressed VCF of one sample. */
  readonly calls: { readonly task: TaskKey; readonly output: string; readonly digest: Digest };
  readonly reference: ReferenceBundle;
  /** Exact versions on this machine; of these the used ones enter the key. */
  readonly toolVersions: Readonly<Record<string, string>>;
}

/** Which annotations this bundle allows. */
export function annotationSources(reference: ReferenceBundle): AnnotationSources {
  const has = (file: string) => reference.files[file] !== undefined;
  return {
    clinvar: has('clinvar.vcf.gz'),
    dbsnp: has('dbsnp.vcf.gz'),
    gnomad: has('gnomad.vcf.gz'),
    consequences: has('genes.gff3.gz'),
    hgvs: has(`${SNPEFF_FOLDER}/${SNPEFF_GENOME}/snpEffectPredictor.bin`),
  };
}

/** Makes ANNOTATED_VCF, ANNOTATED_INDEX and FINDINGS_FILE. */
export function annotateStep(options: AnnotateOptions): TaskSpec {
  const { reference } = options;
  const sources = annotationSources(reference);
  const { calls } = options;
  const inputs: TaskInput[] = [
    { kind: 'output', name: CALLS, digest: calls.digest, task: calls.task, output: calls.output },
    ...bundleInputs(reference, sources),
  ];
  const kinds = (['clinvar', 'dbsnp', 'gnomad'] as const).filter((kind) => sources[kind]);
  // The last one to write makes the output.
  const written = ['effects', ...kinds.map((kind) => `with-${kind}`)];
  const files = [...written.slice(0, -1).map((name) => `${name}.vcf.gz`), ANNOTATED_VCF];
  const [effects = ANNOTATED_VCF] = files;
  const commands: Command[] = [effectsCommand(sources, effects), index(effects)];
  for (const [i, kind] of kinds.entries()) {
    const [from = '', to = ''] = files.slice(i);
    const args = ['annotate', '-a', `${kind}.vcf.gz`, '-c', COLUMNS[kind], '--no-version'];
    commands.push(tools([{ tool: 'bcftools', args: [...args, '-Oz', '-o', to, from] }]), index(to));
  }
  commands.push({
    kind: 'builtin',
    name: 'extract-findings',
    args: { calls: ANNOTATED_VCF, findings: FINDINGS_FILE, sources: { ...sources } },
  });
  return {
    name: 'annotate',
    pool: 'annotate',
    inputs,
    commands,
    outputs: [
      { name: ANNOTATED_VCF, format: 'vcf', retention: 'result' },
      { name: ANNOTATED_INDEX, format: 'index', retention: 'result' },
      { name: FINDINGS_FILE, format: 'json', retention: 'result' },
    ],
    toolVersions: usedVersions(options.toolVersions, sources.hgvs),
    // The stages before SnpEff and its compiler work beside it.
    resources: { cores: 2, memoryMib: sources.hgvs ? SNPEFF_MIB : BCFTOOLS_MIB },
  };
}

function bundleInputs(
  reference: ReferenceBundle,
  sources: AnnotationSources,
): readonly TaskInput[] {
  const names = ['ref.fa', 'ref.fa.fai'];
  if (sources.consequences) names.push('genes.gff3.gz');
  for (const kind of ['clinvar', 'dbsnp', 'gnomad'] as const) {
    if (sources[kind]) names.push(`${kind}.vcf.gz`, `${kind}.vcf.gz.tbi`);
  }
  if (!sources.hgvs) return names.map((name) => bundleFile(reference, name));
  const database = Object.keys(reference.files)
    .filter((name) => name.startsWith(`${SNPEFF_FOLDER}/`) && name !== SNPEFF_CONFIG)
    .sort();
  // SnpEff looks for its data beside what a link to the configuration points at, so it is a text.
  const text = snpeffConfig(reference.contigs);
  return [
    ...[...names, ...database].map((name) => bundleFile(reference, name)),
    { kind: 'text', name: SNPEFF_CONFIG, text },
  ];
}

function bundleFile(reference: ReferenceBundle, name: string): FileInput {
  const file = reference.files[name];
  if (file === undefined) {
    throw new AppError('REFERENCE_CORRUPT', `the reference bundle has no ${name}`, {
      hint: 'Add the reference again with `helixmesh reference add`.',
    });
  }
  return { kind: 'file', name, digest: file.digest, location: file.location };
}

function effectsCommand(sources: AnnotationSources, to: string): Command {
  const strip = ['annotate', '-x', STRIPPED.join(','), '--no-version'];
  const split = ['norm', '-f', 'ref.fa', '-m', '-any', '-c', 'w', '--no-version', '-Ov', CALLS];
  const stages: Stage[] = [{ tool: 'bcftools', args: split }];
  const isText = sources.consequences || sources.hgvs;
  stages.push({ tool: 'bcftools', args: [...strip, isText ? '-Ov' : '-Oz', '-'] });
  if (sources.consequences) {
    const models = ['-p', 'a', '-f', 'ref.fa', '-g', 'genes.gff3.gz'];
    stages.push({ tool: 'bcftools', args: ['csq', ...models, '--no-version', '-Ov', '-'] });
  }
  if (sources.hgvs) {
    const quiet = ['-noStats', '-noLog', '-nodownload'];
    const near = ['-no-downstream', '-no-upstream', '-no-intergenic'];
    const args = ['ann', ...quiet, ...near, '-c', SNPEFF_CONFIG, SNPEFF_GENOME];
    stages.push({ tool: 'snpeff', args });
  }
  if (isText) stages.push({ tool: 'bcftools', args: ['view', '--no-version', '-Oz', '-'] });
  return { kind: 'tools', stages, stdout: to };
}

function index(file: string): Command {
  return tools([{ tool: 'bcftools', args: ['index', '-f', '-t', file] }]);
}

function tools(stages: readonly Stage[]): Command {
  return { kind: 'tools', stages };
}

function usedVersions(
  versions: Readonly<Record<string, string>>,
  usesSnpeff: boolean,
): Partial<Record<ToolName, string>> {
  const used: ToolName[] = ['bcftools', 'helixmesh', ...(usesSnpeff ? ['snpeff' as const] : [])];
  return Object.fromEntries(used.map((tool) => [tool, versions[tool] ?? '']));
}
