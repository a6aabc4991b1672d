import type { Command } from 'commander';
import { answer, contextOf } from '../../context.ts';
import { type BundleSources, prepareBundle } from '../../reference-options.ts';
import { bundleText } from './show.ts';

export function addReferenceAdd(reference: Command): void {
  reference
    .command('add')
    .summary('prepare a reference once, for every later run')
    .description(
      'Checks and indexes a genome and its annotation, and keeps them by content. Contig names of ' +
        'annotation files are brought to those of the genome.',
    )
    .argument('<name>', 'name for later runs')
    .requiredOption('--fasta <fasta>', 'the genome, plain or compressed')
    .option('--gff <gff3>', 'gene models, for consequences and HGVS names')
    .option('--clinvar <vcf>', 'ClinVar, for clinical significance')
    .option('--dbsnp <vcf>', 'dbSNP, for rs numbers')
    .option('--gnomad <vcf>', 'gnomAD, for allele frequencies')
    .option('--par <bed>', 'pseudo-autosomal regions of X and Y')
    .action(async (name: string, options: Omit<BundleSources, 'name'>, command) => {
      const context = contextOf(command);
      const bundle = await prepareBundle(context, { name, ...options });
      answer(context, bundle, bundleText(bundle));
    });
}
