import assert from 'node:assert/strict';
import { test } from 'node:test';
import { AppError } from '@helixmesh/protocol';
import fc from 'fast-check';
import type { Contig } from './input.ts';
import { SHARD_MIN_BASES, SHARD_PADDING_BASES } from './limits.ts';
import { planShards } from './shard-plan.ts';

const CHROMOSOMES = [...Array.from({ length: 22 }, (_, i) => `chr${i + 1}`), 'chrX', 'chrY'];

const references: fc.Arbitrary<readonly Contig[]> = fc
  .tuple(
    fc.subarray([...CHROMOSOMES, 'chrM', 'MT', '1', 'X'], { minLength: 0 }),
    fc.integer({ min: 0, max: 400 }),
    fc.infiniteStream(
      fc.oneof(fc.integer({ min: 1, max: 2_000_000 }), fc.integer({ min: 1, max: 260_000_000 })),
    ),
    fc.boolean(),
  )
  .map(([named, others, lengths, mixed]) => {
    const unplaced = Array.from({ length: others + 1 }, (_, i) => `scaffold_${i}`);
    const names = mixed ? [...unplaced.slice(0, 3), ...named, ...unplaced.slice(3)] : named;
    const used = names.length === 0 ? unplaced : names;
    return used.map((name) => ({ name, lengthBases: lengths.next().value as number }));
  });
const targets = fc.integer({ min: SHARD_MIN_BASES, max: 60_000_000 });

test('no base is lost or doubled, and cores follow the order of the reference', () => {
  fc.assert(
    fc.property(references, targets, (contigs, target) => {
      const cores = planShards(contigs, target).flatMap(({ segments }) =>
        segments.map(({ core }) => core),
      );
      let at = 0;
      for (const contig of contigs) {
        let position = 0;
        while (position < contig.lengthBases) {
          const core = cores[at];
          assert.deepEqual([core?.refName, core?.start], [contig.name, position]);
          position = core?.end ?? Number.NaN;
          at += 1;
        }
        assert.equal(position, contig.lengthBases);
      }
      assert.equal(at, cores.length);
    }),
  );
});

test('pieces keep the smallest size, stay below twice the target and overlap by the padding', () => {
  fc.assert(
    fc.property(references, targets, (contigs, target) => {
      const lengths = new Map(contigs.map(({ name, lengthBases }) => [name, lengthBases]));
      for (const { segments } of planShards(contigs, target)) {
        const bases = segments.reduce((sum, { core }) => sum + core.end - core.start, 0);
        assert.ok(bases < 2 * target);
        for (const { core, padded } of segments) {
          const length = lengths.get(core.refName) ?? 0;
          const isWhole = core.start === 0 && core.end === length;
          assert.ok(isWhole || core.end - core.start >= target);
          assert.equal(padded.start, Math.max(0, core.start - SHARD_PADDING_BASES));
          assert.equal(padded.end, Math.min(length, core.end + SHARD_PADDING_BASES));
        }
      }
    }),
  );
});

test('twenty-four small chromosomes fan out twenty-four ways', () => {
  const contigs = CHROMOSOMES.map((name) => ({ name, lengthBases: 50_000 }));
  assert.deepEqual(
    planShards(contigs, 20_000_000).map(({ name }) => name),
    CHROMOSOMES,
  );
});

test('a chromosome shares its shard with nothing; small unplaced contigs share theirs', () => {
  const contigs = [
    { name: 'chr1', lengthBases: 45_000_000 },
    { name: 'chrM', lengthBases: 16_569 },
    { name: 'chr1_random', lengthBases: 100_000 },
    { name: 'chrUn_1', lengthBases: 20_000 },
    { name: 'chrX', lengthBases: 900 },
    { name: 'chrUn_2', lengthBases: 20_000 },
    { name: 'big_decoy', lengthBases: 6_000_000 },
  ];
  assert.deepEqual(
    planShards(contigs, 20_000_000).map(({ name, segments }) => [name, segments.length]),
    [
      ['chr1.1of2', 1],
      ['chr1.2of2', 1],
      ['chrM', 1],
      ['small.1', 2],
      ['chrX', 1],
      ['small.2', 1],
      ['big_decoy', 1],
    ],
  );
});

test('contigs of unknown naming are each a shard until there are too many of them', () => {
  const contigs = (count: number) =>
    Array.from({ length: count }, (_, i) => ({ name: `seq${i}`, lengthBases: 10_000 }));
  assert.equal(planShards(contigs(60), 20_000_000).length, 60);
  assert.ok(planShards(contigs(5_000), 20_000_000).length < 20);
});

test('a target below the smallest piece and a reference without contigs are refused', () => {
  const code = (run: () => unknown) => {
    try {
      run();
    } catch (error) {
      return error instanceof AppError ? error.code : error;
    }
    return null;
  };
  assert.equal(
    code(() => planShards([{ name: 'a', lengthBases: 1 }], 1_000)),
    'USAGE',
  );
  assert.equal(
    code(() => planShards([], 20_000_000)),
    'INPUT_EMPTY',
  );
});
