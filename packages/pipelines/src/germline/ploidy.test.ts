import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import type { Region } from './input.ts';
import { callSex, clipRegions, haploidRegions, isCalled } from './ploidy.ts';
import { planShards } from './shard-plan.ts';

const depths = (x: number, y: number, prefix = 'chr') => [
  { refName: `${prefix}1`, meanDepth: 30 },
  { refName: `${prefix}2`, meanDepth: 31 },
  { refName: `${prefix}X`, meanDepth: x },
  { refName: `${prefix}Y`, meanDepth: y },
];

test('sex is told from the depth of X and Y with both ways of naming', () => {
  for (const prefix of ['chr', '']) {
    assert.equal(callSex(depths(30, 0.4, prefix), 'infer').karyotype, 'XX');
    assert.equal(callSex(depths(15.2, 7, prefix), 'infer').karyotype, 'XY');
    assert.equal(callSex(depths(30, 9, prefix), 'infer').karyotype, 'undetermined');
    assert.equal(callSex(depths(15, 0.1, prefix), 'infer').karyotype, 'undetermined');
  }
});

test('a given sex stands and the depth is still told', () => {
  const call = callSex(depths(30, 0.3), 'XY');
  assert.deepEqual([call.karyotype, call.basis, call.yRatio], ['XY', 'given', 0.01]);
});

test('a reference without X and Y has no sex, given or not', () => {
  const contigs = [{ refName: 'q', meanDepth: 20 }];
  assert.equal(callSex(contigs, 'infer').karyotype, 'not applicable');
  assert.equal(callSex(contigs, 'XY').karyotype, 'not applicable');
  assert.equal(callSex([], 'infer').karyotype, 'not applicable');
});

test('too little depth determines nothing', () => {
  const low = depths(0.05, 0.02).map((each) => ({ ...each, meanDepth: each.meanDepth / 100 }));
  assert.equal(callSex(low, 'infer').karyotype, 'undetermined');
});

test('in XY every base of X and Y is haploid exactly when it is outside of PAR', () => {
  const contigs = [
    { name: 'chr1', lengthBases: 500 },
    { name: 'chrX', lengthBases: 300 },
    { name: 'chrY', lengthBases: 200 },
  ];
  const region: fc.Arbitrary<Region> = fc
    .tuple(fc.constantFrom('chrX', 'chrY'), fc.nat(250), fc.nat(60))
    .map(([refName, start, length]) => ({ refName, start, end: start + length }));
  fc.assert(
    fc.property(fc.array(region, { maxLength: 4 }), (par) => {
      const haploid = haploidRegions(contigs, par, 'XY');
      for (const { name, lengthBases } of contigs) {
        for (let at = 0; at < lengthBases; at++) {
          const within = (each: Region) =>
            each.refName === name && at >= each.start && at < each.end;
          const expected = name !== 'chr1' && !par.some(within) ? 1 : 0;
          assert.equal(haploid.filter(within).length, expected, `${name}:${at}`);
        }
      }
    }),
  );
  assert.deepEqual(haploidRegions(contigs, [], 'XX'), []);
  assert.deepEqual(haploidRegions(contigs, [], 'undetermined'), []);
});

test('regions are cut to what a shard looks at', () => {
  const [, x2] = planShards([{ name: 'X', lengthBases: 12_000_000 }], 5_000_000);
  const regions = haploidRegions(
    [{ name: 'X', lengthBases: 12_000_000 }],
    [{ refName: 'X', start: 0, end: 7_000_000 }],
    'XY',
  );
  assert.deepEqual(clipRegions(regions, x2?.segments ?? []), [
    { refName: 'X', start: 7_000_000, end: 12_000_000, ploidy: 1 },
  ]);
});

test('Y is not called in XX and is called in all other cases', () => {
  const [shard] = planShards([{ name: 'chrY', lengthBases: 1_000 }], 5_000_000);
  assert.ok(shard !== undefined);
  assert.equal(isCalled(shard, 'XX'), false);
  for (const karyotype of ['XY', 'undetermined', 'not applicable'] as const) {
    assert.equal(isCalled(shard, karyotype), true);
  }
});
