import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { copyFileSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, it } from 'node:test';
import { gunzipSync } from 'node:zlib';
import type { Digest } from '@helixmesh/protocol';
import { realData, skipReason } from '../testing/real-data.ts';
import { canonicalDigest } from './canonical-digest.ts';

const SET = 'na12878_chr22_tiny';
const data = realData(SET);
const root = mkdtempSync(join(tmpdir(), 'canonical-'));
after(() => rmSync(root, { recursive: true }));

interface RunOptions {
  readonly threads: number;
  /** Reads left out of the second mates' and first mates' ends. */
  readonly dropPairs: number;
}

type Digests = Readonly<Record<'bam' | 'freebayes' | 'bcftools' | 'fastp', Digest>>;

/** Aligns and calls in a folder of its own. */
async function run(name: string, options: RunOptions): Promise<Digests> {
  assert(data !== null);
  const cwd = join(root, name);
  mkdirSync(cwd);
  copyFileSync(join(data, 'ref.fa'), join(cwd, `${name}.fa`));
  for (const mate of [1, 2]) {
    const lines = gunzipSync(readFileSync(join(data, `NA12878_R${mate}.fastq.gz`)))
      .toString()
      .split('\n');
    const kept = lines.slice(0, lines.length - 1 - 4 * options.dropPairs);
    writeFileSync(join(cwd, `${mate}.fq`), `${kept.join('\n')}\n`);
  }
  const { threads: t } = options;
  const script = `set -euo pipefail
    samtools faidx ${name}.fa; bwa index ${name}.fa
    fastp -i 1.fq -I 2.fq -o f1.fq -O f2.fq -w ${t} -j f.json -h f.html
    bwa mem -t ${t} -K 100000000 -R '@RG\\tID:a\\tSM:s' ${name}.fa 1.fq 2.fq > ${name}.sam
    samtools fixmate -m -@ ${t} ${name}.sam - | samtools sort -@ ${t} - \
      | samtools markdup -@ ${t} - ${name}.bam
    samtools index ${name}.bam
    freebayes -f ${name}.fa ${name}.bam > freebayes.vcf
    bcftools mpileup --threads ${t} -a AD,DP -f ${name}.fa ${name}.bam \
      | bcftools call --threads ${t} -mv -O z -o bcftools.vcf.gz`;
  execFileSync('bash', ['-c', script], { cwd, stdio: 'pipe' });
  const of = async (file: string, format: Parameters<typeof canonicalDigest>[1]) =>
    (await canonicalDigest(join(cwd, file), format)).digest;
  return {
    bam: await of(`${name}.bam`, 'bam'),
    freebayes: await of('freebayes.vcf', 'vcf'),
    bcftools: await of('bcftools.vcf.gz', 'vcf'),
    fastp: await of('f.json', 'fastp-json'),
  };
}

describe('canonical digests of real runs', () => {
  it('agree across folders, names and threads, and tell one pair less', async (t) => {
    if (data === null) return t.skip(skipReason(SET));
    const one = await run('one', { threads: 1, dropPairs: 0 });
    const two = await run('another', { threads: 2, dropPairs: 0 });
    const less = await run('less', { threads: 2, dropPairs: 1 });
    assert.deepEqual(two, one);
    assert.notEqual(less.bam, one.bam);
    assert.notEqual(less.fastp, one.fastp);
    assert.notEqual(less.freebayes, one.freebayes);
    assert.notEqual(less.bcftools, one.bcftools);
  });
});
