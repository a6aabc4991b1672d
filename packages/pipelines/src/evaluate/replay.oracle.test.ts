import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { replay } from './replay.ts';
import {
  type Allele,
  type ReferenceSequence,
  type SmallVariant,
  toSmallVariant,
} from './variant.ts';

const BASES = 'GACACTTACG';
const REFERENCE: ReferenceSequence = {
  length: BASES.length,
  slice: (start, end) => BASES.slice(start, end),
};

// Substitutions and insertions only: without deletions no two edits can cancel each other out.
const variant = fc
  .record({
    pos1: fc.integer({ min: 2, max: 4 }),
    size: fc.integer({ min: 1, max: 2 }),
    alt: fc.string({ unit: fc.constantFrom('A', 'C'), minLength: 2, maxLength: 2 }),
    genotype: fc.constantFrom('0/1', '1/1'),
  })
  .map(({ pos1, size, alt, genotype }) => {
    const ref = BASES.slice(pos1 - 1, pos1 - 1 + size);
    return { pos1, ref, alts: [alt], genotype };
  });
const variants = fc
  .array(variant, { maxLength: 4 })
  .map((records) =>
    records
      .map((record, id) => toSmallVariant(record, REFERENCE, { id, isInside: true }))
      .filter((read) => typeof read === 'object'),
  );

/** Most variants of any subset that give each unordered pair of haplotypes, by trying them all. */
function bestByHaplotypes(list: readonly SmallVariant[]): Map<string, number> {
  const sorted = list.toSorted((a, b) => a.start - b.start || a.end - b.end);
  const best = new Map<string, number>();
  const choose = (
    at: number,
    chosen: readonly (readonly [Allele | null, Allele | null])[],
  ): void => {
    const next = sorted[at];
    if (next === undefined) {
      const pair = [0, 1].map((side) => haplotype(chosen.map((alleles) => alleles[side] ?? null)));
      if (pair.includes(null)) return;
      const key = pair.sort().join();
      best.set(key, Math.max(best.get(key) ?? 0, chosen.length));
      return;
    }
    choose(at + 1, chosen);
    choose(at + 1, [...chosen, next.alleles]);
    choose(at + 1, [...chosen, [next.alleles[1], next.alleles[0]]]);
  };
  choose(0, []);
  return best;
}

function haplotype(alleles: readonly (Allele | null)[]): string | null {
  let bases = '';
  let at = 0;
  for (const allele of alleles) {
    if (allele === null) continue;
    if (allele.start < at) return null;
    bases += BASES.slice(at, allele.start) + allele.bases;
    at = allele.end;
  }
  return bases + BASES.slice(at);
}

describe('haplotype replay', () => {
  it('finds as many matching variants as trying every subset does', () => {
    let matched = 0;
    const property = fc.property(variants, variants, (truth, calls) => {
      if (truth.length === 0 || calls.length === 0) return;
      const segments = replay({ truth, calls, reference: REFERENCE, mode: 'genotype' });
      assert.notEqual(segments, 'too_complex');
      const found = (segments === 'too_complex' ? [] : segments).reduce(
        (sum, segment) => sum + segment.truth.length + segment.calls.length,
        0,
      );
      const byTruth = bestByHaplotypes(truth);
      const byCalls = bestByHaplotypes(calls);
      const shared = [...byTruth].filter(([key]) => byCalls.has(key));
      const expected = Math.max(...shared.map(([key, count]) => count + (byCalls.get(key) ?? 0)));
      assert.equal(found, expected);
      if (expected > 0) matched += 1;
    });
    fc.assert(property, { numRuns: 2000 });
    assert.ok(matched > 100, `only ${matched} of the random cases had anything to match`);
  });
});
