import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, it } from 'node:test';
import { gzipSync } from 'node:zlib';
import fc from 'fast-check';
import { collect } from '../testing/collect.ts';
import { realData, skipReason } from '../testing/real-data.ts';
import { IndexedFasta, parseFai } from './fai.ts';
import { detectCompression, hasBgzfEnd } from './gzip/bgzf.ts';
import { bgzip, CompressedWriter } from './gzip/bgzf-writer.ts';
import { readLines } from './gzip/lines.ts';
import { formatRegion, parseBed, parseRegion } from './region.ts';
import { formatVcfHeader, formatVcfRecord, openVcf, sampleValue, writeVcf } from './vcf.ts';

const folder = mkdtempSync(join(tmpdir(), 'formats-'));
after(() => rmSync(folder, { recursive: true }));

async function linesOf(name: string, bytes: Uint8Array): Promise<string[]> {
  writeFileSync(join(folder, name), bytes);
  return collect(readLines(join(folder, name)));
}

describe('lines', () => {
  it('are the same from plain, gzip, many-member gzip and BGZF files', async () => {
    const lines = Array.from({ length: 60_000 }, (_, i) => `line ${i} ${'x'.repeat(i % 80)}`);
    const text = Buffer.from(`${lines.join('\n')}\n`);
    const half = text.length >> 1;
    const members = [gzipSync(text.subarray(0, half)), gzipSync(text.subarray(half))];
    assert.deepEqual(await linesOf('a', text), lines);
    assert.deepEqual(await linesOf('b', gzipSync(text)), lines);
    assert.deepEqual(await linesOf('c', Buffer.concat(members)), lines);
    assert.deepEqual(await linesOf('d', bgzip(text)), lines);
    assert.equal(await detectCompression(join(folder, 'c')), 'gzip');
    assert.equal(await detectCompression(join(folder, 'd')), 'bgzf');
    assert.equal(await hasBgzfEnd(join(folder, 'd')), true);
    assert.equal(await hasBgzfEnd(join(folder, 'c')), false);
  });

  it('of a gzip cut anywhere are INPUT_TRUNCATED, of a damaged one INPUT_MALFORMED', async () => {
    const whole = gzipSync(Buffer.from('ACGT\n'.repeat(1000)));
    for (const cut of [20, 30, whole.length - 1]) {
      await assert.rejects(linesOf('t', whole.subarray(0, cut)), { code: 'INPUT_TRUNCATED' });
    }
    const damaged = Buffer.from(whole);
    damaged[whole.length - 6] = (damaged[whole.length - 6] ?? 0) ^ 1;
    await assert.rejects(linesOf('t', damaged), { code: 'INPUT_MALFORMED' });
  });

  it('keep a last line without its end and lose CR', async () => {
    assert.deepEqual(await linesOf('e', Buffer.from('a\r\nb\r\n\r\nc')), ['a', 'b', '', 'c']);
  });

  it('written as BGZF are read by bgzip', () => {
    const path = join(folder, 'w.gz');
    const writer = new CompressedWriter(path, { compression: 'bgzf' });
    for (let i = 0; i < 20_000; i++) writer.write(`${i}\n`);
    writer.close();
    const text = execFileSync('bgzip', ['-dc', path], { encoding: 'utf8' });
    assert.equal(text, Array.from({ length: 20_000 }, (_, i) => `${i}\n`).join(''));
  });
});

describe('regions', () => {
  const contigs = [
    { name: 'chr1', lengthBases: 1000 },
    { name: 'HLA:01:02', lengthBases: 50 },
  ];
  it('printed are read back', () => {
    fc.assert(
      fc.property(fc.nat(999), fc.integer({ min: 1, max: 1000 }), (start, length) => {
        const region = { refName: 'chr1', start, end: Math.min(1000, start + length) };
        assert.deepEqual(parseRegion(formatRegion(region), contigs), region);
      }),
    );
  });
  it('may leave out their end, their positions or hold colons', () => {
    assert.deepEqual(parseRegion('chr1:5', contigs), { refName: 'chr1', start: 4, end: 1000 });
    assert.equal(formatRegion(parseRegion('HLA:01:02', contigs)), 'HLA:01:02:1-50');
    assert.equal(formatRegion(parseRegion('HLA:01:02:3-4', contigs)), 'HLA:01:02:3-4');
  });
  it('outside of the reference are refused', () => {
    for (const text of ['chr2:1-5', 'chr1:0-5', 'chr1:9-5', 'chr1:1-1001', 'chr1:x', '']) {
      assert.throws(() => parseRegion(text, contigs), { code: 'USAGE' });
    }
  });
  it('are read from BED', () => {
    assert.deepEqual(parseBed('#x\nchr1\t0\t5\n'), [{ refName: 'chr1', start: 0, end: 5 }]);
    assert.throws(() => parseBed('chr1\t9\t5\n'), { code: 'INPUT_MALFORMED' });
  });
});

describe('real files', () => {
  const data = realData('na12878_chr22_tiny');
  it('of the reference give the bases that samtools gives', async (t) => {
    if (data === null) return t.skip(skipReason('na12878_chr22_tiny'));
    const fasta = await IndexedFasta.open(join(data, 'ref.fa'));
    const [contig] = parseFai(readFileSync(join(data, 'ref.fa.fai'), 'utf8'));
    assert(contig !== undefined);
    const region = { refName: contig.name, start: 117, end: 612 };
    const args = ['faidx', join(data, 'ref.fa'), formatRegion(region)];
    const theirs = execFileSync('samtools', args, { encoding: 'utf8' });
    assert.equal(await fasta.bases(region), theirs.split('\n').slice(1).join(''));
    await fasta.close();
  });
  it('of variants are read and written to the same text', async (t) => {
    if (data === null) return t.skip(skipReason('na12878_chr22_tiny'));
    const path = join(data, 'truth.vcf.gz');
    const { header, records } = await openVcf(path);
    const all = await collect(records);
    assert(all.length > 0 && sampleValue(all[0] ?? assert.fail(), 'GT') !== null);
    const text = formatVcfHeader(header.lines, header.samples);
    const body = all.map((record) => `${formatVcfRecord(record)}\n`).join('');
    assert.equal(text + body, execFileSync('bgzip', ['-dc', path], { encoding: 'utf8' }));
    const copy = join(folder, 'copy.vcf.gz');
    await writeVcf(copy, { lines: header.lines, samples: header.samples, records: all });
    execFileSync('bcftools', ['index', '-t', copy]);
  });
});
