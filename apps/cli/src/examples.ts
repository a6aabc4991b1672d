/**
 * Examples for the help of each command. They are data because help, the reference page and the
 * test that executes them (test/cli) all read them; they run in the order in which they stand.
 */
import type { Command } from 'commander';

export interface Example {
  /** Words of the command, e.g. `reference add`. */
  readonly command: string;
  readonly line: string;
}

export const EXAMPLES: readonly Example[] = [
  ...of('doctor', ['helixmesh doctor', 'helixmesh doctor --json']),
  ...of('config print', ['helixmesh config print']),
  ...of('simulate', ['helixmesh simulate --out simulated --contigs 3 --bases 20000 --seed 7']),
  ...of('demo', ['helixmesh demo', 'helixmesh demo --small --out try']),
  ...of('run', [
    'helixmesh run --sample S1 --r1 S1_R1.fastq.gz --r2 S1_R2.fastq.gz --reference ref.fa',
    'helixmesh run --samplesheet samples.csv --reference ref.fa --out results',
  ]),
  ...of('evaluate', [
    'helixmesh evaluate --truth truth.vcf.gz --calls results/S1/S1.vcf.gz --reference ref.fa ' +
      '--confident confident.bed',
  ]),
  ...of('reference add', [
    'helixmesh reference add small --fasta ref.fa --gff genes.gff3 --clinvar clinvar.vcf.gz',
  ]),
  ...of('reference list', ['helixmesh reference list']),
  ...of('reference show', ['helixmesh reference show small']),
  ...of('reference verify', ['helixmesh reference verify small']),
  ...of('up', ['helixmesh up --cores 2', 'helixmesh --data /srv/helixmesh up --log-level warn']),
  ...of('submit', ['helixmesh submit --sample S3 --r1 S1_R1.fastq.gz --reference small']),
  ...of('cancel', ['helixmesh cancel S3']),
  ...of('resume', ['helixmesh resume S3']),
  ...of('status', [
    'helixmesh status S3 --watch',
    'helixmesh status S3 --why',
    'helixmesh status --json',
  ]),
  ...of('logs', ['helixmesh logs S3', 'helixmesh logs S3 --task align']),
  ...of('journal', ['helixmesh journal S3']),
  ...of('report', ['helixmesh report S3', 'helixmesh report S3 --json']),
  ...of('cleanup', ['helixmesh cleanup']),
];

function of(command: string, lines: readonly string[]): Example[] {
  return lines.map((line) => ({ command, line }));
}

/** Words of a command without the program's name. */
export function commandPath(command: Command): string {
  const parent = command.parent;
  if (parent === null) return '';
  return `${commandPath(parent)} ${command.name()}`.trim();
}

/** Adds its examples to the help of every command below `command`. */
export function addExamples(command: Command): void {
  const lines = EXAMPLES.filter((example) => example.command === commandPath(command));
  if (lines.length > 0) {
    const text = lines.map(({ line }) => `  ${line}`).join('\n');
    command.addHelpText('after', `\nExamples:\n${text}`);
  }
  command.commands.forEach(addExamples);
}
