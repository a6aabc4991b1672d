import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { realData, skipReason } from '../testing/real-data.ts';
import { shell } from '../testing/shell.ts';
import { compareSites } from './compare-sites.ts';
import { evaluate } from './evaluate.ts';
import { plainBam, plainCalls } from './testing/plain-callers.ts';

/** TP/FN/FP that rtg vcfeval gave for the plain callers on HG002 at 30×, genotypes compared. */
const VCFEVAL = [
  { calls: 'freebayes.vcf', expected: [234, 0, 4] },
  { calls: 'freebayes.vcf', filter: 'QUAL>1', expected: [234, 0, 0] },
  { calls: 'freebayes.vcf', filter: 'QUAL>20', expected: [232, 2, 0] },
  { calls: 'bcftools.vcf', expected: [232, 2, 2] },
  { calls: 'bcftools.vcf', filter: 'QUAL>1', expected: [232, 2, 2] },
  { calls: 'bcftools.vcf', filter: 'QUAL>20', expected: [231, 3, 2] },
];

describe('evaluate on Genome in a Bottle HG002', () => {
  const set = 'giab_hg002_chr20';
  const data = realData(set);

  it('reproduces what rtg vcfeval counts for the plain callers', async (t) => {
    if (data === null) return t.skip(skipReason(set));
    const folder = await mkdtemp(join(tmpdir(), 'helixmesh-giab-'));
    t.after(() => rm(folder, { recursive: true, force: true }));
    await shell(folder, 'bgzip -dc "$DATA/chr20.fa.gz" > ref.fa', { DATA: data });
    const r1 = join(data, 'HG002_R1.fastq.gz');
    await plainBam({ folder, r1, r2: join(data, 'HG002_R2.fastq.gz') });
    await plainCalls(folder);
    const inputs = {
      truth: join(data, 'truth_v4.2.1.vcf.gz'),
      confident: join(data, 'confident_v4.2.1.bed'),
      reference: join(folder, 'ref.fa'),
    };
    for (const { calls, filter = 'QUAL>=0', expected } of VCFEVAL) {
      await shell(folder, `bcftools view -i '${filter}' -O z -o filtered.vcf.gz ${calls}`);
      const { all } = await evaluate({ ...inputs, calls: join(folder, 'filtered.vcf.gz') });
      const counted = [all.truePositivesTruth, all.falseNegatives, all.falsePositives];
      assert.deepEqual(counted, expected, `${calls} ${filter}`);
    }
    // bcftools calls both alternative-homozygous indels heterozygous: right allele, wrong genotype.
    const bcftools = await evaluate({ ...inputs, calls: join(folder, 'bcftools.vcf') });
    assert.deepEqual(bcftools.genotypeErrors, { truth: 2, calls: 2 });
    await shell(folder, "bcftools view -i 'QUAL>1' -o freebayes1.vcf freebayes.vcf");
    const comparison = await compareSites({
      ...inputs,
      callsA: join(folder, 'freebayes1.vcf'),
      callsB: join(folder, 'bcftools.vcf'),
    });
    assert.deepEqual(comparison.worse, []);
    assert.equal(comparison.better.length, 4);
  });
});
