import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { gunzipSync } from 'node:zlib';
import fc from 'fast-check';
import type { Region } from '../../germline/input.ts';
import { shell } from '../../testing/shell.ts';
import { bgzip } from '../gzip/bgzf-writer.ts';
import { formatRegion } from '../region.ts';
import type { ByteRange, RangedBytes } from './bgzf-blocks.ts';
import { parseRegionIndex, type RegionIndex } from './region-index.ts';
import { bgzipped, recordsByIndex, recordsOfGrant, regionBytes } from './region-piece.ts';

const CONTIGS = { '1': 9_000_000, 'HLA-A*01:01': 3_000, '11': 400_000, X: 50_000 };
const NAMES = Object.keys(CONTIGS) as (keyof typeof CONTIGS)[];

let folder = '';
/** Chance of the test data: always the same. */
let state = 7;
const random = (below: number) => {
  state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
  return Math.floor((state / 2 ** 32) * below);
};

/** Letters of an alphabet of 4 or 16. */
function noise(alphabet: string, length: number): string {
  return Array.from({ length }, () => alphabet[random(alphabet.length)]).join('');
}

function samText(): string {
  const lines = ['@HD\tVN:1.6\tSO:coordinate'];
  for (const name of NAMES) lines.push(`@SQ\tSN:${name}\tLN:${CONTIGS[name]}`);
  for (let i = 0; i < 6_000; i += 1) {
    const name = NAMES[random(NAMES.length)] as keyof typeof CONTIGS;
    const bases = 30 + random(i % 500 === 0 ? 2_000 : 120);
    const pos1 = 1 + random(Math.max(1, CONTIGS[name] - bases));
    const gap = i % 7 === 0 && name === '1' ? random(200_000) : 0;
    const half = bases >> 1;
    const isUnmapped = i % 41 === 0;
    const cigar = gap > 0 ? `${half}M${gap}N${bases - half}M` : `3S${bases - 3}M`;
    const shown = isUnmapped ? '*' : cigar;
    const flag = isUnmapped ? 4 : 0;
    const sequence = noise('ACGT', bases);
    const quality = noise('#$%&IJKLMNOPQRST', bases);
    const fields = [`r${i}`, flag, name, pos1, 60, shown, '*', 0, 0, sequence, quality];
    lines.push(fields.join('\t'));
  }
  for (let i = 0; i < 50; i += 1) lines.push(`u${i}\t4\t*\t0\t0\t*\t*\t0\t0\tACGT\tIIII`);
  return `${lines.join('\n')}\n`;
}

function vcfText(): string {
  const lines = ['##fileformat=VCFv4.2', '##INFO=<ID=END,Number=1,Type=Integer,Description="E">'];
  for (const name of [...NAMES, 'empty']) lines.push(`##contig=<ID=${name},length=1000>`);
  lines.push('#CHROM\tPOS\tID\tREF\tALT\tQUAL\tFILTER\tINFO\tFORMAT\ts1');
  for (const name of NAMES) {
    const positions = Array.from({ length: 2_000 }, () => 1 + random(CONTIGS[name]));
    for (const pos1 of positions.sort((a, b) => a - b)) {
      const ref = 'ACGT'.repeat(1 + random(random(50) === 0 ? 300 : 2)).slice(random(3));
      const end = random(20) === 0 ? `END=${pos1 + random(100_000)};` : '';
      const info = `${end}N=${noise('0123456789abcdef', 120)};BEND=5`;
      lines.push([name, pos1, '.', ref, 'T', '50', 'PASS', info, 'GT', '0/1'].join('\t'));
    }
  }
  return `${lines.join('\n')}\n`;
}

before(async () => {
  folder = mkdtempSync(join(tmpdir(), 'regions-'));
  writeFileSync(join(folder, 'a.sam'), samText());
  writeFileSync(join(folder, 'a.vcf'), vcfText());
  await shell(
    folder,
    `samtools sort --no-PG -o a.bam a.sam
    samtools index -b a.bam a.bam.bai; samtools index -c a.bam a.bam.csi
    bgzip -c a.vcf > a.vcf.gz
    tabix -p vcf a.vcf.gz; tabix -C -m 12 -p vcf a.vcf.gz`,
  );
});
after(() => rmSync(folder, { recursive: true, force: true }));

/** A file in memory; `asked` are the bytes that were read. */
function bytesOf(name: string): RangedBytes & { readonly asked: ByteRange[] } {
  const bytes = readFileSync(join(folder, name));
  const asked: ByteRange[] = [];
  return {
    sizeBytes: bytes.length,
    asked,
    async *read({ start, end }) {
      asked.push({ start, end });
      for (let at = start; at < end; at += 50_000) {
        yield bytes.subarray(at, Math.min(at + 50_000, end));
      }
    },
  };
}

const indexOf = (name: string) => parseRegionIndex(readFileSync(join(folder, name)));

async function joined(parts: AsyncIterable<Buffer>): Promise<Buffer> {
  const all: Buffer[] = [];
  for await (const part of parts) all.push(part);
  return Buffer.concat(all);
}

const region = fc
  .tuple(fc.constantFrom(...NAMES), fc.double({ min: 0, max: 1, noNaN: true }), fc.nat(6))
  .map(([refName, at, digits]): Region => {
    const bases = CONTIGS[refName];
    const start = Math.floor(at * (bases - 1));
    return { refName, start, end: Math.min(bases, start + 10 ** digits) };
  });

async function expected(name: string, regions: readonly Region[]): Promise<string> {
  const words = regions.map((one) => `'${formatRegion(one)}'`).join(' ');
  if (name.endsWith('.bam')) {
    return shell(folder, `samtools view -h --no-PG -M ${name} ${words}`);
  }
  const braced = regions.map((one) => `'{${one.refName}}:${one.start + 1}-${one.end}'`);
  return shell(folder, `tabix -h ${name} ${braced.join(' ')}`);
}

/** As text, so that it can be compared. */
async function textOf(name: string, piece: Buffer): Promise<string> {
  const out = name.endsWith('.bam') ? 'piece.bam' : 'piece.vcf.gz';
  writeFileSync(join(folder, out), piece);
  const read = name.endsWith('.bam') ? 'samtools view -h --no-PG' : 'bgzip -dc';
  return shell(folder, `${read} ${out}`);
}

const FILES = [
  ['a.bam', 'a.bam.bai'],
  ['a.bam', 'a.bam.csi'],
  ['a.vcf.gz', 'a.vcf.gz.tbi'],
  ['a.vcf.gz', 'a.vcf.gz.csi'],
] as const;

describe('records of a region', () => {
  for (const [name, indexName] of FILES) {
    it(`by ${indexName} are those of samtools and tabix, as a whole file`, async () => {
      let records = 0;
      await fc.assert(
        fc.asyncProperty(region, async (one) => {
          const parts = recordsByIndex(bytesOf(name), indexOf(indexName), [one]);
          const text = await textOf(name, await joined(bgzipped(parts)));
          assert.equal(text, await expected(name, [one]), formatRegion(one));
          records += text.split('\n').length;
        }),
        { numRuns: 8 },
      );
      assert.ok(records > 300, `only ${records} were compared`);
    });

    it(`by ${indexName} are found again in the granted bytes alone`, async () => {
      await fc.assert(
        fc.asyncProperty(fc.array(region, { minLength: 1, maxLength: 3 }), async (regions) => {
          const index = indexOf(indexName);
          const ranges = await regionBytes(bytesOf(name), index, regions);
          const granted = bytesOf(name);
          const found = await joined(recordsOfGrant(granted, ranges, regions));
          assert.ok(found.equals(await joined(recordsByIndex(bytesOf(name), index, regions))));
          for (const asked of granted.asked) {
            const isGranted = ranges.some((r) => r.start <= asked.start && asked.end <= r.end);
            assert.ok(isGranted, 'a byte was asked for that was not granted');
          }
        }),
        { numRuns: 8 },
      );
    });
  }

  it('of several regions come in the order of the file, each once', async () => {
    const regions = [
      { refName: '11', start: 100_000, end: 120_000 },
      { refName: '1', start: 5_000, end: 900_000 },
      { refName: '1', start: 800_000, end: 1_200_000 },
    ];
    const parts = recordsByIndex(bytesOf('a.bam'), indexOf('a.bam.bai'), regions);
    const text = await textOf('a.bam', await joined(bgzipped(parts)));
    assert.equal(text, await expected('a.bam', regions));
  });

  it('cost the bytes around it, not the whole file', async () => {
    const source = bytesOf('a.bam');
    const one = { refName: '1', start: 4_000_000, end: 4_001_000 };
    await joined(recordsByIndex(source, indexOf('a.bam.bai'), [one]));
    const read = source.asked.reduce((sum, { start, end }) => sum + end - start, 0);
    assert.ok(read < source.sizeBytes / 3, `${read} of ${source.sizeBytes} bytes`);
  });

  it('of a contig without records are none, of one that is not there a mistake', async () => {
    const index = indexOf('a.vcf.gz.tbi');
    const none = recordsByIndex(bytesOf('a.vcf.gz'), index, [
      { refName: 'empty', start: 0, end: 10 },
    ]);
    assert.match((await joined(none)).toString(), /^##fileformat[\s\S]*\ts1\n$/);
    const other = recordsByIndex(bytesOf('a.vcf.gz'), index, [
      { refName: 'chr1', start: 0, end: 10 },
    ]);
    await assert.rejects(joined(other), { code: 'USAGE' });
  });

  it('by the index of another file, and of other formats, are refused', async () => {
    const one = [{ refName: '1', start: 0, end: 1_000_000 }];
    const wrongKind = recordsByIndex(bytesOf('a.bam'), indexOf('a.vcf.gz.tbi'), one);
    await assert.rejects(joined(wrongKind), { code: 'INPUT_WRONG_FORMAT' });
    writeFileSync(join(folder, 'b.vcf.gz'), bgzip(Buffer.from(`${vcfText()}`)));
    const stale = recordsByIndex(bytesOf('b.vcf.gz'), indexOf('a.vcf.gz.tbi'), one);
    await assert.rejects(joined(stale), { code: 'INPUT_MALFORMED' });
    const plain = recordsByIndex(bytesOf('a.vcf'), indexOf('a.vcf.gz.tbi'), one);
    await assert.rejects(joined(plain), { code: 'INPUT_MALFORMED' });
    writeFileSync(join(folder, 'c.gz'), bgzip(Buffer.from('a text\n')));
    const text = recordsByIndex(bytesOf('c.gz'), indexOf('a.vcf.gz.tbi'), one);
    await assert.rejects(joined(text), { code: 'INPUT_WRONG_FORMAT' });
  });
});

describe('an index', () => {
  it('that is cut or changed anywhere is refused, or answers with places', () => {
    for (const [, name] of FILES) {
      const file = readFileSync(join(folder, name));
      const bytes = name.endsWith('.bai') ? file : gunzipSync(file);
      const damage = fc.record({
        cut: fc.nat(bytes.length - 1),
        at: fc.nat(Math.min(bytes.length - 1, 400)),
        value: fc.nat(255),
      });
      fc.assert(
        fc.property(damage, ({ cut, at, value }) => {
          const changed = Buffer.from(bytes);
          changed[at] = value;
          for (const input of [bytes.subarray(0, cut), changed]) {
            let index: RegionIndex;
            try {
              index = parseRegionIndex(input);
            } catch (error) {
              const { code } = error as { code: string };
              assert.match(code, /^INPUT_(MALFORMED|WRONG_FORMAT)$/);
              continue;
            }
            for (const { start, end } of index.chunksOf(0, 100, 5_000_000)) {
              assert.ok(start.block <= end.block);
            }
          }
        }),
        { numRuns: 60 },
      );
    }
  });
});
