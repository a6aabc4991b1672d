/**
 * The human assemblies GRCh37, GRCh38 and T2T-CHM13v2.0 (hs1): lengths, accessions and
 * pseudo-autosomal regions.
 *
 * Sources: NCBI assembly reports GCF_000001405.25 (GRCh37.p13) and GCF_000001405.40 (GRCh38.p14)
 * for lengths and accessions; for the pseudo-autosomal regions those that `assemblies.test.ts`
 * cites. A wrong length rejects a right annotation; a wrong region calls part of X in males with
 * the wrong ploidy. Accessions of T2T-CHM13v2.0 are not known here.
 */
import type { Contig, Region } from '../germline/input.ts';

export const ASSEMBLIES = ['GRCh37', 'GRCh38', 'T2T-CHM13v2.0'] as const;
export type Assembly = (typeof ASSEMBLIES)[number];

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
  // X of CHM13, Y of HG002: the regions of two persons, of different lengths.
  'T2T-CHM13v2.0': [
    ['X', 1, 2_394_410],
    ['X', 153_925_835, 154_259_566],
    ['Y', 1, 2_458_320],
    ['Y', 62_122_810, 62_460_029],
  ],
} as const satisfies Record<Assembly, readonly (readonly [string, number, number])[]>;

/** What tells the assemblies apart: bases of X, then of Y. */
const SEX_CHROMOSOME_LENGTHS: Readonly<Record<Assembly, readonly [number, number]>> = {
  GRCh37: [155_270_560, 59_373_566],
  GRCh38: [156_040_895, 57_227_415],
  'T2T-CHM13v2.0': [154_259_566, 62_460_029],
};

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
): { readonly assembly: Assembly; readonly regions: readonly Region[] } | null {
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
  for (const assembly of ASSEMBLIES) {
    const [lengthX, lengthY] = SEX_CHROMOSOME_LENGTHS[assembly];
    if (x?.lengthBases !== lengthX || y?.lengthBases !== lengthY) continue;
    const regions = PAR1_BASED[assembly].map(([name, start1, end1]) => ({
      refName: named.get(name)?.name ?? name,
      start: start1 - 1,
      end: end1,
    }));
    return { assembly, regions };
  }
  return null;
}
