/** SnpEff's configuration for a bundle: pure text, the same when building and when annotating. */
import type { Contig } from '../germline/input.ts';
import { isMitochondrial } from './assemblies.ts';

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
