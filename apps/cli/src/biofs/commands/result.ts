/** `biofs result`. */
import { access } from 'node:fs/promises';
import { resolve } from 'node:path';
import { AppError } from '@helixmesh/protocol';
import type { Command } from 'commander';
import { answer, type Context, contextOf } from '../../context.ts';
import { bytes, shortParty } from '../../ui/format.ts';
import { printable } from '../../ui/printable.ts';
import { green, yellow } from '../../ui/style.ts';
import { pairs, table } from '../../ui/table.ts';
import type { OwnReads } from '../analysis/check-result.ts';
import type { FetchedResult, Refused } from '../analysis/fetch-result.ts';
import { createTransfer } from '../transfer-progress.ts';
import { COORDINATOR, withJob } from './jobs.ts';

interface Options {
  readonly out: string;
  readonly reads?: readonly string[];
  readonly unsigned?: boolean;
  readonly coordinator?: string;
}

export function addResult(program: Command): void {
  program
    .command('result')
    .summary('fetch the result of an analysis, open it and check it')
    .description(
      'Fetches the sealed files from a node that agreed, opens them with your key, computes the ' +
        'digest of the result from them and compares it with the one that operators agreed on; ' +
        'another node is asked where one sends anything else. What the node has signed of these very ' +
        'files is kept beside them as statement.json, for `biofs verify`. The folder appears when ' +
        'all of that holds. Killed and given again, it goes on where it was. Nodes keep results for three days.',
    )
    .argument('<job>', 'id of a job, or its first digits')
    .requiredOption('--out <folder>', 'new folder')
    .option('--reads <files...>', 'R1 and R2 where you have them: are all of them in the BAM?')
    .option('--unsigned', 'take the files of a node that has signed nothing of them, too')
    .option(...COORDINATOR)
    .action(async (text: string, options: Options, command) => {
      const context = contextOf(command);
      const reads = await readsOf(options.reads);
      await withJob(context, { text, options }, async (person, job) => {
        const { viewJob } = await import('../analysis/watch-job.ts');
        const { fetchResult } = await import('../analysis/fetch-result.ts');
        const view = await viewJob(person, job);
        const done = await fetchResult(person, job.record, view, {
          out: resolve(options.out),
          reads,
          isUnsignedTaken: options.unsigned ?? false,
          progressOf: (label, totalBytes) =>
            createTransfer({ label, totalBytes, quiet: context.quiet }),
          onRefused: (refused) => sayRefused(context, refused),
        });
        answer(context, done, resultText(done));
      });
    });
}

/** Throws USAGE, INPUT_NOT_FOUND. */
async function readsOf(paths: Options['reads']): Promise<OwnReads | null> {
  if (paths === undefined) return null;
  const [r1, r2, ...others] = paths.map((path) => resolve(path));
  if (r1 === undefined || others.length > 0) {
    throw new AppError('USAGE', `${paths.length} files of reads`, {
      hint: 'Give R1, or R1 and R2.',
    });
  }
  for (const path of [r1, ...(r2 === undefined ? [] : [r2])]) {
    await access(path).catch((cause) => {
      throw new AppError('INPUT_NOT_FOUND', `cannot read ${path}`, {
        hint: 'Name the FASTQ files that were put into the vault.',
        cause,
      });
    });
  }
  return r2 === undefined ? [r1] : [r1, r2];
}

function sayRefused({ quiet }: Context, { nodeId, code, message }: Refused): void {
  if (quiet) return;
  process.stderr.write(`${shortParty(nodeId)}  not taken: ${printable(message)} (${code})\n`);
}

function resultText(done: FetchedResult): string {
  const rows = done.files.map(({ path, sizeBytes, isAgreed }) => [
    path,
    bytes(sizeBytes),
    isAgreed ? (done.isChecked ? green('operators agree') : yellow('one operator')) : 'this node',
  ]);
  const facts: [string, string][] = [
    ['folder', done.out],
    ['result', `${done.resultDigest}, as computed from the files`],
    ['checked', done.isChecked ? green('operators agree on it') : yellow('by nobody else')],
    ['node', done.nodeId],
    [
      'signed',
      done.statement === null
        ? yellow('nothing shows others that this node has made them')
        : 'by the node, in statement.json; `biofs verify` shows it to anybody',
    ],
  ];
  if (done.reads !== null) {
    const { primaryRecords } = done.reads;
    facts.push([
      'reads',
      `all ${primaryRecords.toLocaleString('en')} trimmed reads are in the BAM`,
    ]);
  }
  const hasOwn = done.files.some(({ isAgreed }) => !isAgreed);
  return [
    table([{ title: 'file' }, { title: 'size', align: 'right' }, { title: 'whose word' }], rows),
    pairs(facts),
    ...(hasOwn
      ? ['  Indexes and reports are not compared: they are what that node has made.']
      : []),
  ].join('\n\n');
}
