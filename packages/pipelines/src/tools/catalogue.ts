/**
 * The outside programs that steps may use: how each is started, how it tells its version and which
 * Debian package brings it. `helixmesh` stands for the functions of this package (builtins).
 *
 * Pure data and pure functions; `probe.ts` asks the machine.
 */
export const TOOL_NAMES = [
  'fastp',
  'bwa',
  'minimap2',
  'samtools',
  'bcftools',
  'tabix',
  'bgzip',
  'freebayes',
  'snpeff',
  'helixmesh',
] as const;
export type ToolName = (typeof TOOL_NAMES)[number];
/** A tool that is a program of the machine. */
export type ExternalToolName = Exclude<ToolName, 'helixmesh'>;
export const EXTERNAL_TOOL_NAMES: readonly ExternalToolName[] = TOOL_NAMES.filter(
  (name) => name !== 'helixmesh',
);

/**
 * The version of all builtins together. It stands in `toolVersions.helixmesh` and so in the key of
 * every task that uses one: raise it whenever a builtin's output can change.
 */
export const BUILTIN_VERSION = '2';

/** SnpEff's heap; a whole-genome database of GRCh38 genes loads in under 3 GiB. */
const SNPEFF_HEAP_MIB = 4096;
export const SNPEFF_JAR_VARIABLE = 'HELIXMESH_SNPEFF_JAR';
const SNPEFF_JARS = ['/usr/share/java/snpeff.jar', '/usr/share/java/snpeff-5.1.jar'];

export interface ToolEntry {
  /** Executable, looked up in PATH. */
  readonly executable: string;
  /** Fixed arguments before the step's own, with `{jar}` for the file found. */
  readonly prefix: readonly string[];
  /** Files of which the first that exists stands for `{jar}`; empty when none is needed. */
  readonly files: readonly string[];
  /** Environment variable that names the file instead. */
  readonly fileVariable?: string;
  readonly versionArgs: readonly string[];
  /** Group 1 is the version in what the probe printed on either stream. */
  readonly versionPattern: RegExp;
  readonly minimumVersion: string;
  readonly debianPackages: readonly string[];
  readonly purpose: string;
}

export const TOOL_CATALOGUE: Readonly<Record<ExternalToolName, ToolEntry>> = {
  fastp: plain('fastp', {
    versionPattern: /^fastp (\d[\w.-]*)/m,
    minimumVersion: '0.23.2',
    purpose: 'trims adapters and filters reads',
  }),
  // Prints usage with its version on stderr and exits 1.
  bwa: plain('bwa', {
    versionArgs: [],
    versionPattern: /^Version: (\d[\w.-]*)/m,
    minimumVersion: '0.7.17',
    purpose: 'aligns short reads',
  }),
  minimap2: plain('minimap2', {
    versionPattern: /^(\d[\w.-]*)/m,
    minimumVersion: '2.24',
    purpose: 'aligns short reads (alternative)',
  }),
  samtools: plain('samtools', {
    versionPattern: /^samtools (\d[\w.-]*)/m,
    minimumVersion: '1.16',
    purpose: 'sorts, marks duplicates and indexes alignments',
  }),
  bcftools: plain('bcftools', {
    versionPattern: /^bcftools (\d[\w.-]*)/m,
    minimumVersion: '1.16',
    purpose: 'calls, normalises and annotates variants',
  }),
  tabix: plain('tabix', {
    versionPattern: /^tabix \(htslib\) (\d[\w.-]*)/m,
    minimumVersion: '1.16',
    purpose: 'indexes compressed tables',
  }),
  // A file of the package tabix; Debian 12 has no package of this name.
  bgzip: plain('bgzip', {
    versionPattern: /^bgzip \(htslib\) (\d[\w.-]*)/m,
    minimumVersion: '1.16',
    debianPackages: ['tabix'],
    purpose: 'compresses tables in blocks',
  }),
  freebayes: plain('freebayes', {
    versionPattern: /^version:\s+v?(\d[\w.-]*)/m,
    minimumVersion: '1.3.6',
    purpose: 'calls variants by haplotype',
  }),
  // Debian's wrapper `snpEff` prints its arguments on stdout before the VCF, so the jar is run.
  snpeff: plain('java', {
    prefix: [
      `-Xmx${SNPEFF_HEAP_MIB}m`,
      '-XX:+UseSerialGC',
      '-XX:-UsePerfData',
      '-Djava.awt.headless=true',
      '-jar',
      '{jar}',
    ],
    files: SNPEFF_JARS,
    fileVariable: SNPEFF_JAR_VARIABLE,
    versionArgs: ['-version'],
    versionPattern: /^SnpEff\s+(\d[\w.-]*)/m,
    minimumVersion: '5.1',
    debianPackages: ['snpeff'],
    purpose: 'predicts the effect of variants on genes',
  }),
};

interface EntryFields extends Partial<ToolEntry> {
  readonly versionPattern: RegExp;
  readonly minimumVersion: string;
  readonly purpose: string;
}

function plain(executable: string, fields: EntryFields): ToolEntry {
  return {
    executable,
    prefix: [],
    files: [],
    versionArgs: ['--version'],
    debianPackages: [executable],
    ...fields,
  };
}

/** The version in a probe's output, or null when there is none. */
export function parseToolVersion(name: ExternalToolName, output: string): string | null {
  return TOOL_CATALOGUE[name].versionPattern.exec(output)?.[1] ?? null;
}

/** Orders by dotted numbers; letters and what follows a dash do not count (`5.1d` is `5.1`). */
export function compareVersions(left: string, right: string): number {
  const a = numbers(left);
  const b = numbers(right);
  for (let i = 0; i < Math.max(a.length, b.length); i++) {
    const difference = (a[i] ?? 0) - (b[i] ?? 0);
    if (difference !== 0) return difference;
  }
  return 0;
}

function numbers(version: string): readonly number[] {
  const head = version.split('-')[0] ?? '';
  return head.split('.').map((part) => Number.parseInt(part, 10) || 0);
}

/** The command that installs what `names` need on Debian and Ubuntu. */
export function installCommand(names: readonly ExternalToolName[]): string {
  const packages = new Set(names.flatMap((name) => TOOL_CATALOGUE[name].debianPackages));
  return `sudo apt-get install -y ${[...packages].join(' ')}`;
}
