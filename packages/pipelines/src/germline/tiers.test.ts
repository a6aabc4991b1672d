import assert from 'node:assert/strict';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { canonicalDigest } from '../canonical/canonical-digest.ts';
import { TIERS_JSON, tellTiers } from './tiers.ts';

const HEADER =
  '##fileformat=VCFv4.2\n##contig=<ID=chr1,length=1000>\n' +
  '##FORMAT=<ID=GT,Number=1,Type=String,Description="Genotype">\n' +
  '#CHROM\tPOS\tID\tREF\tALT\tQUAL\tFILTER\tINFO\tFORMAT\tS1\n';

let folder = '';
before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'helixmesh-tiers-'));
});
after(() => rm(folder, { recursive: true, force: true }));

/** Tiers of two calls, and the canonical digest of their file. */
async function tiersOf(quality: string) {
  const calls = join(folder, 'calls.vcf');
  const record = (pos: number, qual: string) => `chr1\t${pos}\t.\tA\tG\t${qual}\t.\t.\tGT\t0/1\n`;
  await writeFile(calls, `${HEADER}${record(5, '60')}${record(9, quality)}`);
  const args = { calls: 'calls.vcf', caller: 'freebayes' };
  await tellTiers({ folder, args, threads: 1, progress: () => {} });
  const tiers = await readFile(join(folder, TIERS_JSON), 'utf8');
  return { tiers, canonical: (await canonicalDigest(calls, 'vcf')).digest };
}

test('a quality that makes another tier has other tiers, and the same canonical digest', async () => {
  const passed = await tiersOf('20.5');
  for (const quality of ['19.5', '0.5', '47']) {
    const other = await tiersOf(quality);
    assert.equal(other.canonical, passed.canonical);
    assert.notEqual(other.tiers, passed.tiers, quality);
  }
  assert.equal(JSON.parse(passed.tiers).records, 2);
});

test('last digits of a quality, and all of one that means nothing, make no difference', async () => {
  assert.equal((await tiersOf('20.50001')).tiers, (await tiersOf('20.50002')).tiers);
  assert.equal((await tiersOf('3e-15')).tiers, (await tiersOf('1e-14')).tiers);
});
