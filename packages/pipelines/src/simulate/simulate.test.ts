import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { gunzipSync } from 'node:zlib';
import fc from 'fast-check';
import { IndexedFasta } from '../formats/fai.ts';
import { openVcf } from '../formats/vcf.ts';
import { collect } from '../testing/collect.ts';
import { aminoAcid, reverseComplement, toBytes, toText } from './bases.ts';
import { codingSequence } from './genes.ts';
import { referenceBases } from './genome.ts';
import { makeMolecules } from './molecules.ts';
import { simulationOptionsSchema } from './options.ts';
import { simulate, simulatePerson } from './simulate.ts';
import { MIN_DISTANCE_BASES } from './variants.ts';

const root = mkdtempSync(join(tmpdir(), 'simulate-'));
after(() => rmSync(root, { recursive: true }));
const small = {
  ...{ seed: 7, contigs: 4, basesPerContig: 20_000 },
  ...{ coverage: 4, mitochondrialCoverage: 10 },
};

function tool(command: string, ...args: string[]): string {
  return execFileSync(command, args, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] });
}

function digests(folder: string): Record<string, string> {
  const names = readdirSync(folder).sort();
  const of = (name: string) => createHash('sha256').update(readFileSync(join(folder, name)));
  return Object.fromEntries(names.map((name) => [name, of(name).digest('hex')]));
}

function readsOf(folder: string): string[][] {
  return [1, 2].map((mate) => {
    const bytes = gunzipSync(readFileSync(join(folder, `reads_R${mate}.fastq.gz`)));
    return bytes
      .toString()
      .split('\n')
      .filter((_, i) => i % 4 === 1);
  });
}

describe('a simulation', () => {
  const first = join(root, 'first');
  before(async () => {
    await simulate({ ...small, outDir: first });
  });

  it('gives the same bytes for the same seed and others for another', async () => {
    await simulate({ ...small, outDir: join(root, 'again') });
    await simulate({ ...small, seed: 8, outDir: join(root, 'other') });
    assert.deepEqual(digests(join(root, 'again')), digests(first));
    assert.notEqual(digests(join(root, 'other'))['ref.fa'], digests(first)['ref.fa']);
  });

  it('leaves a used folder alone and nothing behind when it fails', async () => {
    const used = join(root, 'used');
    mkdirSync(used);
    writeFileSync(join(used, 'mine'), '');
    await assert.rejects(simulate({ ...small, outDir: used }), { code: 'OUTPUT_IN_USE' });
    assert.deepEqual(readdirSync(used), ['mine']);
    assert.deepEqual(
      readdirSync(root).filter((name) => name.includes('partial')),
      [],
    );
  });

  it('says which option is out of bounds, and writes nothing', async () => {
    const outDir = join(root, 'never');
    const wrong = simulate({ ...small, outDir, basesPerContig: 100, contigs: 25 });
    await assert.rejects(wrong, { code: 'USAGE', message: /contigs: .*; basesPerContig: / });
    assert.equal(readdirSync(root).includes('never'), false);
  });

  it('has an index of its reference that samtools makes too', async () => {
    const index = readFileSync(join(first, 'ref.fa.fai'), 'utf8');
    tool('samtools', 'faidx', join(first, 'ref.fa'), '--fai-idx', join(root, 'x.fai'));
    assert.equal(readFileSync(join(root, 'x.fai'), 'utf8'), index);
  });

  it('has VCF files whose REF is the reference, normalised and sorted', async () => {
    for (const name of ['truth', 'clinvar', 'dbsnp', 'gnomad']) {
      const path = join(first, `${name}.vcf.gz`);
      const args = ['norm', '-c', 'e', '-f', join(first, 'ref.fa'), path];
      const rows = (text: string) => text.split('\n').filter((line) => !line.startsWith('#'));
      const normalised = rows(tool('bcftools', ...args));
      const given = rows(tool('bcftools', 'view', path));
      assert(given.length > 5, name);
      assert.deepEqual(normalised.toSorted(), given.toSorted(), name);
      tool('bcftools', 'index', '--stats', path);
    }
  });

  it('has haplotypes that bcftools consensus makes of reference and truth', async () => {
    const options = simulationOptionsSchema.parse(small);
    const { contigs, variants } = simulatePerson(options);
    const molecules = makeMolecules(contigs, variants, options);
    const truth = join(first, 'truth.vcf.gz');
    for (const copy of [0, 1]) {
      const args = ['-H', String(copy + 1), '-f', join(first, 'ref.fa'), truth];
      const made = tool('bcftools', 'consensus', ...args).split(/^>/m);
      for (const name of ['chr1', 'chr2']) {
        const theirs = made.find((text) => text.startsWith(`${name}\n`))?.slice(name.length);
        const ours = molecules.find((molecule) => molecule.name === `${name}.${copy}`);
        assert(ours !== undefined && theirs !== undefined);
        assert.equal(toText(ours.bases), theirs.replaceAll('\n', ''));
      }
    }
  });

  it('without errors has only reads that lie on a molecule', async () => {
    const outDir = join(root, 'exact');
    const quick = { coverage: 1, mitochondrialCoverage: 2 };
    const input = { ...small, ...quick, errorScale: 0, adapterFraction: 0 };
    await simulate({ ...input, outDir });
    const options = simulationOptionsSchema.parse(input);
    const { contigs, variants } = simulatePerson(options);
    const texts = makeMolecules(contigs, variants, options).map(({ bases }) => toText(bases));
    const [r1 = [], r2 = []] = readsOf(outDir);
    assert(r1.length > 200);
    for (const [i, read] of r1.entries()) {
      const mate = r2[i] ?? '';
      const forms = [
        [read, toText(reverseComplement(toBytes(mate)))],
        [mate, toText(reverseComplement(toBytes(read)))],
      ] as const;
      const lies = texts.some((text) =>
        forms.some(([left, right]) => text.includes(left) && text.includes(right)),
      );
      assert(lies, `pair ${i}`);
    }
  });

  it('has planted variants with the effect that bcftools csq finds', async () => {
    const wide = join(root, 'wide');
    const size = { contigs: 12, basesPerContig: 30_000, coverage: 0.2 };
    const { planted } = await simulate({ ...small, ...size, outDir: wide });
    const path = (name: string) => join(wide, name);
    const args = ['csq', '-p', 'a', '-f', path('ref.fa'), '-g', path('genes.gff3')];
    const format = '%CHROM %POS %INFO/GENE %INFO/BCSQ\n';
    writeFileSync(path('csq.vcf'), tool('bcftools', ...args, path('truth.vcf.gz')));
    const found = tool('bcftools', 'query', '-f', format, path('csq.vcf'));
    const rows = new Map(found.split('\n').map((row) => [row.split(' ', 2).join(' '), row]));
    assert(planted.length > 12);
    for (const { refName, pos1, gene, effect } of planted) {
      const row = rows.get(`${refName} ${pos1}`) ?? assert.fail(`${refName} ${pos1}`);
      const expected = effect === 'splice_donor_variant' ? 'splice_donor' : effect.split('_')[0];
      assert(row.includes(gene) && row.includes(expected ?? ''), row);
    }
    const clinvar = await openVcf(path('clinvar.vcf.gz'));
    const known = await collect(clinvar.records);
    for (const { refName, pos1, alt, significance } of planted) {
      const record = known.find((r) => r.chrom === refName && r.pos1 === pos1 && r.alt[0] === alt);
      assert.equal(record?.info.get('CLNSIG'), significance);
    }
    assert(known.length > planted.length);
  });
});

describe('a simulated person', () => {
  const seeds = fc.record({
    seed: fc.nat(),
    contigs: fc.integer({ min: 1, max: 5 }),
    sex: fc.constantFrom('XX' as const, 'XY' as const),
    indelsPerKilobase: fc.constantFrom(0.1, 1),
  });

  it('has variants apart from each other, on bases of the reference, of the right ploidy', () => {
    fc.assert(
      fc.property(seeds, (input) => {
        const options = simulationOptionsSchema.parse({ ...input, basesPerContig: 20_000 });
        const { placed, variants } = simulatePerson(options);
        for (const { contig, reference } of placed) {
          let end = -MIN_DISTANCE_BASES;
          for (const { start, ref, alt, genotype } of variants.get(contig.name) ?? []) {
            assert(start - end >= MIN_DISTANCE_BASES);
            end = start + ref.length;
            assert.equal(toText(reference.subarray(start, end)), ref);
            assert.match(alt, /^[ACGT]+$/);
            assert.notEqual(alt, ref);
            if (contig.kind === 'autosome') assert.equal(genotype.length, 2);
            if (contig.kind === 'Y' || contig.kind === 'M') assert.equal(genotype.length, 1);
            assert(contig.kind !== 'Y' || options.sex === 'XY');
          }
        }
      }),
      { numRuns: 20 },
    );
  });

  it('has genes that begin with ATG, end with a stop and have none inside', () => {
    fc.assert(
      fc.property(seeds, (input) => {
        const options = simulationOptionsSchema.parse({ ...input, basesPerContig: 20_000 });
        const { contigs, genes } = simulatePerson(options);
        assert(genes.length > 0);
        for (const gene of genes) {
          const contig = contigs.find(({ name }) => name === gene.refName) ?? assert.fail();
          const sequence = codingSequence(gene, contig.bases);
          const protein = (sequence.match(/.../g) ?? []).map(aminoAcid).join('');
          assert.equal(sequence.length % 3, 0);
          assert.match(protein, /^M[^*]+\*$/);
          assert(gene.exons.length >= 3);
        }
      }),
      { numRuns: 20 },
    );
  });

  it('has a chrY whose ends are those of chrX and masked in the reference', () => {
    const options = simulationOptionsSchema.parse({ contigs: 3, basesPerContig: 20_000 });
    const { contigs } = simulatePerson(options);
    const [x, y] = ['X', 'Y'].map((kind) => contigs.find((contig) => contig.kind === kind));
    assert(x !== undefined && y !== undefined);
    assert.deepEqual(y.bases.subarray(0, 2000), x.bases.subarray(0, 2000));
    assert.match(toText(referenceBases(y, contigs).subarray(0, 2001)), /^N{2000}[ACGT]$/);
    assert.match(toText(referenceBases(y, contigs).subarray(18_999)), /^[ACGT]N{1000}$/);
  });

  it('has Ti/Tv near 2.1 and heteroplasmies of the fractions asked for', () => {
    const options = simulationOptionsSchema.parse({ heteroplasmies: [1, 0.5, 0.1] });
    const { variants } = simulatePerson(options);
    const snvs = [...variants.values()]
      .flat()
      .filter(({ ref, alt, effect }) => ref.length + alt.length === 2 && effect === null);
    const isTransition = (change: string) => ['AG', 'GA', 'CT', 'TC'].includes(change);
    const transitions = snvs.filter(({ ref, alt }) => isTransition(ref + alt)).length;
    const ratio = transitions / (snvs.length - transitions);
    assert(ratio > 1.7 && ratio < 2.6, String(ratio));
    const fractions = (variants.get('chrM') ?? []).map(({ fraction }) => fraction ?? 0);
    assert.deepEqual(
      fractions.toSorted((a, b) => a - b),
      [0.1, 0.5, 1],
    );
  });
});

describe('the reference of a simulation', () => {
  it('is read back base by base', async () => {
    const outDir = join(root, 'read');
    await simulate({ ...small, coverage: 0.1, outDir });
    const { placed } = simulatePerson(simulationOptionsSchema.parse({ ...small, coverage: 0.1 }));
    const fasta = await IndexedFasta.open(join(outDir, 'ref.fa'));
    for (const { contig, reference } of placed) {
      const region = { refName: contig.name, start: 55, end: contig.bases.length };
      assert.equal(await fasta.bases(region), toText(reference).slice(55));
    }
    await fasta.close();
  });
});
