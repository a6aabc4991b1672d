/** `biofs cat` and `biofs download`. */
import { once } from 'node:events';
import { resolve } from 'node:path';
import type { Range } from '@helixmesh/protocol/sealing';
import type { Command } from 'commander';
import { answer, contextOf } from '../../context.ts';
import { parseNumber } from '../../parse-number.ts';
import { bytes, duration } from '../../ui/format.ts';
import {
  type PurposeOptions,
  parseBytes,
  purposeOf,
  withPurposeOptions,
} from '../terms-options.ts';
import { createTransfer } from '../transfer-progress.ts';

interface CatOptions extends PurposeOptions {
  readonly bytes?: Range;
  readonly connections: number;
}

interface DownloadOptions extends CatOptions {
  readonly out?: string;
  readonly force?: boolean;
}

const BYTES = 'only these, counted from 0, without the last number: 0-1024';
const CONNECTIONS = 'pieces fetched at once, 1 to 8';
const CONNECTIONS_USUAL = 4;

export function addCat(program: Command): void {
  withPurposeOptions(
    program
      .command('cat')
      .summary('write a dataset to standard output')
      .description(
        'Gets the keys from your custody, or from the custodian of whoever has granted it, and the ' +
          'body from a vault. Every byte is checked against what the owner has signed before it is ' +
          'written. Under a grant of regions these are what is written.',
      )
      .argument('<dataset>', 'id of the dataset, or its first digits')
      .option('--bytes <from-to>', BYTES, parseBytes)
      .option('--connections <n>', CONNECTIONS, parseNumber, CONNECTIONS_USUAL),
  ).action(async (text: string, options: CatOptions, command) => {
    const context = contextOf(command);
    const { withPerson } = await import('../person.ts');
    const { findDataset } = await import('../find-dataset.ts');
    const { openDataset, wantedRanges } = await import('../open-for-reading.ts');
    const { CONNECTIONS_MAX, readObject } = await import('@helixmesh/client/biofs');
    await withPerson(context, 'What was written is as its owner has signed it.', async (person) => {
      const found = findDataset(person.custody, text);
      const dataset = await openDataset(person, found, purposeOf(options));
      const ranges = wantedRanges(dataset, options.bytes);
      const reader = await dataset.open(ranges);
      try {
        const connections = within(options.connections, CONNECTIONS_MAX);
        for await (const piece of readObject(reader, ranges, connections)) {
          if (!process.stdout.write(piece)) await once(process.stdout, 'drain');
        }
      } finally {
        await reader.close();
      }
    });
  });
}

export function addDownload(program: Command): void {
  withPurposeOptions(
    program
      .command('download')
      .summary('write a dataset to a file, in parallel, and go on when it was broken off')
      .description(
        'Reads as `cat` does, a few pieces at once. Killed and started again, it checks what is in ' +
          'the partial file and fetches the rest. The file gets its name when all of it is there and ' +
          'has the digest that its owner has sealed.',
      )
      .argument('<dataset>', 'id of the dataset, or its first digits')
      .option('--out <file>', 'name of the new file (default: its own name, here)')
      .option('--force', 'replace a file of that name')
      .option('--bytes <from-to>', BYTES, parseBytes)
      .option('--connections <n>', CONNECTIONS, parseNumber, CONNECTIONS_USUAL),
  ).action(async (text: string, options: DownloadOptions, command) => {
    const context = contextOf(command);
    const startedMs = performance.now();
    const { withPerson } = await import('../person.ts');
    const { downloadDataset } = await import('../download-dataset.ts');
    const { CONNECTIONS_MAX } = await import('@helixmesh/client/biofs');
    const hint = 'The same command goes on with what is in the partial file.';
    const done = await withPerson(context, hint, (person) =>
      downloadDataset(person, text, {
        purpose: purposeOf(options),
        bytes: options.bytes,
        path: options.out === undefined ? undefined : resolve(options.out),
        isReplacing: options.force ?? false,
        connections: within(options.connections, CONNECTIONS_MAX),
        progressOf: (label, totalBytes) =>
          createTransfer({ label, totalBytes, quiet: context.quiet }),
      }),
    );
    const kept = done.keptBytes === 0 ? '' : `, ${bytes(done.keptBytes)} of it from before`;
    const took = duration(performance.now() - startedMs);
    answer(context, done, `${done.path}  ${bytes(done.sizeBytes)} in ${took}${kept}`);
  });
}

function within(connections: number, max: number): number {
  return Math.min(Math.max(1, Math.floor(connections)), max);
}
