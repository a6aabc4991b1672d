import { relative, resolve } from 'node:path';
import type { SimulationManifest } from '@helixmesh/pipelines';
import { type Command, Option } from 'commander';
import { answer, contextOf } from '../context.ts';
import { parseNumber } from '../parse-number.ts';
import { bold, dim } from '../ui/style.ts';
import { pairs } from '../ui/table.ts';

interface Options {
  readonly out: string;
  readonly sample: string;
  readonly seed: number;
  readonly contigs: number;
  readonly bases: number;
  readonly coverage: number;
  readonly sex: 'XX' | 'XY';
}

export function addSimulate(program: Command): void {
  program
    .command('simulate')
    .summary('make a genome, reads and annotation with a known truth')
    .description(
      'Makes a genome, reads, a truth set and matching ClinVar, dbSNP, gnomAD and gene files, all ' +
        'from one seed. Nothing of it comes from a person. It tests that the analysis works; it is ' +
        'no evidence of accuracy on real reads.',
    )
    .requiredOption('--out <dir>', 'new folder for the files')
    .option('--sample <name>', 'name of the sample', 'DEMO')
    .option('--seed <n>', 'the same seed gives the same files', parseNumber, 1)
    .option('--contigs <n>', 'chromosomes, 1 to 24', parseNumber, 24)
    .option('--bases <n>', 'bases of each chromosome, 20000 to 5000000', parseNumber, 50_000)
    .option('--coverage <depth>', 'mean depth', parseNumber, 30)
    .addOption(new Option('--sex <sex>', 'sex chromosomes').choices(['XX', 'XY']).default('XY'))
    .action(async (options: Options, command) => {
      const context = contextOf(command);
      const outDir = resolve(options.out);
      const manifest = await simulateSample(outDir, options);
      answer(context, { outDir, ...manifest }, simulationText(outDir, manifest));
    });
}

/** Refuses to write over a folder that holds anything (OUTPUT_IN_USE). */
export async function simulateSample(
  outDir: string,
  options: Omit<Options, 'out'>,
): Promise<SimulationManifest> {
  const { simulate } = await import('@helixmesh/pipelines');
  return simulate({
    outDir,
    sampleId: options.sample,
    seed: options.seed,
    contigs: options.contigs,
    basesPerContig: options.bases,
    coverage: options.coverage,
    sex: options.sex,
  });
}

export function simulationText(outDir: string, manifest: SimulationManifest): string {
  const { contigs, readPairs, variants, planted } = manifest;
  const bases = contigs.reduce((sum, contig) => sum + contig.lengthBases, 0);
  const folder = relative(process.cwd(), outDir) || '.';
  const count = (value: number) => value.toLocaleString('en');
  return [
    pairs([
      ['genome', `${contigs.length} contigs, ${count(bases)} bases`],
      ['reads', `${count(readPairs)} pairs`],
      ['variants', `${count(variants.snvs)} SNVs, ${count(variants.indels)} indels`],
      ['with consequence', `${planted.length} planted in genes`],
      ['folder', bold(folder)],
    ]),
    dim(manifest.notice),
  ].join('\n\n');
}
