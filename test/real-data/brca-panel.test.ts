/** A clinical panel: the planted variant of the patient is reported, and nothing of the control. */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { realData, skipReason } from '@helixmesh/pipelines/testing/real-data';
import { type Node, type Product, startNode } from './product.ts';

const SET = 'brca_panel_grch38';
/** Of NM_007294.3 and NM_000059.3, stop codons included: 5,592 and 10,257. */
const CODING_BASES = 15_849;
const data = realData(SET);

interface Group {
  readonly category: string;
  readonly total: number;
  readonly findings: readonly Readonly<Record<string, unknown>>[];
}

describe('the BRCA panel', { skip: data === null && skipReason(SET) }, () => {
  const at = (name: string) => join(data ?? '', name);
  const analyse = (patient: string) =>
    node.analyse(patient, {
      r1: at(`${patient}_R1.fastq.gz`),
      r2: at(`${patient}_R2.fastq.gz`),
      reference: at('ref.fa'),
      gff: at('genes.gff3.gz'),
      clinvar: at('clinvar.slice.vcf.gz'),
    });
  const group = async (product: Product, category: string): Promise<Group> => {
    const { groups } = (await product.json('.findings.json')) as { groups: Group[] };
    const found = groups.find((each) => each.category === category);
    assert.ok(found !== undefined, category);
    return found;
  };
  let node: Node;
  before(async () => {
    node = await startNode();
  });
  after(() => node?.stop());

  it('reports the pathogenic variant of the father with its ClinVar record, and the uncertain one', async () => {
    const product = await analyse('father');
    const pathogenic = await group(product, 'pathogenic');
    assert.equal(pathogenic.total, 1);
    const [finding] = pathogenic.findings;
    assertFields(finding, {
      gene: 'BRCA1',
      transcript: 'NM_007294.3',
      hgvsC: 'c.5266dupC',
      hgvsP: 'p.Gln1756fs',
      refName: 'chr17',
      pos1: 57_062,
      ref: 'T',
      alt: 'TG',
      genotype: '0/1',
      rsId: 'rs80357906',
    });
    assertFields(finding?.['clinvar'], {
      significance: 'Pathogenic',
      variationId: '17677',
      stars: 3,
      reviewStatus: 'reviewed by expert panel',
    });
    const uncertain = await group(product, 'uncertain significance');
    assert.equal(uncertain.total, 1);
    assertFields(uncertain.findings[0], { gene: 'BRCA2', hgvsC: 'c.8918G>C' });
    assertFields(uncertain.findings[0]?.['clinvar'], { variationId: '462504' });
    assert.equal((await group(product, 'likely pathogenic')).total, 0);
    const { lowCoverage } = await product.json('.report.json');
    assert.equal(lowCoverage.examinedBases, CODING_BASES);
    await assertPages(product);
  });

  it('reports nothing pathogenic of the control', async () => {
    const product = await analyse('control');
    assert.equal((await group(product, 'pathogenic')).total, 0);
    assert.equal((await group(product, 'likely pathogenic')).total, 0);
    assert.ok((await group(product, 'benign')).total > 100);
    assert.doesNotMatch(pdfText(product), /c\.5266dupC/);
  });
});

/** PDF and page say to people what the data say. */
async function assertPages(product: Product): Promise<void> {
  const pdf = pdfText(product);
  const html = await readFile(product.file('.report.html'), 'utf8');
  for (const text of [pdf, html]) {
    for (const word of ['BRCA1', 'c.5266dupC', 'p.Gln1756fs', 'NM_007294.3', 'Pathogenic']) {
      assert.ok(text.includes(word), word);
    }
    for (const word of ['Variation 17677', 'reviewed by expert panel', 'rs80357906']) {
      assert.ok(text.includes(word), word);
    }
  }
}

function pdfText(product: Product): string {
  return execFileSync('pdftotext', ['-layout', product.file('.report.pdf'), '-'], {
    encoding: 'utf8',
  });
}

function assertFields(actual: unknown, expected: Readonly<Record<string, unknown>>): void {
  const shown = actual as Readonly<Record<string, unknown>> | undefined;
  const picked = Object.fromEntries(Object.keys(expected).map((name) => [name, shown?.[name]]));
  assert.deepEqual(picked, expected);
}
