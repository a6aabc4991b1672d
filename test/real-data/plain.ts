/** The plain callers with their defaults on the alignments of the product, and the comparison. */
import { execFile } from 'node:child_process';
import { mkdir, symlink } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { compareSites, type EvaluationResult, type SiteComparison } from '@helixmesh/pipelines';
import type { Product } from './product.ts';

const execute = promisify(execFile);

const COMMANDS = {
  freebayes: 'freebayes -f ref.fa aligned.bam > plain.vcf',
  bcftools: 'bcftools mpileup -f ref.fa aligned.bam | bcftools call -mv -O v -o plain.vcf',
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

/** Product (A) against plain caller (B) on one BAM. LowConf is a tier, so all records count. */
export async function compareWithPlain(comparison: Comparison): Promise<SiteComparison> {
  const { folder, product, caller, reference, truth, confident } = comparison;
  await mkdir(folder);
  await shell(folder, 'bgzip -dcf "$REFERENCE" > ref.fa && samtools faidx ref.fa', {
    REFERENCE: reference,
  });
  await symlink(product.file('.bam'), join(folder, 'aligned.bam'));
  await symlink(product.file('.bam.bai'), join(folder, 'aligned.bam.bai'));
  await shell(folder, COMMANDS[caller]);
  return compareSites({
    callsA: product.file('.vcf.gz'),
    callsB: join(folder, 'plain.vcf'),
    truth,
    confident,
    reference: join(folder, 'ref.fa'),
    isAllRecords: true,
  });
}

/** TP/FN/FP of both sides, as tables of published figures have them. */
export function counts({ a, b }: SiteComparison): { product: string; plain: string } {
  return { product: countsOf(a), plain: countsOf(b) };
}

function countsOf({ all }: EvaluationResult): string {
  return [all.truePositivesTruth, all.falseNegatives, all.falsePositives].join('/');
}

/** Runs a bash command line in `folder`; rejects with its stderr when any stage fails. */
export async function shell(
  folder: string,
  command: string,
  env: Readonly<Record<string, string>> = {},
): Promise<string> {
  const options = { cwd: folder, env: { ...process.env, ...env } };
  const { stdout } = await execute('bash', ['-o', 'pipefail', '-ec', command], options);
  return stdout;
}
