/** Real HG002 sequence as 24 contigs: the fan-out is nowhere worse than one plain freebayes. */
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { realData, skipReason } from '@helixmesh/pipelines/testing/real-data';
import { assertNowhereWorse, compareWithPlain } from './plain.ts';
import { type Node, startNode, WITHOUT_SNPEFF } from './product.ts';

const SET = 'mini24_hg002';
const data = realData(SET);

describe('24 contigs of HG002', { skip: data === null && skipReason(SET) }, () => {
  const at = (name: string) => join(data ?? '', name);
  let node: Node;
  before(async () => {
    node = await startNode(WITHOUT_SNPEFF);
  });
  after(() => node?.stop());

  it('are called in 24 shards, none of which is worse than plain freebayes anywhere', async (t) => {
    const product = await node.analyse('MINI24', {
      r1: at('HG002sim_R1.fastq.gz'),
      r2: at('HG002sim_R2.fastq.gz'),
      reference: at('ref.fa'),
    });
    assert.deepEqual(product.plan, { shards: 24, caller: 'freebayes' });
    const compared = await compareWithPlain({
      folder: join(node.folder, 'plain'),
      product,
      caller: 'freebayes',
      reference: at('ref.fa'),
      truth: at('truth.vcf.gz'),
      confident: at('confident.bed'),
    });
    assertNowhereWorse(t, compared);
    // What dropping QUAL at most 1 costs here: three long indels that 3 to 5 reads of 15 to 26
    // carry. They stay in the unfiltered file. It mends two sites with false calls.
    const { a, b, worse, better } = compared.cost;
    assert.deepEqual(
      worse.map(({ contig, pos1, status }) => `${status} ${contig}:${pos1}`),
      ['FN chr6:12206', 'FN chr12:49486', 'FN chr15:10014'],
    );
    assert.equal(better.length, 2);
    assert.ok((a.all.f1 ?? 0) >= 0.9935 && (b.all.f1 ?? 0) >= 0.9935, `F1 is ${a.all.f1}`);
    // Both contigs are slices of chromosome 20 at full depth: no sex may be made up from that.
    const { sex } = await product.json('.qc.json');
    assert.deepEqual([sex.karyotype, sex.basis], ['undetermined', 'not determined']);
  });
});
