/** Genome in a Bottle HG002: the product is nowhere worse than the plain caller on its own BAM. */
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { realData, skipReason } from '@helixmesh/pipelines/testing/real-data';
import { shell } from '@helixmesh/pipelines/testing/shell';
import { assertNowhereWorse, compareWithPlain, counts } from './plain.ts';
import { type Node, startNode, WITHOUT_SNPEFF } from './product.ts';

const SET = 'giab_hg002_chr20';
const data = realData(SET);

describe('real reads of HG002', { skip: data === null && skipReason(SET) }, () => {
  const at = (name: string) => join(data ?? '', name);
  const inputs = {
    reference: at('chr20.fa.gz'),
    truth: at('truth_v4.2.1.vcf.gz'),
    confident: at('confident_v4.2.1.bed'),
  };
  const r1 = at('HG002_R1.fastq.gz');
  const r2 = at('HG002_R2.fastq.gz');
  const { reference } = inputs;
  let node: Node;
  before(async () => {
    node = await startNode(WITHOUT_SNPEFF);
  });
  after(() => node?.stop());

  it('at 30x takes freebayes, and loses and invents nothing that plain freebayes does not', async (t) => {
    const product = await node.analyse('HG002', { r1, r2, reference });
    assert.deepEqual(product.plan, { shards: 1, caller: 'freebayes' });
    const folder = join(node.folder, 'plain-freebayes');
    const compared = await compareWithPlain({ ...inputs, folder, product, caller: 'freebayes' });
    assertNowhereWorse(t, compared);
    assert.deepEqual(counts(compared.cost), { product: '234/0/0', plain: '234/0/4' });
    assert.deepEqual(compared.cost.worse, []);
  });

  it('at 30x with bcftools is nowhere worse than plain bcftools, on the alignment made before', async (t) => {
    const product = await node.analyse('HG002', { r1, r2, reference, caller: 'bcftools' });
    assert.equal(product.plan.caller, 'bcftools');
    const folder = join(node.folder, 'plain-bcftools');
    const compared = await compareWithPlain({ ...inputs, folder, product, caller: 'bcftools' });
    assertNowhereWorse(t, compared);
    assert.deepEqual(counts(compared.cost), { product: '232/2/2', plain: '232/2/2' });
  });

  it('at 10x takes bcftools, and is nowhere worse than either plain caller', async (t) => {
    const thin = { r1: join(node.folder, 'thin_R1.fq'), r2: join(node.folder, 'thin_R2.fq') };
    // Every third pair, by its place in the file.
    const third = 'gzip -dc "$FROM" | awk \'int((NR - 1) / 4) % 3 == 0\' > "$TO"';
    await shell(node.folder, third, { FROM: r1, TO: thin.r1 });
    await shell(node.folder, third, { FROM: r2, TO: thin.r2 });
    const auto = await node.analyse('HG002-10X', { ...thin, reference });
    assert.equal(auto.plan.caller, 'bcftools');
    const forced = await node.analyse('HG002-10X', { ...thin, reference, caller: 'freebayes' });
    for (const [caller, product] of [
      ['bcftools', auto],
      ['freebayes', forced],
    ] as const) {
      const folder = join(node.folder, `plain-10x-${caller}`);
      const compared = await compareWithPlain({ ...inputs, folder, product, caller });
      assertNowhereWorse(t, compared);
    }
  });

  it('of one file of mates alone gives a single-end result that finds most of the truth', async (t) => {
    const product = await node.analyse('HG002-R1', { r1, reference });
    const qc = await product.json('.qc.json');
    assert.equal(qc.layout, 'single');
    assert.equal(qc.insertSize, null);
    const caller = product.plan.caller;
    const folder = join(node.folder, 'plain-single');
    const compared = await compareWithPlain({ ...inputs, folder, product, caller });
    assertNowhereWorse(t, compared);
    assert.ok(compared.cost.a.all.truePositivesTruth >= 0.9 * 234);
  });
});
