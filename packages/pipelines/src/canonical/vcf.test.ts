import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, it } from 'node:test';
import { canonicalDigest } from './canonical-digest.ts';

const HEADER = [
  '##fileformat=VCFv4.2',
  '##fileDate=20260101',
  '##source=freeBayes v1.3.6',
  '##reference=/tmp/x/ref.fa',
  '##commandline="freebayes -f /tmp/x/ref.fa"',
  '##contig=<ID=chr1,length=1000>',
  '##contig=<ID=chr2,length=1000>',
  '##INFO=<ID=DP,Number=1,Type=Integer,Description="Depth, total">',
  '##INFO=<ID=AB,Number=A,Type=Float,Description="Balance">',
  '##INFO=<ID=ODDS,Number=1,Type=Float,Description="Odds">',
  '##FORMAT=<ID=GT,Number=1,Type=String,Description="Genotype">',
  '##FORMAT=<ID=DP,Number=1,Type=Integer,Description="Depth">',
  '##FORMAT=<ID=GL,Number=G,Type=Float,Description="Likelihood">',
];
const RECORDS = [
  'chr1\t10\t.\tA\tC\t30.5\tPASS\tDP=20;AB=0.123456;ODDS=3.2\tGT:DP:GL\t0/1:20:-1.5,0,-3',
  'chr1\t10\t.\tA\tG\t12\tlow;bias\tDP=9\tGT:DP\t0/1:9',
  'chr2\t5\trs1\tAT\tA\t99\t.\tDP=5;AB=0\tGT:DP:GL\t1/1:5:-9,-1,0',
];
const folder = mkdtempSync(join(tmpdir(), 'vcf-'));
after(() => rmSync(folder, { recursive: true }));

async function digest(header: readonly string[], records: readonly string[]): Promise<string> {
  const path = join(folder, 'x.vcf');
  const columns = '#CHROM\tPOS\tID\tREF\tALT\tQUAL\tFILTER\tINFO\tFORMAT\ts';
  writeFileSync(path, `${[...header, columns, ...records].join('\n')}\n`);
  return (await canonicalDigest(path, 'vcf')).digest;
}

function edited(from: string, to: string): string[] {
  const text = RECORDS.join('\n');
  assert(text.includes(from));
  return text.replace(from, to).split('\n');
}

describe('the digest of a VCF file', () => {
  it('does not depend on dates, commands, paths, descriptions and unused definitions', async () => {
    const other = HEADER.filter((line) => !/^##(fileDate|source|reference|command)/.test(line))
      .map((line) => line.replace('Depth, total', 'Total'))
      .concat('##bcftools_normCommand=norm; Date=x', '##INFO=<ID=ZZ,Number=1,Type=String>');
    assert.equal(await digest(other, RECORDS), await digest(HEADER, RECORDS));
  });

  it('does not depend on the order of records, INFO, FORMAT and filters', async () => {
    const whole = await digest(HEADER, RECORDS);
    const [a = '', b = '', c = ''] = RECORDS;
    assert.equal(await digest(HEADER, [b, a, c]), whole);
    assert.equal(await digest(HEADER, [c, b, a]), whole);
    assert.equal(await digest(HEADER, edited('DP=20;AB=0.123456', 'AB=0.123456;DP=20')), whole);
    assert.equal(await digest(HEADER, edited('low;bias', 'bias;low')), whole);
    const format = edited('GT:DP:GL\t0/1:20:-1.5,0,-3', 'DP:GL:GT\t20:-1.5,0,-3:0/1');
    assert.equal(await digest(HEADER, format), whole);
  });

  it('does not depend on QUAL, likelihoods and the fifth digit', async () => {
    const whole = await digest(HEADER, RECORDS);
    assert.equal(await digest(HEADER, edited('30.5', '30.6')), whole);
    assert.equal(await digest(HEADER, edited('ODDS=3.2', 'ODDS=4')), whole);
    assert.equal(await digest(HEADER, edited('-1.5,0,-3', '-1.6,0,-3')), whole);
    assert.equal(await digest(HEADER, edited('0.123456', '0.12349')), whole);
  });

  it('depends on position, alleles, genotype, depth, filter, ID, annotation and sample', async () => {
    const whole = await digest(HEADER, RECORDS);
    const changes: readonly (readonly [string, string])[] = [
      ['chr1\t10\t.\tA\tC', 'chr1\t9\t.\tA\tC'],
      ['A\tC', 'A\tT'],
      ['0/1:20', '1/1:20'],
      ['0/1:20', '0/1:21'],
      ['DP=5', 'DP=6'],
      ['AB=0.123456', 'AB=0.1244'],
      ['PASS', '.'],
      ['low;bias', 'low'],
      ['rs1', 'rs2'],
      ['DP=9', 'DP=9;CLNSIG=Pathogenic'],
    ];
    for (const [from, to] of changes) {
      assert.notEqual(await digest(HEADER, edited(from, to)), whole, `${from} -> ${to}`);
    }
    assert.notEqual(await digest(HEADER, RECORDS.slice(1)), whole);
    assert.notEqual(await digest(HEADER.slice(0, -8), RECORDS), whole);
  });
});

describe('the digest of other files', () => {
  it('of JSON depends on values, of fastp not on command and insert size', async () => {
    const path = join(folder, 'x.json');
    const of = async (value: string, format: 'json' | 'fastp-json') => {
      writeFileSync(path, value);
      return (await canonicalDigest(path, format)).digest;
    };
    assert.equal(await of('{"b":1,"a":2.0}', 'json'), await of('{ "a": 2, "b": 1 }', 'json'));
    assert.notEqual(await of('{"a":1}', 'json'), await of('{"a":2}', 'json'));
    const fastp = await of('{"command":"x","insert_size":{"peak":1},"n":1}', 'fastp-json');
    assert.equal(fastp, await of('{"command":"y","insert_size":{},"n":1}', 'fastp-json'));
    assert.notEqual(fastp, await of('{"command":"y","n":2}', 'fastp-json'));
    await assert.rejects(of('{', 'json'), { code: 'INPUT_MALFORMED' });
    await assert.rejects(canonicalDigest(join(folder, 'none'), 'text'), {
      code: 'INPUT_NOT_FOUND',
    });
  });
});
