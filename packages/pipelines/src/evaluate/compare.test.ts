import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { MAX_ALLELE_BASES } from './limits.ts';
import { leftAligned, shiftSpan, trimAllele } from './normalise.ts';
import { RegionSet } from './regions.ts';
import { compareRecords } from './testing/scenario.ts';
import { recordSpan, type SmallVariantRecord } from './variant.ts';

//               0         1         2         3         4         5
//               0123456789012345678901234567890123456789012345678901234
const REFERENCE = 'ACGTTGCAAGCTCACACACACATGGATCCTAGTTTTTTTTGACCATGCATTAGC';

function record(text: string): SmallVariantRecord {
  const [pos1 = '', ref = '', alts = '', genotype = ''] = text.split(' ');
  return { pos1: Number(pos1), ref, alts: alts.split(','), genotype };
}

/** [TP truth, TP calls, FN, FP] of two lists of `POS REF ALT GT`. */
function compared(truth: readonly string[], calls: readonly string[], mode?: 'allele'): number[] {
  const lists = { truth: truth.map(record), calls: calls.map(record) };
  const counts = compareRecords(REFERENCE, lists, mode);
  const { truePositivesTruth, truePositivesCalls, falseNegatives, falsePositives } = counts;
  return [truePositivesTruth, truePositivesCalls, falseNegatives, falsePositives];
}

describe('comparison of small variants', () => {
  it('matches an MNP with its SNPs, counting each side in its own records', () => {
    assert.deepEqual(compared(['6 G A 0/1', '8 A T 0/1'], ['6 GCA ACT 0/1']), [2, 1, 0, 0]);
    assert.deepEqual(compared(['6 GCA ACT 1/1'], ['6 G A 1/1', '8 A T 1/1']), [1, 2, 0, 0]);
  });

  it('does not match an MNP with one of its SNPs', () => {
    assert.deepEqual(compared(['6 G A 0/1', '8 A T 0/1'], ['6 G A 0/1']), [1, 1, 1, 0]);
    assert.deepEqual(compared(['6 G A 0/1'], ['6 GCA ACT 0/1']), [0, 0, 1, 1]);
  });

  it('matches SNPs of which one is homozygous with a block of two alleles', () => {
    assert.deepEqual(compared(['6 G A 1/1', '8 A T 0/1'], ['6 GCA ACT,ACA 1/2']), [2, 1, 0, 0]);
  });

  it('matches a multiallelic record with two records of one allele each', () => {
    assert.deepEqual(compared(['25 A C,G 1/2'], ['25 A C 0/1', '25 A G 0/1']), [1, 2, 0, 0]);
    assert.deepEqual(
      compared(['12 T TCA,TCACA 1/2'], ['12 T TCA 0/1', '22 A ACACA 0/1']),
      [1, 2, 0, 0],
    );
  });

  it('matches an indel shifted through a repeat of any length', () => {
    assert.deepEqual(compared(['12 TCA T 0/1'], ['20 CAC C 0/1']), [1, 1, 0, 0]);
    assert.deepEqual(compared(['32 GT G 1/1'], ['39 TT T 1/1']), [1, 1, 0, 0]);
  });

  it('matches an indel beside a substitution with the same written as a block', () => {
    assert.deepEqual(compared(['32 G C 0/1', '33 T TA 0/1'], ['32 GT CTA 0/1']), [2, 1, 0, 0]);
  });

  it('tells a wrong genotype from a wrong allele', () => {
    const counts = compareRecords(REFERENCE, {
      truth: [record('25 A C 1/1'), record('6 G A 0/1')],
      calls: [record('25 A C 0/1'), record('6 G T 0/1')],
    });
    assert.equal(counts.falseNegatives, 2);
    assert.deepEqual(counts.genotypeErrors, { truth: 1, calls: 1 });
  });

  it('ignores the genotype in allele mode', () => {
    assert.deepEqual(compared(['25 A C 1/1'], ['25 A C 0/1'], 'allele'), [1, 1, 0, 0]);
    assert.deepEqual(compared(['25 A C 1/1'], ['25 A G 0/1'], 'allele'), [0, 0, 1, 1]);
  });

  it('takes a haploid genotype for a homozygous one and phase for none', () => {
    assert.deepEqual(compared(['25 A C 1'], ['25 A C 1|1']), [1, 1, 0, 0]);
    assert.deepEqual(compared(['25 A C 1|0'], ['25 A C 0/1']), [1, 1, 0, 0]);
  });

  it('takes a missing allele of a half call for unchanged', () => {
    assert.deepEqual(compared(['25 A C 0/1'], ['25 A C ./1']), [1, 1, 0, 0]);
    assert.deepEqual(compared(['25 A C 1/1'], ['25 A C ./1']), [0, 0, 1, 1]);
  });

  it('leaves out what is no resolved variant or cannot be compared', () => {
    const long = `25 A ${'A'.repeat(MAX_ALLELE_BASES + 1)} 0/1`;
    const records = [
      '25 A C 0/0',
      '25 A C ./.',
      '25 A <DEL> 0/1',
      '25 A * 1/1',
      long,
      '25 A C 0/0/1',
    ];
    assert.deepEqual(compared(records, records), [0, 0, 0, 0]);
  });

  it('does not count two calls that cancel each other out as true', () => {
    const truth = ['25 A C 0/1'];
    const cancelling = ['32 G GT 1/1', '35 TT T 1/1'];
    assert.deepEqual(compared(truth, [...truth, ...cancelling]), [1, 1, 0, 2]);
  });

  it('counts a duplicate call once as true and once as false', () => {
    assert.deepEqual(compared(['25 A C 1/1'], ['25 A C 1/1', '25 A C 1/1']), [1, 1, 0, 1]);
  });

  it('gives a cluster up when it is too large, keeping the equal records', () => {
    // Insertions of 1, 2, 4 … bases in a run of A: every choice of them is a state of its own.
    const bases = `GC${'A'.repeat(200)}GTC`;
    const insertion = (index: number, size: number): SmallVariantRecord => {
      return { pos1: 5 + 10 * index, ref: 'A', alts: ['A'.repeat(size + 1)], genotype: '0/1' };
    };
    const truth = Array.from({ length: 10 }, (_, index) => insertion(index, 2 ** index));
    const extra = { pos1: 204, ref: 'T', alts: ['G'], genotype: '0/1' };
    const counts = compareRecords(bases, { truth, calls: [...truth, extra] });
    assert.equal(counts.truePositivesTruth, 10);
    assert.equal(counts.falsePositives, 1);
    const eight = truth.slice(0, 8);
    const other = eight.map((_, index) => insertion(index, 3 * 2 ** index));
    const givenUp = compareRecords(bases, { truth: eight, calls: other });
    assert.equal(givenUp.falseNegatives, 8);
    assert.equal(givenUp.falsePositives, 8);
  });
});

describe('alleles', () => {
  it('are trimmed at the end first, then at the beginning', () => {
    assert.deepEqual(trimAllele({ start: 4, ref: 'CAAA', alt: 'CAA' }), {
      start: 5,
      end: 6,
      bases: '',
    });
    assert.deepEqual(trimAllele({ start: 4, ref: 'ACG', alt: 'ATG' }), {
      start: 5,
      end: 6,
      bases: 'T',
    });
  });

  it('move to the leftmost place and know how far they can move', () => {
    const reference = {
      length: REFERENCE.length,
      slice: (start: number, end: number) => REFERENCE.slice(start, end),
    };
    const insertion = { start: 22, end: 22, bases: 'CA' };
    assert.deepEqual(leftAligned(insertion, reference), { start: 12, end: 12, bases: 'CA' });
    const deletion = { start: 39, end: 40, bases: '' };
    assert.deepEqual(shiftSpan(deletion, reference), { start: 32, end: 40 });
    const odd = { start: 21, end: 21, bases: 'CA' };
    assert.deepEqual(leftAligned(odd, reference), odd);
  });
});

describe('confident regions', () => {
  it('touch a record by its bases, an insertion by the base that follows', () => {
    const regions = new RegionSet([
      { start: 20, end: 30 },
      { start: 10, end: 20 },
    ]);
    const touches = (text: string): boolean => {
      const { start, end } = recordSpan(record(text));
      return regions.touches(start, end);
    };
    assert.equal(touches('10 A C 0/1'), false);
    assert.equal(touches('11 A C 0/1'), true);
    assert.equal(touches('30 A C 0/1'), true);
    assert.equal(touches('31 A C 0/1'), false);
    assert.equal(touches('10 A AT 0/1'), true);
    assert.equal(touches('30 A AT 0/1'), false);
    assert.equal(touches('9 AAA A 0/1'), true);
  });
});
