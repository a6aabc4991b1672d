/** Reads that are not what they should be: refused in words, with nothing left behind. */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { gzipSync } from 'node:zlib';
import { nodePaths } from '@helixmesh/daemon/data-folder';
import { type Refusal, type Workbench, workbench } from './bench.ts';

let bench: Workbench;
before(async () => {
  bench = await workbench();
});
after(() => bench?.stop());

interface Case extends Refusal {
  readonly what: string;
  /** Makes the files and answers the flags that name them. */
  flags(): Promise<Readonly<Record<string, string | null>>>;
}

const LINES_OF_READ = 4;

/** The mates of the sample with their lines changed, as a plain FASTQ. */
async function changed(mate: 'r1' | 'r2', change: (lines: string[]) => void): Promise<string> {
  const lines = (await bench.reads(mate)).split('\n');
  change(lines);
  return bench.write(`changed_${mate}.fastq`, lines.join('\n'));
}

const CASES: readonly Case[] = [
  {
    what: 'a gzip file that is cut off',
    flags: async () => {
      const whole = await readFile(bench.sample.r1);
      return { r1: await bench.write('cut.fastq.gz', whole.subarray(0, whole.length >> 1)) };
    },
    code: 'INPUT_TRUNCATED',
    says: /: cut\.fastq\.gz ends in the middle of its compressed data/,
    advises: /again/,
  },
  {
    what: 'a file of mates with fewer reads',
    flags: async () => ({
      r2: await changed('r2', (lines) => lines.splice(-1 - LINES_OF_READ, 4)),
    }),
    code: 'MATES_UNEQUAL',
    says: /fastq\.gz has \d+ reads and changed_r2\.fastq has \d+/,
    advises: /./,
  },
  {
    what: 'mates with other names',
    flags: async () => ({
      r2: await changed('r2', (lines) => {
        lines[LINES_OF_READ] = '@another/2';
      }),
    }),
    code: 'MATES_UNEQUAL',
    says: /record 2 has another name in .*fastq\.gz than in changed_r2\.fastq/,
    advises: /./,
  },
  {
    what: 'a record without its plus line',
    flags: async () => ({
      r1: await changed('r1', (lines) => {
        lines[2] = '-';
      }),
    }),
    code: 'INPUT_MALFORMED',
    says: /record 1 of changed_r1\.fastq/,
    advises: /./,
  },
  {
    what: 'a quality that is shorter than its read',
    flags: async () => ({
      r1: await changed('r1', (lines) => {
        lines[3] = lines[3]?.slice(1) ?? '';
      }),
    }),
    code: 'INPUT_MALFORMED',
    says: /record 1 of changed_r1\.fastq/,
    advises: /./,
  },
  {
    what: 'an empty file',
    flags: async () => ({ r1: await bench.write('empty.fastq', '') }),
    code: 'INPUT_EMPTY',
    says: /empty\.fastq/,
    advises: /reads/,
  },
  {
    what: 'a gzip file of nothing',
    flags: async () => ({ r1: await bench.write('empty.fastq.gz', gzipSync('')), r2: null }),
    code: 'INPUT_EMPTY',
    says: /: empty\.fastq\.gz has no reads/,
    advises: /./,
  },
  {
    what: 'a BAM',
    flags: async () => {
      const sam = '@HD\tVN:1.6\n@SQ\tSN:chr1\tLN:1000\nr\t4\t*\t0\t0\t*\t*\t0\t0\tACGT\tIIII\n';
      const bam = execFileSync('samtools', ['view', '-b', '-'], { input: sam });
      return { r1: await bench.write('reads.bam', bam), r2: null };
    },
    code: 'INPUT_WRONG_FORMAT',
    says: /reads\.bam is a BAM/,
    advises: /samtools fastq/,
  },
  {
    what: 'a FASTA',
    flags: async () => ({ r1: await bench.write('reads.fa', '>r\nACGT\n'), r2: null }),
    code: 'INPUT_WRONG_FORMAT',
    says: /reads\.fa is a FASTA/,
    advises: /FASTQ/,
  },
  {
    what: 'a file that is not there',
    flags: async () => ({ r1: join(bench.folder, 'nowhere.fastq') }),
    code: 'INPUT_NOT_FOUND',
    says: /nowhere\.fastq/,
    advises: /path/i,
  },
  {
    what: 'a folder',
    flags: async () => {
      const folder = join(bench.folder, 'reads');
      await mkdir(folder);
      return { r1: folder };
    },
    code: 'INPUT_WRONG_FORMAT',
    says: /not a file/,
    advises: /FASTQ/,
  },
  {
    what: 'one file as both mates',
    flags: async () => ({ r2: bench.sample.r1 }),
    code: 'USAGE',
    says: /same file/,
    advises: /--r1 alone/,
  },
];

for (const { what, flags, ...refusal } of CASES) {
  test(`${what} is refused as ${refusal.code}`, async () => {
    await bench.refused(await flags(), refusal);
  });
}

test('the log names no file of reads: a name often is a person’s', async () => {
  const log = await readFile(nodePaths(bench.dataDir).logFile, 'utf8');
  assert.match(log, /"msg"/);
  assert.doesNotMatch(log, /changed_r|\.fastq|\.fa\b|reads\.bam/);
});
