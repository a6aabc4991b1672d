/** The simulated sample of a benchmark, and its reference prepared in a data folder. */
import { cp, mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { simulate } from '@helixmesh/pipelines';
import { commandOf, timed } from './commands.ts';

/** Name of the prepared reference. */
export const REFERENCE = 'bench';
const SEED = 42;

export interface Size {
  readonly contigs: number;
  readonly basesPerContig: number;
  /** Mean depth. */
  readonly coverage: number;
}

export interface Input {
  /** The simulated files. */
  readonly input: string;
  /** Data folder in which the reference was prepared. */
  readonly prepared: string;
}

/** Makes both below `folder`. */
export async function prepareInput(folder: string, sampleId: string, size: Size): Promise<Input> {
  const made = { input: join(folder, 'input'), prepared: join(folder, 'prepared') };
  await simulate({ outDir: made.input, sampleId, seed: SEED, sex: 'XY', ...size });
  const file = (name: string) => join(made.input, name);
  const databases = ['clinvar', 'dbsnp', 'gnomad'].flatMap((name) => [
    `--${name}`,
    file(`${name}.vcf.gz`),
  ]);
  const others = ['--fasta', file('ref.fa'), '--gff', file('genes.gff3'), '--par', file('par.bed')];
  const args = ['--quiet', 'reference', 'add', REFERENCE, ...others, ...databases];
  await timed(commandOf('helixmesh', made.prepared, args));
  return made;
}

/** Gives a data folder the prepared reference. */
export async function copyReference({ prepared }: Input, dataDir: string): Promise<void> {
  await mkdir(dataDir, { recursive: true, mode: 0o700 });
  const [from, to] = [prepared, dataDir].map((folder) => join(folder, 'references'));
  await cp(from ?? '', to ?? '', { recursive: true });
}

export function readsOf({ input }: Input): readonly [r1: string, r2: string] {
  return [join(input, 'reads_R1.fastq.gz'), join(input, 'reads_R2.fastq.gz')];
}
