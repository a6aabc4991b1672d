/** Twelve kilobases of NA12878 as a smoke test; its truth is of an old release. */
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { evaluate } from '@helixmesh/pipelines';
import { realData, skipReason } from '@helixmesh/pipelines/testing/real-data';
import { type Node, startNode, WITHOUT_SNPEFF } from './product.ts';

const SET = 'na12878_chr22_tiny';
const data = realData(SET);

describe('real reads of NA12878', { skip: data === null && skipReason(SET) }, () => {
  const at = (name: string) => join(data ?? '', name);
  let node: Node;
  before(async () => {
    node = await startNode(WITHOUT_SNPEFF);
  });
  after(() => node?.stop());

  it('find at least 12 of the 14 known variants', async (t) => {
    const product = await node.analyse('NA12878', {
      r1: at('NA12878_R1.fastq.gz'),
      r2: at('NA12878_R2.fastq.gz'),
      reference: at('ref.fa'),
    });
    const { all } = await evaluate({
      truth: at('truth.vcf.gz'),
      calls: product.file('.vcf.gz'),
      reference: at('ref.fa'),
      confident: at('confident.bed'),
      isAllRecords: true,
    });
    t.diagnostic(`${product.plan.caller} TP/FN/FP ${all.truePositivesTruth}/${all.falseNegatives}`);
    assert.equal(all.truePositivesTruth + all.falseNegatives, 14);
    assert.ok(all.truePositivesTruth >= 12, `${all.truePositivesTruth} of 14`);
  });
});
