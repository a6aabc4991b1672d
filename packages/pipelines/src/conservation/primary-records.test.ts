import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { gunzipSync, gzipSync } from 'node:zlib';
import { AppError } from '@helixmesh/protocol';
import { testBam } from '../testing/bam.ts';
import { countPrimaryRecords } from './primary-records.ts';

const HEADER = '@HD\tVN:1.6\tSO:coordinate\n@SQ\tSN:c0\tLN:1000000\n';
const folder = mkdtempSync(join(tmpdir(), 'primary-'));
after(() => rmSync(folder, { recursive: true }));

/** Mapped, reverse, duplicate and unmapped ones are primary; secondary and supplementary are not. */
const FLAGS = [0, 16, 99, 147, 4, 77, 141, 1024, 256, 272, 2048, 2064, 2304];
const PRIMARY = 8;

function bam(count: number): Buffer {
  const reads = Array.from({ length: count }, (_, i) =>
    FLAGS.map((flag) => ({
      ...{ name: `read${i}`, flag, refId: 0, pos: i, mapq: 60, sequence: 'ACGT' },
      ...{ qualities: [30, 30, 30, 30], tags: [] },
    })),
  );
  return Buffer.from(testBam(HEADER, 1, reads.flat()));
}

function pathOf(name: string, bytes: Uint8Array): string {
  const path = join(folder, name);
  writeFileSync(path, bytes);
  return path;
}

test('each read is counted once, mapped or not', async () => {
  assert.equal(await countPrimaryRecords(pathOf('small.bam', bam(1))), PRIMARY);
  assert.equal(await countPrimaryRecords(pathOf('none.bam', bam(0))), 0);
  assert.equal(await countPrimaryRecords(pathOf('large.bam', bam(5_000))), 5_000 * PRIMARY);
});

test('a file that ends within a record, or is none, is refused', async () => {
  const bytes = gunzipSync(bam(3));
  for (const size of [bytes.length - 1, bytes.length - 40, 60, 3]) {
    const path = pathOf('cut.bam', gzipSync(bytes.subarray(0, size)));
    await assert.rejects(countPrimaryRecords(path), (error) => error instanceof AppError);
  }
  const other = pathOf('other.bam', gzipSync(Buffer.alloc(100_000, 'x')));
  await assert.rejects(countPrimaryRecords(other), (error) => error instanceof AppError);
});
