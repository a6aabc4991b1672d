import { resolve } from 'node:path';
import { AppError } from '@helixmesh/protocol';
import type { Command } from 'commander';
import { answer, contextOf } from '../context.ts';

interface Options {
  readonly r1: string;
  readonly r2?: string;
  readonly bam: string;
}

export function addCheckReads(program: Command): void {
  program
    .command('check-reads')
    .summary('see whether an alignment holds all reads that it was made of')
    .description(
      'Trims the reads as the analysis does and compares them with the alignment: mate, name and ' +
        'bases of each. For results of machines that are not yours. Where the reads were placed is ' +
        'not judged.',
    )
    .requiredOption('--r1 <fastq>', 'first mates, or single reads')
    .option('--r2 <fastq>', 'second mates')
    .requiredOption('--bam <bam>', 'alignment to judge')
    .action(async ({ r1, r2, bam }: Options, command) => {
      const context = contextOf(command);
      const { checkReadConservation } = await import('@helixmesh/pipelines');
      const first = resolve(r1);
      const reads = r2 === undefined ? ([first] as const) : ([first, resolve(r2)] as const);
      const found = await checkReadConservation({ reads, bam: resolve(bam) });
      if (!found.isConserved) {
        throw new AppError('RESULT_DIFFERS', differenceText(found), {
          hint: 'Ask another node for the result, and tell the operator of this one.',
          details: { expected: found.expected, found: found.found },
        });
      }
      answer(context, found, `${found.found} reads after trimming, all of them in the alignment\n`);
    });
}

function differenceText({ expected, found }: { expected: number; found: number }): string {
  return expected === found
    ? `the alignment holds ${found} reads, and not all of them are yours`
    : `the alignment holds ${found} reads of ${expected} after trimming`;
}
