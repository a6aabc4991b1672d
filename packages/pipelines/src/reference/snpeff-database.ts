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
import { isMitochondrial } from './assemblies.ts';
import {
  LARGE_GENOME_BASES,
  SNPEFF_BUILD_HEAP_LARGE_MIB,
  SNPEFF_BUILD_HEAP_MIB,
} from './limits.ts';
import { hasTool, runPrograms, runTools } from './run-tools.ts';

/** SnpEff's data folder inside the bundle, and its name of the genome: the folder below. */
export const SNPEFF_FOLDER = 'snpeff';
export const SNPEFF_GENOME = 'genes';
export const SNPEFF_CONFIG = 'snpeff/snpEff.config';

/** NCBI genetic codes 1 and 2 as SnpEff's own configuration writes them; `+` marks starts. */
const CODON_TABLES = {
  Standard: {
    acids: 'FFLLSSSSYY**CC*WLLLLPPPPHHQQRRRRIIIMTTTTNNKKSSRRVVVVAAAADDEEGGGG',
    starts: ['TTG', 'CTG', 'ATG'],
  },
  Vertebrate_Mitochondrial: {
    acids: 'FFLLSSSSYY**CCWWLLLLPPPPHHQQRRRRIIMMTTTTNNKKSS**VVVVAAAADDEEGGGG',
    starts: ['ATT', 'ATC', 'ATA', 'ATG', 'GTG'],
  },
} as const;

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

/** `data.dir` is relative to the configuration file. */
export function snpeffConfig(contigs: readonly Contig[]): string {
  const mitochondrial = contigs.filter((contig) => isMitochondrial(contig.name));
  // SnpEff looks chromosomes up without `chr`.
  const names = new Set(mitochondrial.flatMap(({ name }) => [name, name.replace(/^chr/, '')]));
  const lines = [
    'data.dir = .',
    'codonTables : Standard, Vertebrate_Mitochondrial',
    `codon.Standard : ${codonTable('Standard')}`,
    `codon.Vertebrate_Mitochondrial : ${codonTable('Vertebrate_Mitochondrial')}`,
    `${SNPEFF_GENOME}.genome : ${SNPEFF_GENOME}`,
    ...[...names].map((n) => `${SNPEFF_GENOME}.${n}.codonTable : Vertebrate_Mitochondrial`),
  ];
  return `${lines.join('\n')}\n`;
}

function codonTable(name: keyof typeof CODON_TABLES): string {
  const table = CODON_TABLES[name];
  const bases = [...'TCAG'];
  const codons = bases.flatMap((a) => bases.flatMap((b) => bases.map((c) => a + b + c)));
  const isStart = new Set<string>(table.starts);
  return codons
    .map((codon, i) => `${codon}/${table.acids[i]}${isStart.has(codon) ? '+' : ''}`)
    .join(', ');
}
