import assert from 'node:assert/strict';
import { test } from 'node:test';
import { AppError } from '@helixmesh/protocol';
import fc from 'fast-check';
import { filterCall, filteredHeader } from './call-filter.ts';
import { SeamCheck } from './check-merged-calls.ts';
import { VariantCounts } from './variant-counts.ts';

const record = (chrom: string, qual: string, sample: string, alleles = 'A\tG') =>
  `${chrom}\t100\t.\t${alleles}\t${qual}\t.\tDP=30\tGT:DP:AD\t${sample}`;

test('freebayes calls at QUAL 1 or less are dropped, and bcftools calls are not', () => {
  for (const qual of ['0', '1e-12', '1']) {
    const line = record('chr1', qual, '0/1:30:15,15');
    assert.deepEqual(filterCall(line, 'freebayes'), { status: 'dropped', reason: 'lowQuality' });
    assert.equal(filterCall(line, 'bcftools').status, 'kept');
  }
  assert.equal(filterCall(record('chr1', '1.01', '0/1:30:15,15'), 'freebayes').status, 'kept');
});

test('QUAL 20 or less is a tier of its own and more passes', () => {
  const tier = (qual: string) => {
    const outcome = filterCall(record('chr1', qual, '0/1:30:15,15'), 'freebayes');
    return outcome.status === 'kept' ? outcome.line.split('\t')[6] : outcome.reason;
  };
  assert.deepEqual(['20', '20.1', '5', '900'].map(tier), ['LowConf', 'PASS', 'LowConf', 'PASS']);
});

test('a genotype without the allele is dropped, and zygosity follows its copies', () => {
  const of = (genotype: string) => {
    const outcome = filterCall(record('chrX', '99', `${genotype}:30:15,15`), 'freebayes');
    return outcome.status === 'kept' ? outcome.zygosity : outcome.reason;
  };
  assert.deepEqual(['0/0', './.', '0', '0/1', '1|0', '1/1', '1'].map(of), [
    ...['notCarried', 'notCarried', 'notCarried'],
    ...['heterozygous', 'heterozygous', 'homozygous', 'hemizygous'],
  ]);
});

test('mitochondrial alleles are told as fractions and never as a diploid genotype', () => {
  const of = (sample: string) => {
    const outcome = filterCall(record('chrM', '1e-9', sample), 'freebayes');
    if (outcome.status === 'dropped') return outcome.reason;
    return outcome.line.split('\t').slice(6).join(' ');
  };
  assert.equal(of('1:100:1,99'), 'PASS DP=30 GT:DP:AD:AF 1:100:1,99:0.9900');
  assert.equal(of('0:100:80,20'), 'PASS DP=30 GT:DP:AD:AF .:100:80,20:0.2000');
  assert.equal(of('0:100:93,7'), 'LowConf DP=30 GT:DP:AD:AF .:100:93,7:0.0700');
  assert.equal(of('0:100:97,3'), 'lowFraction');
});

test('the header says which rules were used and nothing of the machine or the day', () => {
  const lines = filteredHeader(
    ['##fileformat=VCFv4.2', '##fileDate=20260101', '##commandline="x"', '##contig=<ID=MT>'],
    { caller: 'freebayes', hasMitochondrion: true },
  );
  assert.equal(lines[0], '##fileformat=VCFv4.2');
  const text = lines.join('\n');
  assert.doesNotMatch(text, /fileDate|commandline/);
  assert.match(text, /QUAL at most 1 are dropped/);
  assert.match(text, /NUMT/);
});

test('counts add up to the records, whatever they are', () => {
  const line = fc
    .record({
      chrom: fc.constantFrom('chr1', 'chr2', 'chrM'),
      qual: fc.constantFrom('0.5', '10', '99'),
      genotype: fc.constantFrom('0/0', '0/1', '1/1', '1', './.'),
      alleles: fc.constantFrom('A\tG', 'A\tC', 'A\tAT', 'AC\tGT', 'A\t*'),
      alt: fc.nat(40),
    })
    .map(({ chrom, qual, genotype, alleles, alt }) =>
      record(chrom, qual, `${genotype}:40:${40 - alt},${alt}`, alleles),
    );
  fc.assert(
    fc.property(fc.array(line), fc.constantFrom('freebayes', 'bcftools'), (lines, caller) => {
      const counts = new VariantCounts(caller);
      let kept = 0;
      for (const each of lines) {
        const outcome = filterCall(each, caller);
        if (outcome.status === 'kept') kept += 1;
        counts.add(each, outcome);
      }
      const model = counts.model();
      const sum = (values: Iterable<number>) => [...values].reduce((a, b) => a + b, 0);
      assert.equal(model.total, kept);
      assert.equal(sum(Object.values(model.genotypes)), kept);
      assert.equal(sum(model.contigs.map(({ total }) => total)), kept);
      assert.equal(sum(Object.values(model.dropped)), lines.length - kept);
      assert.equal(model.transitions + model.transversions, model.snv);
    }),
  );
});

test('joined calls with a doubled allele, a broken order or a returning contig are refused', () => {
  const codeOf = (rows: readonly string[]) => {
    const check = new SeamCheck();
    try {
      for (const row of rows) {
        const [chrom, pos, ref, alt] = row.split(' ');
        check.add([chrom, pos, '.', ref, alt, '9', '.', '.'].join('\t'));
      }
      return null;
    } catch (error) {
      return error instanceof AppError ? error.code : error;
    }
  };
  assert.equal(codeOf(['a 1 A C', 'a 1 A G', 'a 2 A G', 'b 1 A C']), null);
  assert.equal(codeOf(['a 1 A C', 'a 1 A G', 'a 1 A C']), 'DUPLICATE_VARIANT');
  assert.equal(codeOf(['a 2 A C', 'a 1 A C']), 'RESULT_DIFFERS');
  assert.equal(codeOf(['a 1 A C', 'b 1 A C', 'a 2 A C']), 'RESULT_DIFFERS');
});
