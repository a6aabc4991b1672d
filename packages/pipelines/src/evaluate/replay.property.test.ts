import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import {
  compareRecords,
  rewriteAll,
  rewritings,
  rotateBases,
  type Scenario,
  scenarios,
  toRecord,
} from './testing/scenario.ts';
import type { SmallVariantRecord } from './variant.ts';

const dense = scenarios({ gap: 2, maxEdits: 8 });
const sparse = scenarios({ gap: 130, maxEdits: 4 });
const RUNS = { numRuns: 300 };

function plain(scenario: Scenario): SmallVariantRecord[] {
  return scenario.edits.map((edit) => toRecord(scenario.reference, edit));
}

describe('comparison of small variants, for any set of variants', () => {
  it('finds a set equal to itself', () => {
    const property = fc.property(dense, (scenario) => {
      const truth = plain(scenario);
      const counts = compareRecords(scenario.reference, { truth, calls: truth });
      assert.equal(counts.truePositivesTruth, truth.length);
      assert.equal(counts.falsePositives, 0);
    });
    fc.assert(property, RUNS);
  });

  it('finds a set of any records, contradicting ones too, equal to itself', () => {
    const bases = fc.string({ unit: fc.constantFrom(...'ACGT'), minLength: 1, maxLength: 4 });
    const genotype = fc.constantFrom('0/1', '1/1', '1');
    const record = fc.record({
      at: fc.integer({ min: 5, max: 40 }),
      size: fc.integer({ min: 1, max: 4 }),
      alt: bases,
      genotype,
    });
    const reference = 'ACGTTGCAACGTCCATGAAAAAAAAGTGTGTGTGTCCATGACTGACTTACG';
    const property = fc.property(fc.array(record, { maxLength: 8 }), (list) => {
      const truth = list.map(({ at, size, alt, genotype }) => ({
        pos1: at,
        ref: reference.slice(at - 1, at - 1 + size),
        alts: [alt],
        genotype,
      }));
      const counts = compareRecords(reference, { truth, calls: truth.toReversed() });
      assert.equal(counts.falseNegatives + counts.falsePositives, 0);
    });
    fc.assert(property, RUNS);
  });

  it('finds the same variants written otherwise equal', () => {
    const how = fc.array(rewritings, { minLength: 8, maxLength: 8 });
    const property = fc.property(dense, how, fc.boolean(), (scenario, hows, isReversed) => {
      const truth = plain(scenario);
      const rewritten = rewriteAll(scenario, (index) => hows[index] ?? NONE);
      const calls = isReversed ? rewritten.toReversed() : rewritten;
      const counts = compareRecords(scenario.reference, { truth, calls });
      assert.equal(counts.truePositivesTruth, truth.length);
      assert.equal(counts.truePositivesCalls, calls.length);
    });
    fc.assert(property, RUNS);
  });

  it('reports a removed call as exactly one false negative', () => {
    const property = fc.property(dense, fc.nat(), (scenario, choice) => {
      const truth = plain(scenario);
      const calls = truth.toSpliced(choice % truth.length, 1);
      const counts = compareRecords(scenario.reference, { truth, calls });
      assert.equal(counts.falseNegatives, 1);
      assert.equal(counts.falsePositives, 0);
    });
    fc.assert(property, RUNS);
  });

  it('reports a changed genotype as one false negative and one false positive', () => {
    const property = fc.property(sparse, fc.nat(), (scenario, choice) => {
      const truth = plain(scenario);
      const index = choice % truth.length;
      const calls = truth.map((record, at) =>
        at === index ? { ...record, genotype: record.genotype === '0/1' ? '1/1' : '0/1' } : record,
      );
      const counts = compareRecords(scenario.reference, { truth, calls });
      assert.equal(counts.falseNegatives, 1);
      assert.equal(counts.falsePositives, 1);
      assert.deepEqual(counts.genotypeErrors, { truth: 1, calls: 1 });
      const alleles = compareRecords(scenario.reference, { truth, calls }, 'allele');
      assert.equal(alleles.falseNegatives + alleles.falsePositives, 0);
    });
    fc.assert(property, RUNS);
  });

  it('reports an added call as exactly one false positive', () => {
    const property = fc.property(sparse, fc.nat({ max: 60 }), (scenario, at) => {
      const { reference } = scenario;
      const truth = plain(scenario);
      const ref = reference.charAt(at + 4);
      const added = { pos1: at + 5, ref, alts: [rotateBases(ref, 1)], genotype: '0/1' };
      const counts = compareRecords(reference, { truth, calls: [added, ...truth] });
      assert.equal(counts.truePositivesTruth, truth.length);
      assert.equal(counts.falsePositives, 1);
    });
    fc.assert(property, RUNS);
  });

  it('swaps false negatives and false positives when truth and calls are swapped', () => {
    const how = fc.array(rewritings, { minLength: 8, maxLength: 8 });
    const keep = fc.array(fc.boolean(), { minLength: 32, maxLength: 32 });
    const property = fc.property(dense, how, keep, (scenario, hows, kept) => {
      const truth = plain(scenario).filter((_, index) => kept[index]);
      const rewritten = rewriteAll(scenario, (index) => hows[index] ?? NONE);
      const calls = rewritten.filter((_, index) => kept[31 - index]);
      const one = compareRecords(scenario.reference, { truth, calls });
      const other = compareRecords(scenario.reference, { truth: calls, calls: truth });
      assert.equal(one.falseNegatives, other.falsePositives);
      assert.equal(one.falsePositives, other.falseNegatives);
    });
    fc.assert(property, RUNS);
  });
});

const NONE = { splits: false, padding: 0, shift: 0 };
