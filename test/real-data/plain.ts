/** The plain callers with their defaults on the alignments of the product, and the comparison. */
import assert from 'node:assert/strict';
import { mkdir, symlink } from 'node:fs/promises';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { compareSites, type EvaluationResult, type SiteComparison } from '@helixmesh/pipelines';
import { shell } from '@helixmesh/pipelines/testing/shell';
import type { Product } from './product.ts';

const COMMANDS = {
  freebayes: 'freebayes -f ref.fa aligned.bam > plain.vcf',
  bcftools: 'bcftools mpileup -f ref.fa aligned.bam | bcftools call -mv -O v -o plain.vcf',
} as const;
/** The options of the product, on the whole genome at once. */
const OWN_OPTIONS = {
  freebayes: 'freebayes -f ref.fa --max-complex-gap -1 aligned.bam > own.vcf',
  bcftools: 'ln -s plain.vcf own.vcf',
} as const;
export type PlainCaller = keyof typeof COMMANDS;

export interface Comparison {
  /** Working folder, made anew. */
  readonly folder: string;
  readonly product: Product;
  readonly caller: PlainCaller;
  /** FASTA, plain or compressed. */
  readonly reference: string;
  readonly truth: string;
  readonly confident: string;
}

export interface Compared {
  /** Before its filters (A) against one run of the same caller and options (B): sharding costs nothing. */
  readonly unfiltered: SiteComparison;
  /** What the product gives against the plain caller under the documented limit of QUAL alone. */
  readonly filtered: SiteComparison;
  /** What the product gives against all of the plain caller: what the limit costs and gains. */
  readonly cost: SiteComparison;
}

/** freebayes at QUAL 1 or less is dropped; of bcftools nothing is. */
const LIMITS = { freebayes: 'QUAL>1', bcftools: 'QUAL>=0' } as const;

/** Both on one BAM. LowConf is a tier, so all records count. */
export async function compareWithPlain(comparison: Comparison): Promise<Compared> {
  const { folder, product, caller, reference, truth, confident } = comparison;
  await mkdir(folder);
  await shell(folder, 'gzip -dcf "$REFERENCE" > ref.fa && samtools faidx ref.fa', {
    REFERENCE: reference,
  });
  await symlink(product.file('.bam'), join(folder, 'aligned.bam'));
  await symlink(product.file('.bam.bai'), join(folder, 'aligned.bam.bai'));
  await shell(folder, COMMANDS[caller]);
  await shell(folder, OWN_OPTIONS[caller]);
  await shell(folder, `bcftools view -i '${LIMITS[caller]}' -o limited.vcf plain.vcf`);
  const compare = (suffix: string, plain: string) =>
    compareSites({
      callsA: product.file(suffix),
      callsB: join(folder, plain),
      truth,
      confident,
      reference: join(folder, 'ref.fa'),
      isAllRecords: true,
    });
  return {
    unfiltered: await compare('.unfiltered.vcf.gz', 'own.vcf'),
    filtered: await compare('.vcf.gz', 'limited.vcf'),
    cost: await compare('.vcf.gz', 'plain.vcf'),
  };
}

/** Neither calling nor filtering is worse than the plain caller anywhere; tells the counts. */
export function assertNowhereWorse(t: TestContext, { unfiltered, filtered, cost }: Compared): void {
  t.diagnostic(`TP/FN/FP unfiltered ${text(unfiltered)}; filtered ${text(filtered)}`);
  const sites = cost.worse.map(({ contig, pos1 }) => `${contig}:${pos1}`);
  t.diagnostic(`the limit loses [${sites}] and mends ${cost.better.length}`);
  assert.deepEqual(unfiltered.worse, []);
  assert.deepEqual(filtered.worse, []);
}

function text(compared: SiteComparison): string {
  const { product, plain } = counts(compared);
  return `product ${product}, plain ${plain}`;
}

/** TP/FN/FP of both sides, as tables of published figures have them. */
export function counts({ a, b }: SiteComparison): { product: string; plain: string } {
  return { product: countsOf(a), plain: countsOf(b) };
}

function countsOf({ all }: EvaluationResult): string {
  return [all.truePositivesTruth, all.falseNegatives, all.falsePositives].join('/');
}
