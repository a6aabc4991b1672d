import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseTime } from '../parse-time.ts';
import { mediaTypeOf } from './source-file.ts';
import {
  many,
  parseAccounts,
  parseBytes,
  parseNames,
  parseRegion,
  parseTiers,
  parseZones,
  purposeOf,
  termsOf,
  termsText,
} from './terms-options.ts';
import { transferText } from './transfer-progress.ts';

test('zones and pipelines are sorted, each once, and what is none is refused', () => {
  assert.deepEqual(parseZones('MX, EU,EU'), ['EU', 'MX']);
  assert.deepEqual(parseNames('read,germline'), ['germline', 'read']);
  for (const text of ['', 'eu', 'EU,', 'Europe', 'EU;MX']) assert.throws(() => parseZones(text));
  for (const text of ['', 'Germline', 'a,,b', '../x']) assert.throws(() => parseNames(text));
});

test('operators are accounts in small letters, tiers those that there are', () => {
  const [one, two] = [`0x${'a1'.repeat(20)}`, `0x${'0b'.repeat(20)}`];
  assert.deepEqual(parseAccounts(`0x${'A1'.repeat(20)}, ${two},${one}`), [two, one]);
  assert.deepEqual(parseTiers('gpu, ai,gpu'), ['ai', 'gpu']);
  for (const text of ['', '3', `${one},`, one.slice(1), `${one}0`]) {
    assert.throws(() => parseAccounts(text));
  }
  for (const text of ['', 'GPU', 'gpu,', 'big']) assert.throws(() => parseTiers(text));
});

test('regions are 1-based with both ends in, as in samtools; inside 0-based half-open', () => {
  assert.deepEqual(parseRegion('chr7:1,001-2,000'), { refName: 'chr7', start: 1000, end: 2000 });
  assert.deepEqual(parseRegion('HLA-A*01:01:1-5'), { refName: 'HLA-A*01:01', start: 0, end: 5 });
  assert.deepEqual(parseRegion('chrM'), { refName: 'chrM', start: 0, end: 2 ** 31 });
  for (const text of ['', 'chr7:', 'chr7:0-5', 'chr7:9-5', 'chr7:5', ':1-2', 'chr7:a-b']) {
    assert.throws(() => parseRegion(text));
  }
});

test('bytes are counted from 0, without the last number', () => {
  assert.deepEqual(parseBytes('0-1024'), { start: 0, end: 1024 });
  for (const text of ['5-5', '9-5', '-1-5', '1-', '1.5-2', '0-99999999999999999']) {
    assert.throws(() => parseBytes(text));
  }
  const both = many(parseBytes);
  assert.deepEqual(both('5-6', both('0-1')), [
    { start: 0, end: 1 },
    { start: 5, end: 6 },
  ]);
});

test('times are dates, or name their zone', () => {
  assert.equal(parseTime('2027-01-31'), Date.UTC(2027, 0, 31));
  assert.equal(parseTime('2027-01-31T12:00+02:00'), Date.UTC(2027, 0, 31, 10));
  for (const text of ['tomorrow', '2027', '2027-13-01', '2027-01-31T12:00', '31.01.2027']) {
    assert.throws(() => parseTime(text));
  }
});

test('what is not said allows any pipeline and place, and nothing commercial', () => {
  const terms = termsOf({});
  assert.deepEqual(terms, { pipelines: null, zones: null, commercialUse: false });
  assert.equal(termsText(terms), 'any pipeline; anywhere; no commercial use');
  const purpose = { pipeline: 'read', zone: 'ZZ', isCommercial: false };
  assert.deepEqual(purposeOf({ pipeline: 'read' }), purpose);
});

test('files are known by the end of their names', () => {
  assert.equal(mediaTypeOf('A.VCF.gz'), 'application/vnd.ga4gh.vcf');
  assert.equal(mediaTypeOf('sample.bam'), 'application/vnd.ga4gh.bam');
  assert.equal(mediaTypeOf('bam'), 'application/octet-stream');
});

test('progress says share, rate and the time that is left', () => {
  const mib = 1024 * 1024;
  assert.equal(
    transferText(10 * mib, 40 * mib, { bytes: 5 * mib, ms: 1_000 }),
    '10.0 MiB of 40.0 MiB  25 %  5.0 MiB/s  6.0 s left',
  );
  assert.equal(transferText(0, 0, { bytes: 0, ms: 0 }), '0 B of 0 B  100 %');
  const done = transferText(mib, mib, { bytes: mib, ms: 500 });
  assert.equal(done, '1.0 MiB of 1.0 MiB  100 %  2.0 MiB/s');
});
