import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, it, type TestContext } from 'node:test';
import { compareSites } from './compare-sites.ts';
import { type EvaluatedSite, evaluate } from './evaluate.ts';
import { evaluationResultSchema } from './schema.ts';
import { formatSite } from './sites-tsv.ts';

const BASES = 'ACGTTGCAAGCTCATGGATCCTAGTGACCATGCATTAGC';
const HEADER = '##fileformat=VCFv4.2\n#CHROM\tPOS\tID\tREF\tALT\tQUAL\tFILTER\tINFO\tFORMAT\tS1\n';

interface Files {
  readonly truth: string;
  readonly calls: string;
  readonly reference: string;
  readonly confident: string;
}

/** Writes the files; a record is `CHROM POS REF ALT GT`, optionally with a FILTER. */
async function files(
  t: TestContext,
  lists: { truth: readonly string[]; calls: readonly string[]; bed?: string },
): Promise<Files> {
  const folder = await mkdtemp(join(tmpdir(), 'helixmesh-evaluate-'));
  t.after(() => rm(folder, { recursive: true, force: true }));
  const path = (name: string): string => join(folder, name);
  const vcf = (records: readonly string[]): string =>
    HEADER +
    records
      .map((text) => {
        const [chrom, pos, ref, alt, genotype, filter = '.'] = text.split(' ');
        return `${[chrom, pos, '.', ref, alt, '.', filter, '.', 'GT', genotype].join('\t')}\n`;
      })
      .join('');
  await writeFile(path('truth.vcf'), vcf(lists.truth));
  await writeFile(path('calls.vcf'), vcf(lists.calls));
  await writeFile(
    path('ref.fa'),
    `>c1\n${BASES.slice(0, 20)}\n${BASES.slice(20)}\n>c2\n${BASES}\n`,
  );
  const length = BASES.length;
  await writeFile(path('ref.fa.fai'), `c1\t${length}\t4\t20\t21\nc2\t${length}\t49\t40\t41\n`);
  await writeFile(path('confident.bed'), lists.bed ?? 'c1\t0\t30\nc2\t0\t30\n');
  return {
    truth: path('truth.vcf'),
    calls: path('calls.vcf'),
    reference: path('ref.fa'),
    confident: path('confident.bed'),
  };
}

describe('evaluate', () => {
  it('counts contig by contig, records inside of the confident regions only', async (t) => {
    const paths = await files(t, {
      truth: ['c1 5 T A 0/1', 'c1 25 T A 0/1', 'c2 10 G C 1/1', 'c2 35 T A 0/1'],
      calls: ['c1 5 T A 0/1', 'c2 10 G C 0/1', 'c2 36 T A 0/1'],
    });
    const result = await evaluate(paths);
    evaluationResultSchema.parse(result);
    assert.equal(result.all.truePositivesTruth, 1);
    assert.equal(result.all.falseNegatives, 2);
    assert.equal(result.all.falsePositives, 1);
    assert.equal(result.all.recall, 1 / 3);
    assert.equal(result.all.precision, 0.5);
    assert.equal(result.indel.f1, null);
    const { confident: _, ...everywhere } = paths;
    assert.equal((await evaluate(everywhere)).all.falsePositives, 2);
  });

  it('counts a call outside that matches truth inside, as vcfeval does', async (t) => {
    const paths = await files(t, {
      truth: ['c1 9 A AA 0/1'],
      calls: ['c1 7 C CA 0/1'],
      bed: 'c1\t9\t12\n',
    });
    const { all } = await evaluate(paths);
    assert.deepEqual([all.truePositivesTruth, all.truePositivesCalls], [1, 1]);
  });

  it('leaves out records that failed a filter unless all are asked for', async (t) => {
    const paths = await files(t, {
      truth: ['c1 5 T A 0/1'],
      calls: ['c1 5 T A 0/1 LowQual', 'c1 8 A G 0/1 PASS'],
    });
    const passed = await evaluate(paths);
    assert.equal(passed.all.falseNegatives, 1);
    assert.equal(passed.all.falsePositives, 1);
    assert.equal(passed.ignored.calls.filtered, 1);
    const all = await evaluate({ ...paths, isAllRecords: true });
    assert.equal(all.all.falseNegatives, 0);
  });

  it('lists each site with its verdict', async (t) => {
    const paths = await files(t, { truth: ['c1 5 T A 1/1'], calls: ['c1 5 T A 0/1'] });
    const sites: EvaluatedSite[] = [];
    await evaluate({ ...paths, onSite: (site) => sites.push(site) });
    assert.deepEqual(sites.map(formatSite), [
      'c1\t5\tT\tA\t1/1\tFN\tgenotype\tsnp\n',
      'c1\t5\tT\tA\t0/1\tFP\tgenotype\tsnp\n',
    ]);
  });

  it('refuses an unknown contig, another order, and a sample that is not there', async (t) => {
    const paths = await files(t, { truth: ['c1 5 T A 0/1'], calls: ['chr1 5 T A 0/1'] });
    await assert.rejects(evaluate(paths), { code: 'CONTIG_MISMATCH' });
    const swapped = await files(t, { truth: [], calls: ['c2 5 T A 0/1', 'c1 5 T A 0/1'] });
    await assert.rejects(evaluate(swapped), { code: 'INPUT_MALFORMED' });
    await assert.rejects(evaluate({ ...swapped, truthSample: 'S2' }), { code: 'USAGE' });
    const compressed = { ...swapped, reference: swapped.truth };
    await assert.rejects(evaluate(compressed), { code: 'INPUT_NOT_FOUND' });
  });

  it('stops when asked to', async (t) => {
    const paths = await files(t, { truth: [], calls: [] });
    await assert.rejects(evaluate({ ...paths, signal: AbortSignal.abort() }), { code: 'CANCELED' });
  });
});

describe('compareSites', () => {
  it('names sites where the first is wrong and the second right, equal counts or not', async (t) => {
    const truth = ['c1 5 T A 0/1', 'c1 15 T A 0/1'];
    const a = await files(t, { truth, calls: ['c1 5 T A 0/1', 'c1 20 T A 0/1', 'c1 26 G C 0/1'] });
    const b = await files(t, { truth, calls: ['c1 15 T A 0/1', 'c1 20 T C 0/1'] });
    const { calls: _, ...shared } = a;
    const compared = await compareSites({ ...shared, callsA: a.calls, callsB: b.calls });
    const worse = compared.worse.map(({ status, pos1 }) => `${status} ${pos1}`);
    assert.deepEqual(worse, ['FN 15', 'FP 26']);
    assert.deepEqual(
      compared.better.map(({ status, pos1 }) => `${status} ${pos1}`),
      ['FN 5'],
    );
  });
});
