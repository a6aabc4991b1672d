import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import {
  allele,
  bases,
  dateText,
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
  assert.equal(metricValue({ value: 0.0004, unit: 'fraction' }), '0.04 %');
  assert.equal(metricValue({ value: null, unit: 'bases' }), 'not applicable');
});
