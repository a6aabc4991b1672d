import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import fc from 'fast-check';
import type { CoverageTarget } from './coverage-targets.ts';
import { visitDepths } from './depth-reader.ts';
import type { Region } from './input.ts';
import {
  CONTIG_BASES,
  type CoverageCase,
  PAR,
  runCoverage,
  type TestAlignment,
  type TestExon,
} from './testing/coverage-run.ts';

const region = (refName: string, start: number, end: number): Region => ({ refName, start, end });
const exon = (refName: string, start: number, end: number, gene = 'G1'): TestExon => ({
  ...region(refName, start, end),
  gene,
});
/** As many reads as `depth` says over a region. */
function pile(over: Region, depth: number, changes: Partial<TestAlignment> = {}): TestAlignment[] {
  const { refName, start, end } = over;
  return Array.from({ length: depth }, (_, i) => ({
    name: `${refName}.${start}.${i}.${JSON.stringify(changes)}`.replaceAll(/[^\w.]/g, ''),
    refName,
    start,
    cigar: `${end - start}M`,
    ...changes,
  }));
}

/** What one would do by hand over all depths: bases of the exons below their threshold, joined. */
function lowByHand(
  depths: ReadonlyMap<string, readonly number[]>,
  pieces: readonly (Region & { readonly threshold: number })[],
): Region[] {
  return pieces.flatMap(({ refName, start, end, threshold }) => {
    const low: Region[] = [];
    for (let at = start; at < end; at++) {
      if ((depths.get(refName)?.[at] as number) >= threshold) continue;
      const last = low.at(-1);
      if (last?.end === at) low[low.length - 1] = { ...last, end: at + 1 };
      else low.push(region(refName, at, at + 1));
    }
    return low;
  });
}

/** Depth from the reads alone: what samtools is asked for, counted again without it. */
function depthByReads(reads: readonly TestAlignment[], refName: string): number[] {
  const depths = new Array<number>(CONTIG_BASES).fill(0);
  const endOf = new Map<string, number>();
  for (const read of reads.toSorted((a, b) => a.start - b.start)) {
    const isLeftOut = ((read.flag ?? 0) & 0x704) !== 0 || (read.mapq ?? 60) < 20;
    if (read.refName !== refName || isLeftOut) continue;
    let at = read.start;
    const from = endOf.get(read.name) ?? 0;
    for (const [, length, operation = ''] of read.cigar.matchAll(/(\d+)([MDIS])/g)) {
      if (operation === 'I' || operation === 'S') continue;
      for (const end = at + Number(length); at < end; at++) {
        // A deletion counts by the quality of the base after it.
        if ((read.quality ?? 35) >= 20 && at >= from) depths[at] = (depths[at] as number) + 1;
      }
    }
    endOf.set(read.name, at);
  }
  return depths;
}

const CIGARS = [150, 80].flatMap((n) => [`${n}M`, `40M5D${n}M`, `30S${n}M`, `40M3I${n}M`]);
/** A seed gives the reads, so that a failure prints as one number. Pairs overlap. */
function drawnReads(seed: number, contigs: readonly string[]): TestAlignment[] {
  let state = seed;
  const below = (bound: number): number => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return Math.floor((state / 2 ** 32) * bound);
  };
  const oneOf = <T>(values: readonly T[]): T => values[below(values.length)] as T;
  return Array.from({ length: 1_600 + below(3_000) }, (_, i) => {
    const start = below(CONTIG_BASES - 300);
    const mateStart = start + below(120);
    const read = {
      name: `r${i}`,
      refName: oneOf(contigs),
      start,
      cigar: oneOf(CIGARS),
      mapq: oneOf([60, 60, 60, 20, 19, 0]),
      quality: oneOf([35, 35, 20, 19]),
    };
    if (below(2) === 0) return [{ ...read, flag: oneOf([0, 16, 0x100, 0x200, 0x400, 0x800]) }];
    return [
      { ...read, flag: 0x40, mateStart },
      { ...read, flag: 0x80, start: mateStart, mateStart: start, cigar: oneOf(CIGARS) },
    ];
  }).flat();
}

test('regions are those of samtools depth and of the reads themselves, base by base', async (t) => {
  const contigs = ['chr1', 'chr2', 'chrX', 'chrY'];
  const exons = [
    ...[exon('chr1', 0, 700), exon('chr1', 900, 901, 'G2'), exon('chr1', 2_900, 3_000, 'G3')],
    ...[exon('chr2', 200, 1_400, 'G4'), exon('chrX', 500, 1_800, 'G5')],
    ...[exon('chrY', 500, 1_800, 'G6')],
  ];
  const pieces = [
    ...exons.slice(0, 4).map((each) => ({ ...each, threshold: 20 })),
    { ...region('chrX', 500, 1_000), threshold: 20 },
    { ...region('chrX', 1_000, 1_800), threshold: 10 },
    { ...region('chrY', 1_000, 1_800), threshold: 10 },
  ];
  let regions = 0;
  const property = fc.asyncProperty(fc.nat(), async (seed) => {
    const given = drawnReads(seed, contigs);
    const outcome = await runCoverage({ contigs, reads: given, exons, karyotype: 'XY' });
    const { low, bed, depths } = outcome;
    for (const name of contigs) assert.deepEqual(depths.get(name), depthByReads(given, name));
    assert.deepEqual(bed, lowByHand(depths, pieces));
    for (const { refName, start, end } of bed) {
      const most = refName === 'chr1' || refName === 'chr2' || end <= 1_000 ? 20 : 10;
      const inside = depths.get(refName)?.slice(start, end) ?? [];
      assert.ok(inside.length > 0 && inside.every((depth) => depth < most));
    }
    assert.ok(low !== null);
    assert.equal(low.totalRegions, bed.length);
    const bases = bed.reduce((sum, { start, end }) => sum + end - start, 0);
    assert.equal(low.totalBases, bases);
    assert.equal(
      low.examinedBases,
      pieces.reduce((sum, { start, end }) => sum + end - start, 0),
    );
    const lengths = low.regions.map(({ start, end }) => end - start);
    assert.deepEqual(
      lengths,
      lengths.toSorted((a, b) => b - a),
    );
    assert.equal(low.regions.length, Math.min(200, bed.length));
    for (const { refName, start, end, meanDepth } of low.regions) {
      const inside = depths.get(refName)?.slice(start, end) ?? [];
      const mean = inside.reduce((sum, depth) => sum + depth, 0) / inside.length;
      assert.ok(Math.abs(meanDepth - mean) <= 0.005 + 1e-9);
    }
    regions += bed.length;
  });
  await fc.assert(property, { numRuns: 12, seed: 7, endOnFailure: true });
  t.diagnostic(`${regions} regions`);
  assert.ok(regions > 200, `only ${regions} regions were compared`);
});

test('an exon without reads is one region of its gene, and one at the end of a contig is whole', async () => {
  const covered = exon('chr1', 100, 400, 'COVERED');
  const { low, bed } = await runCoverage({
    contigs: ['chr1', 'chr2'],
    reads: pile(region('chr1', 50, 500), 20),
    exons: [
      covered,
      exon('chr1', 2_800, CONTIG_BASES, 'AT_END'),
      exon('chr2', 0, 60, 'NO_READS'),
      exon('chr2', 40, 90, 'OVERLAPS'),
    ],
  });
  assert.deepEqual(low?.regions, [
    { ...region('chr1', 2_800, CONTIG_BASES), meanDepth: 0, genes: ['AT_END'] },
    { ...region('chr2', 0, 90), meanDepth: 0, genes: ['NO_READS', 'OVERLAPS'] },
  ]);
  assert.deepEqual(bed, [region('chr1', 2_800, CONTIG_BASES), region('chr2', 0, 90)]);
  assert.equal(low?.scope, 'coding exons');
});

test('where one copy is expected half the depth is enough, and Y counts in XY alone', async () => {
  const contigs = ['chr1', 'chrX', 'chrY'];
  const exons = contigs.flatMap((name) => [
    exon(name, 200, 300, `PAR_${name}`),
    exon(name, 1_500, 1_600, `ONE_${name}`),
  ]);
  const reads = contigs.flatMap((name) => pile(region(name, 0, 2_000), 12));
  const genesOf = async (changes: Partial<CoverageCase>) => {
    const { low } = await runCoverage({ contigs, exons, reads, ...changes });
    return low?.regions.flatMap(({ genes }) => genes).sort();
  };
  const twoCopies = ['ONE_chr1', 'ONE_chrX', 'PAR_chr1', 'PAR_chrX'];
  assert.deepEqual(await genesOf({ karyotype: 'XY' }), ['ONE_chr1', 'PAR_chr1', 'PAR_chrX']);
  assert.deepEqual(await genesOf({ karyotype: 'XX' }), twoCopies);
  assert.deepEqual(await genesOf({ karyotype: 'undetermined' }), twoCopies);
  const few = contigs.flatMap((name) => pile(region(name, 0, 2_000), 9));
  assert.deepEqual(await genesOf({ karyotype: 'XY', reads: few }), [
    ...['ONE_chr1', 'ONE_chrX', 'ONE_chrY', 'PAR_chr1', 'PAR_chrX'],
  ]);
  assert.equal(PAR.length, 2);
});

test('ambiguous reads, poor bases, duplicates and the second of two mates do not cover', async () => {
  const over = region('chr1', 100, 200);
  const isLow = async (more: readonly TestAlignment[]) => {
    const reads = [...pile(over, 19), ...more];
    const exons = [exon('chr1', 120, 180)];
    return (await runCoverage({ contigs: ['chr1'], reads, exons })).low?.totalBases === 60;
  };
  assert.ok(await isLow([]));
  assert.ok(await isLow(pile(over, 5, { mapq: 19 })));
  assert.ok(await isLow(pile(over, 5, { quality: 19 })));
  assert.ok(await isLow(pile(over, 5, { flag: 0x400 })));
  assert.ok(!(await isLow(pile(over, 1, { mapq: 20, quality: 20 }))));
  const [first] = pile(over, 1, { name: 'pair', mateStart: over.start, flag: 0x40 });
  const [second] = pile(over, 1, { name: 'pair', mateStart: over.start, flag: 0x80 });
  assert.ok(first !== undefined && second !== undefined);
  const eighteen = pile(over, 18);
  const { low } = await runCoverage({
    contigs: ['chr1'],
    reads: [...eighteen, first, second],
    exons: [exon('chr1', 120, 180)],
  });
  assert.equal(low?.regions[0]?.meanDepth, 19);
});

test('a deletion in every read is no gap', async () => {
  const reads = pile(region('chr1', 100, 200), 20, { cigar: '40M9D60M' });
  const { low } = await runCoverage({
    contigs: ['chr1'],
    reads,
    exons: [exon('chr1', 110, 190)],
  });
  assert.equal(low?.totalRegions, 0);
  assert.equal(low?.examinedBases, 80);
});

test('of a panel the genes that it reaches count, with their exons without reads', async () => {
  const exons = [
    exon('chr1', 100, 200, 'AIMED'),
    exon('chr1', 900, 1_000, 'AIMED2'),
    exon('chr1', 2_000, 2_100, 'ELSEWHERE'),
    exon('chr1', 2_500, 2_600, 'STRAY'),
  ];
  const reads = [
    ...pile(region('chr1', 0, 300), 40),
    ...pile(region('chr1', 900, 960), 40),
    ...pile(region('chr1', 2_500, 2_600), 3),
  ];
  const panel = await runCoverage({ contigs: ['chr1'], reads, exons, breadth: 0.2 });
  assert.equal(panel.low?.scope, 'coding exons of covered genes');
  assert.deepEqual(panel.bed, [region('chr1', 960, 1_000)]);
  assert.equal(panel.low?.examinedBases, 200);
  const nothing = await runCoverage({ contigs: ['chr1'], reads: [], exons, breadth: 0 });
  assert.equal(nothing.low?.examinedBases, 0);
  assert.equal(nothing.low?.totalRegions, 0);
});

test('without gene models a genome is searched by contig without its N, a panel not at all', async () => {
  const given = {
    contigs: ['chr1', 'chrM', 'chrUn_1'],
    reads: pile(region('chr1', 0, 2_500), 20),
    exons: null,
    unknown: [region('chr1', 2_400, 2_600)],
  };
  const { low, bed } = await runCoverage(given);
  assert.equal(low?.scope, 'contigs');
  assert.deepEqual(bed, [region('chr1', 2_600, CONTIG_BASES), region('chrM', 0, CONTIG_BASES)]);
  assert.equal(low?.examinedBases, 2 * CONTIG_BASES - 200);
  const panel = await runCoverage({ ...given, breadth: 0.1 });
  assert.equal(panel.low, null);
  assert.match(panel.head, /^# not computed/);
});

test('depths that do not follow the targets are an error and no coverage', async () => {
  const target = (start: number, end: number): CoverageTarget => {
    return { ...region('c1', start, end), thresholdDepth: 20, genes: [] };
  };
  const folder = await mkdtemp(join(tmpdir(), 'depth-'));
  const path = join(folder, 'depth.tsv');
  const visit = async (text: string) => {
    await writeFile(path, text);
    const seen: number[] = [];
    await visitDepths(path, [target(4, 6), target(9, 10)], {
      base: (_, position, depth) => seen.push(position, depth),
      targetEnd: () => seen.push(-1),
      pause: async () => undefined,
    });
    return seen;
  };
  try {
    const whole = 'c1\t5\t7\nc1\t6\t0\nc1\t10\t1234\n';
    assert.deepEqual(await visit(whole), [4, 7, 5, 0, -1, 9, 1234, -1]);
    for (const broken of [
      '',
      'c1\t5\t7\nc1\t6\t0\n',
      'c1\t5\t7\nc1\t10\t0\n',
      'c1\t5\t7\nc1\t6\t0\nc2\t10\t1\n',
      `${whole}c1\t11\t1\n`,
      whole.slice(0, -1),
      'c1\t5\tx\nc1\t6\t0\nc1\t10\t0\n',
      'c1\n',
    ]) {
      await assert.rejects(visit(broken), { code: 'RESULT_DIFFERS' }, JSON.stringify(broken));
    }
  } finally {
    await rm(folder, { recursive: true });
  }
});
