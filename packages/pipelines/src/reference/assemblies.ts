/**
 * The human assemblies GRCh37 and GRCh38: lengths, accessions and pseudo-autosomal regions.
 *
 * Sources: NCBI assembly reports GCF_000001405.25 (GRCh37.p13) and GCF_000001405.40 (GRCh38.p14)
 * for lengths and accessions; the Genome Reference Consortium's page "Human Genome Overview" for
 * the pseudo-autosomal regions. A wrong length rejects a right annotation; a wrong region calls
 * part of X in males with the wrong ploidy.
 */
import type { Contig, Region } from '../germline/input.ts';

export interface AssemblySequence {
  readonly assembly: 'GRCh37' | 'GRCh38';
  /** `1`…`22`, `X`, `Y`, `MT`. */
  readonly name: string;
  readonly refseq: string;
  readonly genbank: string;
  readonly lengthBases: number;
}

/** name, length and RefSeq version in GRCh37, then in GRCh38. */
const CHROMOSOMES: readonly (readonly [string, number, number, number, number])[] = [
  ['1', 249250621, 10, 248956422, 11],
  ['2', 243199373, 11, 242193529, 12],
  ['3', 198022430, 11, 198295559, 12],
  ['4', 191154276, 11, 190214555, 12],
  ['5', 180915260, 9, 181538259, 10],
  ['6', 171115067, 11, 170805979, 12],
  ['7', 159138663, 13, 159345973, 14],
  ['8', 146364022, 10, 145138636, 11],
  ['9', 141213431, 11, 138394717, 12],
  ['10', 135534747, 10, 133797422, 11],
  ['11', 135006516, 9, 135086622, 10],
  ['12', 133851895, 11, 133275309, 12],
  ['13', 115169878, 10, 114364328, 11],
  ['14', 107349540, 8, 107043718, 9],
  ['15', 102531392, 9, 101991189, 10],
  ['16', 90354753, 9, 90338345, 10],
  ['17', 81195210, 10, 83257441, 11],
  ['18', 78077248, 9, 80373285, 10],
  ['19', 59128983, 9, 58617616, 10],
  ['20', 63025520, 10, 64444167, 11],
  ['21', 48129895, 8, 46709983, 9],
  ['22', 51304566, 10, 50818468, 11],
  ['X', 155270560, 10, 156040895, 11],
  ['Y', 59373566, 9, 57227415, 10],
];
/** GenBank numbers the chromosomes from CM000663 on, version 1 for GRCh37 and 2 for GRCh38. */
const FIRST_GENBANK = 663;

export const ASSEMBLY_SEQUENCES: readonly AssemblySequence[] = CHROMOSOMES.flatMap(
  ([name, length37, version37, length38, version38], index) => {
    const refseq = `NC_${String(index + 1).padStart(6, '0')}`;
    const genbank = `CM${String(FIRST_GENBANK + index).padStart(6, '0')}`;
    return [
      {
        assembly: 'GRCh37' as const,
        name,
        refseq: `${refseq}.${version37}`,
        genbank: `${genbank}.1`,
        lengthBases: length37,
      },
      {
        assembly: 'GRCh38' as const,
        name,
        refseq: `${refseq}.${version38}`,
        genbank: `${genbank}.2`,
        lengthBases: length38,
      },
    ];
  },
).concat(
  // The revised Cambridge sequence; hg19's own chrM (NC_001807.4, 16,571 bases) is another one.
  (['GRCh37', 'GRCh38'] as const).map((assembly) => ({
    assembly,
    name: 'MT',
    refseq: 'NC_012920.1',
    genbank: 'J01415.2',
    lengthBases: 16569,
  })),
);

/** 1-based closed as published: X PAR1, X PAR2, Y PAR1, Y PAR2. */
const PAR1_BASED = {
  GRCh37: [
    ['X', 60_001, 2_699_520],
    ['X', 154_931_044, 155_260_560],
    ['Y', 10_001, 2_649_520],
    ['Y', 59_034_050, 59_363_566],
  ],
  GRCh38: [
    ['X', 10_001, 2_781_479],
    ['X', 155_701_383, 156_030_895],
    ['Y', 10_001, 2_781_479],
    ['Y', 56_887_903, 57_217_415],
  ],
} as const;

const SYNONYMS: readonly (readonly string[])[] = [
  ...CHROMOSOMES.map(([name]) => [name, `chr${name}`]),
  ['MT', 'chrM', 'M', 'chrMT'],
];

/** The names `1`/`chr1`, `MT`/`chrM`/`M` … of the same chromosome, `name` included. */
export function synonyms(name: string): readonly string[] {
  return SYNONYMS.find((names) => names.includes(name)) ?? [name];
}

/** `1`…`22`, `X`, `Y`, `MT` for any of its names, else null. */
export function chromosomeOf(name: string): string | null {
  return SYNONYMS.find((names) => names.includes(name))?.[0] ?? null;
}

export function isMitochondrial(name: string): boolean {
  return chromosomeOf(name) === 'MT' || name === 'NC_012920.1';
}

/** Which assembly X and Y are of, by their lengths, and the regions under the contigs' names. */
export function knownPar(
  contigs: readonly Contig[],
): { readonly assembly: 'GRCh37' | 'GRCh38'; readonly regions: readonly Region[] } | null {
  const named = new Map<string, Contig>();
  for (const contig of contigs) {
    const accession = ASSEMBLY_SEQUENCES.find(
      (known) => known.refseq === contig.name || known.genbank === contig.name,
    );
    const chromosome = chromosomeOf(contig.name) ?? accession?.name ?? '';
    if (!named.has(chromosome)) named.set(chromosome, contig);
  }
  const x = named.get('X');
  const y = named.get('Y');
  for (const assembly of ['GRCh37', 'GRCh38'] as const) {
    const isOf = (contig: Contig | undefined, name: string) =>
      ASSEMBLY_SEQUENCES.some(
        (known) =>
          known.assembly === assembly &&
          known.name === name &&
          known.lengthBases === contig?.lengthBases,
      );
    if (!isOf(x, 'X') || !isOf(y, 'Y')) continue;
    const regions = PAR1_BASED[assembly].map(([name, start1, end1]) => ({
      refName: named.get(name)?.name ?? name,
      start: start1 - 1,
      end: end1,
    }));
    return { assembly, regions };
  }
  return null;
}
