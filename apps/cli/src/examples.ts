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
  ...examplesOf('doctor', ['helixmesh doctor', 'helixmesh doctor --json']),
  ...examplesOf('config print', ['helixmesh config print']),
  ...examplesOf('simulate', [
    'helixmesh simulate --out simulated --contigs 3 --bases 20000 --seed 7',
  ]),
  ...examplesOf('demo', ['helixmesh demo', 'helixmesh demo --small --out try']),
  ...examplesOf('run', [
    'helixmesh run --sample S1 --r1 S1_R1.fastq.gz --r2 S1_R2.fastq.gz --reference ref.fa',
    'helixmesh run --samplesheet samples.csv --reference ref.fa --out results',
  ]),
  ...examplesOf('evaluate', [
    'helixmesh evaluate --truth truth.vcf.gz --calls results/S1/S1.vcf.gz --reference ref.fa ' +
      '--confident confident.bed',
  ]),
  ...examplesOf('check-reads', [
    'helixmesh check-reads --r1 S1_R1.fastq.gz --r2 S1_R2.fastq.gz --bam results/S1/S1.bam',
  ]),
  ...examplesOf('reference add', [
    'helixmesh reference add small --fasta ref.fa --gff genes.gff3 --clinvar clinvar.vcf.gz',
  ]),
  ...examplesOf('reference list', ['helixmesh reference list']),
  ...examplesOf('reference show', ['helixmesh reference show small']),
  ...examplesOf('reference verify', ['helixmesh reference verify small']),
  ...examplesOf('init', [
    'helixmesh --data vault init --role storage --network-name test --listen 127.0.0.1:7401',
    'helixmesh --data own init --role custodian --genesis vault/network.json',
    'helixmesh --data me init --genesis vault/network.json',
  ]),
  ...examplesOf('devnet', [
    'helixmesh --data try devnet --nodes 4 --port 0 --no-start',
    'helixmesh --data try devnet --sample',
  ]),
  ...examplesOf('up', [
    'helixmesh up --cores 2',
    'helixmesh --data /srv/helixmesh up --log-level warn',
  ]),
  ...examplesOf('submit', ['helixmesh submit --sample S3 --r1 S1_R1.fastq.gz --reference small']),
  ...examplesOf('cancel', ['helixmesh cancel S3']),
  ...examplesOf('resume', ['helixmesh resume S3']),
  ...examplesOf('status', [
    'helixmesh status S3 --watch',
    'helixmesh status S3 --why',
    'helixmesh status --json',
  ]),
  ...examplesOf('logs', ['helixmesh logs S3', 'helixmesh logs S3 --task align']),
  ...examplesOf('journal', ['helixmesh journal S3']),
  ...examplesOf('report', ['helixmesh report S3', 'helixmesh report S3 --json']),
  ...examplesOf('node list', ['helixmesh node list', 'helixmesh node list --json']),
  ...examplesOf('node show', ['helixmesh node show', 'helixmesh node show --json']),
  ...examplesOf('node drain', ['helixmesh node drain']),
  ...examplesOf('node resume', ['helixmesh node resume']),
  ...examplesOf('node vouch', [
    `helixmesh node vouch node_${'5c1d3f0a'.repeat(8)} --zones MX,NA ` +
      '--operator-key-file operator.key',
  ]),
  ...examplesOf('route explain', [
    `helixmesh route explain sha256:${'0123456789abcdef'.repeat(4)}`,
    `helixmesh route explain task_${'0123456789abcdef'.repeat(2)} --json`,
  ]),
  ...examplesOf('task dead', ['helixmesh task dead']),
  ...examplesOf('task retry', [`helixmesh task retry task_${'0123456789abcdef'.repeat(2)}`]),
  ...examplesOf('cleanup', ['helixmesh cleanup']),
];

export function examplesOf(command: string, lines: readonly string[]): Example[] {
  return lines.map((line) => ({ command, line }));
}

/** Words of a command without the program's name. */
export function commandPath(command: Command): string {
  const parent = command.parent;
  if (parent === null) return '';
  return `${commandPath(parent)} ${command.name()}`.trim();
}

/** Adds its examples to the help of every command below `command`. */
export function addExamples(command: Command, examples: readonly Example[]): void {
  const lines = examples.filter((example) => example.command === commandPath(command));
  if (lines.length > 0) {
    const text = lines.map(({ line }) => `  ${line}`).join('\n');
    command.addHelpText('after', `\nExamples:\n${text}`);
  }
  for (const each of command.commands) addExamples(each, examples);
}
