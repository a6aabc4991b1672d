import { resolve } from 'node:path';
import type { EvaluationCounts, EvaluationResult } from '@helixmesh/pipelines';
import type { Command } from 'commander';
import { answer, contextOf } from '../context.ts';
import { table } from '../ui/table.ts';

interface Options {
  readonly truth: string;
  readonly calls: string;
  readonly reference: string;
  readonly confident?: string;
  readonly truthSample?: string;
  readonly callsSample?: string;
  readonly sites?: string;
  readonly allele?: boolean;
  readonly allRecords?: boolean;
}

export function addEvaluate(program: Command): void {
  program
    .command('evaluate')
    .summary('compare variant calls with a truth set')
    .description(
      'Compares allele and genotype of small variants, replaying haplotypes around differences so ' +
        'that another way of writing the same change does not count as an error.',
    )
    .requiredOption('--truth <vcf>', 'true variants')
    .requiredOption('--calls <vcf>', 'calls to judge')
    .requiredOption('--reference <fasta>', 'uncompressed FASTA with its .fai')
    .option('--confident <bed>', 'count only variants in these regions')
    .option('--truth-sample <name>', 'sample of the true variants (default: the first)')
    .option('--calls-sample <name>', 'sample of the calls (default: the first)')
    .option('--sites <tsv>', 'list every missed variant (FN) and false call (FP) in this file')
    .option('--allele', 'ignore the genotype')
    .option('--all-records', 'take records too that failed a filter')
    .action(async (options: Options, command) => {
      const context = contextOf(command);
      const result = await evaluated(options);
      answer(context, result, evaluationText(result));
    });
}

async function evaluated(options: Options): Promise<EvaluationResult> {
  const { truthSample, callsSample, confident } = options;
  const { evaluate } = await import('@helixmesh/pipelines');
  const { SitesFile } = await import('../sites-file.ts');
  using sites = options.sites === undefined ? null : new SitesFile(resolve(options.sites));
  const result = await evaluate({
    truth: resolve(options.truth),
    calls: resolve(options.calls),
    reference: resolve(options.reference),
    ...(confident === undefined ? {} : { confident: resolve(confident) }),
    ...(truthSample === undefined ? {} : { truthSample }),
    ...(callsSample === undefined ? {} : { callsSample }),
    ...(sites === null ? {} : { onSite: (site) => sites.add(site) }),
    mode: options.allele === true ? 'allele' : 'genotype',
    isAllRecords: options.allRecords ?? false,
  });
  sites?.finish();
  return result;
}

export function evaluationText(result: EvaluationResult): string {
  const right = (title: string) => ({ title, align: 'right' as const });
  return table(
    [
      { title: '' },
      right('TP'),
      right('FN'),
      right('FP'),
      right('precision'),
      right('recall'),
      right('F1'),
    ],
    [countsRow('all', result.all), countsRow('SNP', result.snp), countsRow('indel', result.indel)],
  );
}

function countsRow(name: string, counts: EvaluationCounts): string[] {
  const ratio = (value: number | null) => (value === null ? '–' : value.toFixed(4));
  return [
    name,
    String(counts.truePositivesTruth),
    String(counts.falseNegatives),
    String(counts.falsePositives),
    ratio(counts.precision),
    ratio(counts.recall),
    ratio(counts.f1),
  ];
}
