import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import {
  allele,
  bases,
  dateText,
  fixedBeside,
  frequency,
  grouped,
  hgvs,
  metricValue,
  regionText,
} from './format.ts';

test('figures are grouped by thousands, and read back', () => {
  assert.equal(grouped(1_234_567), '1,234,567');
  fc.assert(fc.property(fc.nat(), (value) => Number(grouped(value).replaceAll(',', '')) === value));
});

test('a rare allele keeps two significant digits', () => {
  assert.equal(frequency(0.0000041), '0.0000041');
  assert.equal(frequency(0.000112), '0.00011');
  assert.equal(frequency(0.1532), '0.1532');
  assert.equal(frequency(0), '0');
  assert.equal(frequency(null), '–');
});

test('a long allele is told by its first letters and its true length', () => {
  assert.equal(allele('ACGTACGTACGTACGTAC'), 'ACGTACGTACGTACGTAC');
  assert.equal(allele('ACGTACGTACGTACGTACG'), 'ACGTACGT…(19 bp)');
  assert.equal(allele('ACGT'.repeat(250), 12_345), 'ACGTACGT…(12,345 bp)');
  assert.equal(hgvs(`c.5_6ins${'ACGT'.repeat(5)}`), 'c.5_6insACGTACGT…(20 bp)');
});

test('regions are shown 1-based and inclusive', () => {
  assert.equal(regionText({ refName: 'chr1', start: 0, end: 1000 }), 'chr1:1–1,000');
});

test('dates, lengths and percentages read as people write them', () => {
  assert.equal(dateText('2026-03-04T23:59:59Z'), '4 March 2026');
  assert.equal(bases(3_099_922_541), '3.10 Gb');
  assert.equal(metricValue({ value: 0.0004, unit: 'fraction', limits: null }), '0.04 %');
  assert.equal(metricValue({ value: null, unit: 'bases', limits: null }), 'not applicable');
});

test('a figure below its limit is never printed as the limit', () => {
  const beside = (
    value: number,
    unit: 'depth' | 'fraction' | 'bases',
    warn: number,
    fail: number,
  ) => metricValue({ value, unit, limits: { warn, fail } });
  assert.equal(beside(29.96, 'depth', 30, 15), '29.96×');
  assert.equal(beside(29.999_96, 'depth', 30, 15), '29.99996×');
  assert.equal(beside(30, 'depth', 30, 15), '30.0×');
  assert.equal(beside(35.21, 'depth', 30, 15), '35.2×');
  assert.equal(beside(0.8496, 'fraction', 0.85, 0.75), '84.96 %');
  assert.equal(beside(0.0504, 'fraction', 0.05, 0.1), '5.04 %');
  assert.equal(beside(249.6, 'bases', 250, 150), '249.6 bp');
  assert.equal(frequency(0.009_96), '0.00996');
});

test('rounding never moves a figure onto a limit or over it', () => {
  const limit = fc.integer({ min: 1, max: 999 }).map((whole) => whole / 1000);
  const near = fc.oneof(
    fc.double({ min: -0.002, max: 0.002, noNaN: true }),
    fc.constantFrom(0, 1e-9, -1e-9),
  );
  fc.assert(
    fc.property(limit, near, fc.constantFrom(0 as const, 2 as const), (at, off, exponent) => {
      const value = Math.max(0, at + off);
      const text = fixedBeside(value, 1, { limits: [at], exponent });
      const shown = Number(`${text}e-${exponent}`);
      assert.equal(Math.sign(shown - at), Math.sign(value - at), text);
      assert(Math.abs(shown - value) <= 0.05 + 1e-6, text);
    }),
  );
});
