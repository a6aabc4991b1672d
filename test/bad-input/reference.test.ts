/** References and annotation that do not fit: refused before any work, with nothing kept. */
import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { gunzipSync, gzipSync } from 'node:zlib';
import { type Refusal, type Workbench, workbench } from './bench.ts';

let bench: Workbench;
before(async () => {
  bench = await workbench();
});
after(() => bench?.stop());

interface Case extends Refusal {
  readonly what: string;
  flags(): Promise<Readonly<Record<string, string>>>;
}

const input = (name: string) => join(bench.sample.folder, 'input', name);
const text = async (name: string) => {
  const bytes = await readFile(input(name));
  return (name.endsWith('.gz') ? gunzipSync(bytes) : bytes).toString('latin1');
};

const CASES: readonly Case[] = [
  {
    what: 'a reference without any contig of the annotation',
    flags: async () => {
      const fasta = (await text('ref.fa')).replaceAll(
        /^>.*$/gm,
        (line) => `>other_${line.slice(1)}`,
      );
      return { reference: await bench.write('other.fa', fasta), clinvar: input('clinvar.vcf.gz') };
    },
    code: 'CONTIG_MISMATCH',
    says: /clinvar/i,
    advises: /assembly|contig|name/i,
  },
  {
    what: 'a VCF with contig names that cannot be mapped',
    flags: async () => {
      const vcf = (await text('clinvar.vcf.gz')).replaceAll(/\bchr/g, 'scaffold_');
      return { reference: input('ref.fa'), clinvar: await bench.write('odd.vcf', vcf) };
    },
    code: 'CONTIG_MISMATCH',
    says: /scaffold_|odd\.vcf/,
    advises: /./,
  },
  {
    what: 'gene models with contig names that cannot be mapped',
    flags: async () => {
      const gff = (await text('genes.gff3')).replaceAll(
        /^(##sequence-region )?chr/gm,
        '$1scaffold_',
      );
      return { reference: input('ref.fa'), gff: await bench.write('odd.gff3', gff) };
    },
    code: 'CONTIG_MISMATCH',
    says: /scaffold_|odd\.gff3/,
    advises: /./,
  },
  {
    what: 'a gzipped reference that is cut off',
    flags: async () => {
      const whole = gzipSync(await text('ref.fa'));
      const half = whole.subarray(0, whole.length >> 1);
      return { reference: await bench.write('cut.fa.gz', half) };
    },
    code: 'INPUT_TRUNCATED',
    says: /cut\.fa\.gz/,
    advises: /./,
  },
  {
    what: 'reads as the reference',
    flags: async () => ({ reference: bench.sample.r1 }),
    code: 'INPUT_WRONG_FORMAT',
    says: /FASTQ|FASTA/,
    advises: /./,
  },
  {
    what: 'a reference that is not there',
    flags: async () => ({ reference: join(bench.folder, 'nowhere.fa') }),
    code: 'INPUT_NOT_FOUND',
    says: /nowhere\.fa/,
    advises: /./,
  },
  {
    what: 'the name of a bundle that nobody has added',
    flags: async () => ({ reference: 'unknown' }),
    code: 'NOT_FOUND',
    says: /unknown/,
    advises: /reference/,
  },
];

for (const { what, flags, ...refusal } of CASES) {
  test(`${what} is refused as ${refusal.code}`, async () => {
    await bench.refused(await flags(), refusal);
    const { stdout } = await bench.cli(['--json', 'reference', 'list']);
    assert.equal(JSON.parse(stdout).length, 1, 'a bundle was kept');
  });
}
