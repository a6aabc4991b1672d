/**
 * Builds a SnpEff database from a bundle's own genes, so that HGVS names come from the very models
 * that `bcftools csq` uses and nothing is downloaded. The jar is run by java itself, for Debian's
 * wrapper prints its arguments where the VCF should begin.
 *
 * `snpEffectPredictor.bin` is gzip: its bytes depend on the Java runtime's zlib. So it takes no part
 * in the bundle's digest (the genes and the FASTA do), but its own checksum is checked on every use.
 */
import { readdirSync } from 'node:fs';
import { mkdir, rm, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Contig } from '../germline/input.ts';
import {
  LARGE_GENOME_BASES,
  SNPEFF_BUILD_HEAP_LARGE_MIB,
  SNPEFF_BUILD_HEAP_MIB,
} from './limits.ts';
import { hasTool, runPrograms, runTools } from './run-tools.ts';
import { SNPEFF_CONFIG, SNPEFF_FOLDER, SNPEFF_GENOME, snpeffConfig } from './snpeff-config.ts';

export interface SnpeffOptions {
  readonly folder: string;
  readonly contigs: readonly Contig[];
  readonly signal?: AbortSignal | undefined;
}

/** Relative names of the database's files, or null when there is no usable Java or SnpEff. */
export async function buildSnpeffDatabase(
  options: SnpeffOptions,
): Promise<readonly string[] | null> {
  if (!(await hasTool('snpeff'))) return null;
  const { folder: cwd, contigs, signal } = options;
  const data = join(cwd, SNPEFF_FOLDER, SNPEFF_GENOME);
  await mkdir(data, { recursive: true });
  await writeFile(join(cwd, SNPEFF_CONFIG), snpeffConfig(contigs));
  await symlink('../../ref.fa', join(data, 'sequences.fa'));
  // csq needs the prefixes; SnpEff would show them in the names.
  const genes = join(data, 'genes.gff');
  const strip = ['sed', '-e', 's/=gene:/=/g', '-e', 's/=transcript:/=/g'];
  await runPrograms([['bgzip', '-dc', 'genes.gff3.gz'], strip], { cwd, signal, stdoutFile: genes });
  const bases = contigs.reduce((sum, contig) => sum + contig.lengthBases, 0);
  const heapMib = bases > LARGE_GENOME_BASES ? SNPEFF_BUILD_HEAP_LARGE_MIB : SNPEFF_BUILD_HEAP_MIB;
  const checks = ['-noCheckCds', '-noCheckProtein'];
  const args = ['build', '-gff3', ...checks, '-noLog', '-nodownload', '-c', SNPEFF_CONFIG];
  await runTools([{ tool: 'snpeff', heapMib, args: [...args, SNPEFF_GENOME] }], { cwd, signal });
  await rm(join(data, 'sequences.fa'));
  await rm(genes);
  const built = readdirSync(data).sort();
  return [SNPEFF_CONFIG, ...built.map((name) => `${SNPEFF_FOLDER}/${SNPEFF_GENOME}/${name}`)];
}
