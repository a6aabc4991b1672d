/** `biofs cat` and `biofs download`. */
import { once } from 'node:events';
import { resolve } from 'node:path';
import { AppError } from '@helixmesh/protocol';
import type { Range, Region } from '@helixmesh/protocol/sealing';
import type { Command } from 'commander';
import { answer, contextOf } from '../../context.ts';
import { parseNumber } from '../../parse-number.ts';
import { bytes, duration } from '../../ui/format.ts';
import {
  many,
  type PurposeOptions,
  parseBytes,
  parseRegion,
  purposeOf,
  withPurposeOptions,
} from '../terms-options.ts';
import { createTransfer } from '../transfer-progress.ts';

interface CatOptions extends PurposeOptions {
  readonly bytes?: Range;
  readonly region?: readonly Region[];
  readonly index?: string;
  readonly connections: number;
}

interface DownloadOptions extends CatOptions {
  readonly out?: string;
  readonly force?: boolean;
}

const BYTES = 'only these, counted from 0, without the last number: 0-1024';
const REGION = 'only records of this part, e.g. chr7:1-200000; may be repeated';
const INDEX = 'index of the file: a dataset or a file (default: your dataset of that name)';
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
          'written. Under a grant of regions these are what is written. With --region a BAM or bgzipped ' +
          'VCF file with the header and the records of the region is written, as `samtools view` and ' +
          '`tabix` find them; no more of the dataset is fetched than its index (.bai, .tbi, .csi) says.',
      )
      .argument('<dataset>', 'id of the dataset, or its first digits')
      .option('--bytes <from-to>', BYTES, parseBytes)
      .option('--region <region>', REGION, many(parseRegion))
      .option('--index <index>', INDEX)
      .option('--connections <n>', CONNECTIONS, parseNumber, CONNECTIONS_USUAL),
  ).action(async (text: string, options: CatOptions, command) => {
    const context = contextOf(command);
    const regions = regionsOf(options);
    const purpose = purposeOf(options);
    const { withPerson } = await import('../person.ts');
    const { findDataset } = await import('../find-dataset.ts');
    const { openDataset, wantedRanges } = await import('../open-for-reading.ts');
    const { CONNECTIONS_MAX, readObject } = await import('@helixmesh/client/biofs');
    await withPerson(context, 'What was written is as its owner has signed it.', async (person) => {
      const found = findDataset(person.custody, text);
      const connections = within(options.connections, CONNECTIONS_MAX);
      if (regions !== undefined) {
        const { readRegions } = await import('../read-regions.ts');
        const piece = readRegions(person, found, { ...options, regions, purpose, connections });
        await writeOut(piece);
        return;
      }
      const dataset = await openDataset(person, found, purpose);
      const ranges = wantedRanges(dataset, options.bytes);
      const reader = await dataset.open(ranges);
      try {
        await writeOut(readObject(reader, ranges, connections));
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
          'has the digest that its owner has sealed. With --region it is the piece that `cat` writes; ' +
          'that one begins anew when it was broken off.',
      )
      .argument('<dataset>', 'id of the dataset, or its first digits')
      .option('--out <file>', 'name of the new file (default: its own name, here)')
      .option('--force', 'replace a file of that name')
      .option('--bytes <from-to>', BYTES, parseBytes)
      .option('--region <region>', REGION, many(parseRegion))
      .option('--index <index>', INDEX)
      .option('--connections <n>', CONNECTIONS, parseNumber, CONNECTIONS_USUAL),
  ).action(async (text: string, options: DownloadOptions, command) => {
    const context = contextOf(command);
    const regions = regionsOf(options);
    const startedMs = performance.now();
    const { withPerson } = await import('../person.ts');
    const { downloadDataset } = await import('../download-dataset.ts');
    const { CONNECTIONS_MAX } = await import('@helixmesh/client/biofs');
    const hint = 'The same command goes on with what is in the partial file.';
    const done = await withPerson(context, hint, (person) =>
      downloadDataset(person, text, {
        purpose: purposeOf(options),
        bytes: options.bytes,
        regions,
        index: options.index,
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

/** Throws USAGE where bytes are asked for too. */
function regionsOf({ region, bytes: range }: CatOptions): readonly Region[] | undefined {
  if (region === undefined || range === undefined) return region;
  throw new AppError('USAGE', '--region and --bytes cannot go together', {
    hint: 'Give --region for records of a part of the genome, or --bytes for bytes of the file.',
  });
}

async function writeOut(pieces: AsyncIterable<Uint8Array>): Promise<void> {
  for await (const piece of pieces) {
    if (!process.stdout.write(piece)) await once(process.stdout, 'drain');
  }
}

function within(connections: number, max: number): number {
  return Math.min(Math.max(1, Math.floor(connections)), max);
}
