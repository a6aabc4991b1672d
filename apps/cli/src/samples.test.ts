import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { AppError } from '@helixmesh/protocol';
import { readSamples } from './samples.ts';

async function sheet(text: string) {
  const folder = await mkdtemp(join(tmpdir(), 'hm-sheet-'));
  try {
    const samplesheet = join(folder, 'samples.csv');
    await writeFile(samplesheet, text);
    return { folder, samples: await readSamples({ samplesheet, sex: 'infer' }) };
  } finally {
    await rm(folder, { recursive: true });
  }
}

test('a sheet gives one sample for each row, paths relative to the sheet', async () => {
  const { folder, samples } = await sheet(
    '\uFEFFSample, R1 ,R2,sex\nA,a_1.fq,a_2.fq,XX\n\n"B",/abs/b.fq.gz,,\n',
  );
  assert.deepEqual(samples, [
    { sampleId: 'A', r1: join(folder, 'a_1.fq'), r2: join(folder, 'a_2.fq'), sex: 'XX' },
    { sampleId: 'B', r1: '/abs/b.fq.gz', r2: null, sex: 'infer' },
  ]);
});

const BAD: readonly (readonly [what: string, text: string, code: string, message: RegExp])[] = [
  ['an unknown column', 'sample,r1,reads\nA,a,b\n', 'INPUT_MALFORMED', /line 1: unknown column/],
  [
    'a row without reads',
    'sample,r1\nA,a\nB,\n',
    'INPUT_MALFORMED',
    /line 3: sample or r1 is empty/,
  ],
  ['a sample twice', 'sample,r1\nA,a\nA,b\n', 'INPUT_MALFORMED', /line 3: .*in line 2/],
  ['a bad sample name', 'sample,r1\n../A,a\n', 'INPUT_MALFORMED', /line 2: not a sample name/],
  ['a sex of its own', 'sample,r1,sex\nA,a,male\n', 'INPUT_MALFORMED', /line 2: sex is male/],
  ['too few fields', 'sample,r1,r2\nA,a\n', 'INPUT_MALFORMED', /line 2/],
  ['no row', 'sample,r1\n', 'INPUT_EMPTY', /no samples/],
];

for (const [what, text, code, message] of BAD) {
  test(`a sheet with ${what} is refused by line`, async () => {
    await assert.rejects(sheet(text), (error) => {
      assert.ok(error instanceof AppError);
      assert.equal(error.code, code);
      assert.match(error.message, message);
      assert.ok(error.hint);
      return true;
    });
  });
}

test('flags and a sheet exclude each other, and one of them is needed', async () => {
  const usage = { code: 'USAGE' };
  await assert.rejects(readSamples({ sex: 'infer' }), usage);
  await assert.rejects(readSamples({ sex: 'infer', sample: 'A' }), usage);
  await assert.rejects(readSamples({ sex: 'infer', samplesheet: 'x.csv', sample: 'A' }), usage);
  await assert.rejects(readSamples({ sex: 'infer', samplesheet: '/nowhere/x.csv' }), {
    code: 'INPUT_NOT_FOUND',
  });
});
