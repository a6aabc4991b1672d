import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, it } from 'node:test';
import { gunzipSync } from 'node:zlib';
import fc from 'fast-check';
import { type TestRead, type TestTag, testBam } from '../testing/bam.ts';
import { BamCanonicalizer, bamDigestHex } from './bam.ts';
import { TIES_MAX } from './limits.ts';

const HEADER =
  '@HD\tVN:1.6\tSO:coordinate\n@SQ\tSN:c0\tLN:1000000\n@RG\tID:a\tSM:s\n@RG\tID:b\tSM:s\n';
const folder = mkdtempSync(join(tmpdir(), 'bam-'));
after(() => rmSync(folder, { recursive: true }));

function digest(reads: readonly TestRead[], header = HEADER): string {
  const canonicalizer = new BamCanonicalizer();
  canonicalizer.push(gunzipSync(testBam(header, 2, reads)));
  return canonicalizer.finish();
}

const tag: fc.Arbitrary<TestTag> = fc.oneof(
  fc.record({
    name: fc.constantFrom('NM', 'AS', 'XS', 'ms'),
    type: fc.constant('i' as const),
    value: fc.integer({ min: -40_000, max: 70_000 }),
  }),
  fc.record({
    name: fc.constantFrom('MD', 'RG', 'MC'),
    type: fc.constant('Z' as const),
    value: fc.stringMatching(/^[0-9A-Z]{0,12}$/),
  }),
);
const read: fc.Arbitrary<TestRead> = fc
  .record({
    name: fc.stringMatching(/^[a-z0-9:]{1,20}$/),
    flag: fc.constantFrom(99, 147, 83, 163, 1024),
    refId: fc.constantFrom(0, 1),
    pos: fc.integer({ min: 0, max: 5 }),
    mapq: fc.nat(60),
    sequence: fc.stringMatching(/^[ACGT]{1,20}$/),
    tags: fc.uniqueArray(tag, { selector: ({ name }) => name, maxLength: 7 }),
  })
  .map((fields) => ({ ...fields, qualities: [...fields.sequence].map((_, i) => 30 + (i % 7)) }));
const reads = fc
  .array(read, { minLength: 1, maxLength: 30 })
  .map((list) => list.toSorted((a, b) => a.refId - b.refId || a.pos - b.pos));

describe('the digest of a BAM file', () => {
  it('does not depend on the order of records at one position', () => {
    fc.assert(
      fc.property(reads, fc.array(fc.double({ noNaN: true })), (list, keys) => {
        const shuffled = list
          .map((item, i) => ({ item, key: keys[i] ?? 0 }))
          .sort((a, b) => a.item.refId - b.item.refId || a.item.pos - b.item.pos || a.key - b.key)
          .map(({ item }) => item);
        assert.equal(digest(shuffled), digest(list));
      }),
    );
  });

  it('does not depend on the order of tags, the width of integers or the bin', () => {
    fc.assert(
      fc.property(reads, fc.nat(4680), (list, bin) => {
        const narrow = (item: TestTag): TestTag =>
          item.type === 'i' && Number(item.value) >= 0 ? { ...item, type: 'I' } : item;
        const changed = list.map((item) => ({
          ...item,
          bin,
          tags: item.tags.toReversed().map(narrow),
        }));
        assert.equal(digest(changed), digest(list));
      }),
    );
  });

  it('does not depend on @PG, @CO, the order of @RG or the pieces it is read in', () => {
    fc.assert(
      fc.property(reads, fc.integer({ min: 1, max: 300 }), (list, pieceBytes) => {
        const lines = HEADER.trimEnd().split('\n');
        const [head = '', sq = '', a = '', b = ''] = lines;
        const noisy = `${[head, '@CO\tnoise', sq, b, '@PG\tID:bwa\tCL:bwa -t 2', a].join('\n')}\n`;
        const bytes = gunzipSync(testBam(noisy, 2, list));
        const canonicalizer = new BamCanonicalizer();
        for (let at = 0; at < bytes.length; at += pieceBytes) {
          canonicalizer.push(bytes.subarray(at, at + pieceBytes));
        }
        assert.equal(canonicalizer.finish(), digest(list));
      }),
    );
  });

  it('depends on every base, quality, position, flag, name and tag, and on how many there are', () => {
    const other = (base: string) => (base === 'A' ? 'C' : 'A');
    const changes: ((item: TestRead) => TestRead)[] = [
      (item) => ({ ...item, sequence: other(item.sequence.charAt(0)) + item.sequence.slice(1) }),
      (item) => ({ ...item, qualities: item.qualities.map((quality) => quality + 1) }),
      (item) => ({ ...item, pos: item.pos + 1000, refId: 1 }),
      (item) => ({ ...item, flag: item.flag ^ 0x400 }),
      (item) => ({ ...item, name: `${item.name}x` }),
      (item) => ({ ...item, mapq: item.mapq + 1 }),
      (item) => ({ ...item, tags: [...item.tags, { name: 'zz', type: 'C', value: 1 }] }),
    ];
    fc.assert(
      fc.property(reads, fc.constantFrom(...changes), (list, change) => {
        const last = list.at(-1);
        assert(last !== undefined);
        assert.notEqual(digest([...list.slice(0, -1), change(last)]), digest(list));
        assert.notEqual(digest([...list, last]), digest(list));
        assert.notEqual(digest(list.slice(0, -1)), digest(list));
      }),
    );
  });

  it('treats very many records at one position as a multiset', () => {
    const many = Array.from({ length: TIES_MAX + 10 }, (_, i) => ({
      ...{ name: `u${i}`, flag: 4, refId: -1, pos: -1, mapq: 0 },
      ...{ sequence: 'ACGT', qualities: [30, 30, 30, 30], tags: [] },
    }));
    const first = many[0] ?? assert.fail();
    assert.equal(digest(many.toReversed()), digest(many));
    assert.notEqual(digest(many.slice(1)), digest(many));
    assert.notEqual(digest([...many.slice(1), { ...first, mapq: 1 }]), digest(many));
  });

  it('is refused for files unsorted, cut between blocks, cut inside a record or not BAM', async () => {
    const item = (pos: number): TestRead => ({
      ...{ name: 'r', flag: 0, refId: 0, pos, mapq: 60 },
      ...{ sequence: 'ACGT', qualities: [30, 30, 30, 30], tags: [] },
    });
    assert.throws(() => digest([item(5), item(4)]), { code: 'INPUT_MALFORMED' });
    const path = join(folder, 'cut.bam');
    const bytes = testBam(HEADER, 2, [item(5)]);
    writeFileSync(path, bytes.subarray(0, -28));
    await assert.rejects(bamDigestHex(path), { code: 'INPUT_TRUNCATED' });
    const cut = new BamCanonicalizer();
    cut.push(gunzipSync(bytes).subarray(0, -1));
    assert.throws(() => cut.finish(), { code: 'INPUT_TRUNCATED' });
    assert.throws(() => new BamCanonicalizer().push(Buffer.from('@HD\tVN:1.6\n')), {
      code: 'INPUT_WRONG_FORMAT',
    });
  });
});
