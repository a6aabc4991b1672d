/**
 * VCF files in the form of ClinVar, dbSNP and gnomAD over the simulated genome: some of the
 * sample's variants and decoys that it does not carry. Everything in them is made up and says so.
 */
import type { VcfRecord } from '../formats/vcf.ts';
import type { Gene } from './genes.ts';
import type { Effect } from './planted.ts';
import { siteWithEffect } from './planted.ts';
import { Random } from './random.ts';
import { randomSite, type Site } from './site.ts';
import type { PlacedContig, Variant } from './variants.ts';

export interface Database {
  readonly name: 'clinvar' | 'dbsnp' | 'gnomad';
  readonly lines: readonly string[];
  readonly records: readonly VcfRecord[];
}

export interface ClinicalClass {
  readonly significance: string;
  readonly reviewStatus: string;
  readonly conflict?: string;
}

const EXPERT = 'reviewed_by_expert_panel';
const MULTIPLE = 'criteria_provided,_multiple_submitters,_no_conflicts';
const SINGLE = 'criteria_provided,_single_submitter';

/** What the made-up ClinVar says of a planted effect. */
export const CLASS_OF_EFFECT: Readonly<Record<Effect, readonly ClinicalClass[]>> = {
  frameshift_variant: [{ significance: 'Pathogenic', reviewStatus: EXPERT }],
  stop_gained: [{ significance: 'Pathogenic', reviewStatus: MULTIPLE }],
  splice_donor_variant: [{ significance: 'Likely_pathogenic', reviewStatus: SINGLE }],
  synonymous_variant: [{ significance: 'Benign', reviewStatus: MULTIPLE }],
  missense_variant: [
    { significance: 'Uncertain_significance', reviewStatus: SINGLE },
    {
      significance: 'Conflicting_classifications_of_pathogenicity',
      reviewStatus: 'criteria_provided,_conflicting_classifications',
      conflict: 'Likely_pathogenic(1)|Uncertain_significance(2)',
    },
  ],
};

const SO_OF_EFFECT: Readonly<Record<Effect, string>> = {
  frameshift_variant: 'SO:0001589|frameshift_variant',
  stop_gained: 'SO:0001587|nonsense',
  splice_donor_variant: 'SO:0001575|splice_donor_variant',
  synonymous_variant: 'SO:0001819|synonymous_variant',
  missense_variant: 'SO:0001583|missense_variant',
};
/** Effects of decoys, from which the one that the sample carries is left out. */
const DECOY_EFFECTS: readonly Effect[] = ['stop_gained', 'synonymous_variant', 'missense_variant'];
/** Numbers far above those in use, so that no one takes them for real ones. */
const FIRST_VARIATION_ID = 990_000_001;
const FIRST_RS = 9_900_000_001;
const DBSNP_FRACTION = 0.85;
const GNOMAD_FRACTION = 0.8;
const GNOMAD_ALLELES = 152_000;
const LABEL = '##synthetic=made up by a simulation; describes no person and no real variant';

/** Class of a planted variant: missense ones take turns by gene. */
export function clinicalClass(effect: Effect, gene: Gene): ClinicalClass {
  const classes = CLASS_OF_EFFECT[effect];
  return classes[gene.number % classes.length] ?? { significance: '', reviewStatus: '' };
}

interface Entry extends Site {
  readonly gene: Gene | null;
  readonly effect: Effect | null;
  readonly isCarried: boolean;
}

/** All three, over contigs in order; `variants` by contig name. */
export function makeDatabases(
  placed: readonly PlacedContig[],
  variants: ReadonlyMap<string, readonly Variant[]>,
  seed: number,
): readonly Database[] {
  const contigLines = placed.map(
    ({ contig }) => `##contig=<ID=${contig.name},length=${contig.bases.length}>`,
  );
  const clinvar: Entry[] = [];
  const population: Entry[] = [];
  for (const contig of placed) {
    const own = variants.get(contig.contig.name) ?? [];
    const carried = own.map((variant) => ({ ...variant, isCarried: true }));
    const decoys = populationDecoys(contig, own, seed);
    clinvar.push(...inOrder([...carried.filter((e) => e.effect !== null), ...geneDecoys(contig)]));
    population.push(...inOrder([...carried, ...decoys]));
  }
  const make = (name: Database['name'], lines: readonly string[], records: VcfRecord[]) => {
    const head = ['##fileformat=VCFv4.2', `##source=synthetic ${name}`, LABEL];
    return { name, lines: [...head, ...lines, ...contigLines], records };
  };
  return [
    make('clinvar', CLINVAR_LINES, uniqueSites(clinvar).map(clinvarRecord)),
    make('dbsnp', DBSNP_LINES, dbsnpRecords(uniqueSites(population), seed)),
    make('gnomad', GNOMAD_LINES, gnomadRecords(uniqueSites(population), seed)),
  ];
}

/** Variants of genes that the sample does not carry; sites may be the sample's with another ALT. */
function geneDecoys(placed: PlacedContig): Entry[] {
  return placed.genes.flatMap((gene) =>
    DECOY_EFFECTS.flatMap((effect) => {
      const site = siteWithEffect(gene, placed.reference, effect);
      return site === null ? [] : [{ ...site, gene, effect, isCarried: false }];
    }),
  );
}

function populationDecoys(
  placed: PlacedContig,
  own: readonly Variant[],
  seed: number,
): readonly Entry[] {
  const random = new Random(seed, `decoys ${placed.contig.name}`);
  const entries: Entry[] = [];
  for (let i = 0; i < 2 * own.length; i++) {
    const rates = { snvsPerKilobase: 9, indelsPerKilobase: 1 };
    const site = randomSite(random, placed.reference, placed.contig.name, rates);
    if (site !== null) entries.push({ ...site, gene: null, effect: null, isCarried: false });
  }
  return entries;
}

function inOrder(entries: readonly Entry[]): readonly Entry[] {
  return entries.toSorted((a, b) => a.start - b.start || Number(b.isCarried) - Number(a.isCarried));
}

/** Keeps the first entry of each REF and ALT: the carried one. */
function uniqueSites(entries: readonly Entry[]): readonly Entry[] {
  const seen = new Set<string>();
  return entries.filter((entry) => {
    const key = [entry.refName, entry.start, entry.ref, entry.alt].join(' ');
    const isNew = !seen.has(key);
    seen.add(key);
    return isNew;
  });
}

function baseRecord(entry: Entry, id: string, info: readonly (readonly [string, string])[]) {
  return {
    ...{ chrom: entry.refName, pos1: entry.start + 1, id, ref: entry.ref, alt: [entry.alt] },
    ...{ qual: null, filter: [], info: new Map(info), format: [], samples: [] },
  } satisfies VcfRecord;
}

function clinvarRecord(entry: Entry, index: number): VcfRecord {
  const { gene, effect } = entry;
  const known = gene === null || effect === null ? null : clinicalClass(effect, gene);
  const isSnv = entry.ref.length === 1 && entry.alt.length === 1;
  const conflict = known?.conflict === undefined ? [] : [['CLNSIGCONF', known.conflict] as const];
  return baseRecord(entry, String(FIRST_VARIATION_ID + index), [
    ['ALLELEID', String(FIRST_VARIATION_ID + 1_000_000 + index)],
    ['CLNDISDB', `Synthetic:SYN${String(index + 1).padStart(6, '0')}`],
    ['CLNDN', `Synthetic_condition_of_${gene?.symbol ?? 'no_gene'}`],
    ['CLNHGVS', genomicHgvs(entry)],
    ['CLNREVSTAT', known?.reviewStatus ?? 'no_assertion_criteria_provided'],
    ['CLNSIG', known?.significance ?? 'not_provided'],
    ...conflict,
    ['CLNVC', isSnv ? 'single_nucleotide_variant' : 'Indel'],
    ['GENEINFO', `${gene?.symbol ?? 'NONE'}:${gene?.number ?? 0}`],
    ['MC', effect === null ? 'SO:0001628|intergenic_variant' : SO_OF_EFFECT[effect]],
    ['ORIGIN', '1'],
  ]);
}

/** HGVS of the genome, with the contig's name for want of an accession. */
function genomicHgvs(site: Site): string {
  const first1 = site.start + 1;
  if (site.ref.length === 1 && site.alt.length === 1) {
    return `${site.refName}:g.${first1}${site.ref}>${site.alt}`;
  }
  if (site.alt.length === 1) {
    const last1 = site.start + site.ref.length;
    const span = last1 === first1 + 1 ? `${last1}` : `${first1 + 1}_${last1}`;
    return `${site.refName}:g.${span}del`;
  }
  return `${site.refName}:g.${first1}_${first1 + 1}ins${site.alt.slice(1)}`;
}

function dbsnpRecords(entries: readonly Entry[], seed: number): VcfRecord[] {
  const random = new Random(seed, 'dbsnp');
  return entries
    .filter((entry) => !entry.isCarried || random.float() < DBSNP_FRACTION)
    .map((entry, i) => {
      const isSnv = entry.ref.length === 1 && entry.alt.length === 1;
      const rs = FIRST_RS + i;
      const kind = isSnv ? 'SNV' : entry.ref.length === 1 ? 'INS' : 'DEL';
      return baseRecord(entry, `rs${rs}`, [
        ['RS', String(rs)],
        ['dbSNPBuildID', '999'],
        ['VC', kind],
      ]);
    });
}

function gnomadRecords(entries: readonly Entry[], seed: number): VcfRecord[] {
  const random = new Random(seed, 'gnomad');
  const isRare = ({ effect }: Entry) => effect !== null && effect !== 'synonymous_variant';
  return entries
    .filter((entry) => random.float() < (isRare(entry) ? 0.5 : GNOMAD_FRACTION))
    .map((entry) => {
      // Squares of squares: most variants are rare.
      const common = Math.max(1, Math.round(random.float() ** 4 * GNOMAD_ALLELES));
      const count = isRare(entry) ? random.between(1, 12) : common;
      const frequency = count / GNOMAD_ALLELES;
      return baseRecord(entry, '.', [
        ['AC', String(count)],
        ['AN', String(GNOMAD_ALLELES)],
        ['AF', frequency.toPrecision(6)],
        ['AF_grpmax', Math.min(1, frequency * 1.5).toPrecision(6)],
        ['nhomalt', String(Math.floor((frequency * frequency * GNOMAD_ALLELES) / 2))],
      ]);
    });
}

const info = (id: string, number: string, type: string, description: string) =>
  `##INFO=<ID=${id},Number=${number},Type=${type},Description="${description}">`;

const CLINVAR_LINES = [
  info('ALLELEID', '1', 'Integer', 'Synthetic allele number'),
  info('CLNDISDB', '.', 'String', 'Synthetic disease identifier'),
  info('CLNDN', '.', 'String', 'Synthetic disease name'),
  info('CLNHGVS', '.', 'String', 'Genomic HGVS expression'),
  info('CLNREVSTAT', '.', 'String', 'Synthetic review status'),
  info('CLNSIG', '.', 'String', 'Synthetic classification'),
  info('CLNSIGCONF', '.', 'String', 'Synthetic conflicting classifications'),
  info('CLNVC', '1', 'String', 'Variant type'),
  info('GENEINFO', '1', 'String', 'Synthetic gene symbol:gene id'),
  info('MC', '.', 'String', 'Sequence Ontology ID|molecular consequence'),
  info('ORIGIN', '.', 'String', 'Allele origin'),
];
const DBSNP_LINES = [
  info('RS', '1', 'String', 'Synthetic rs number'),
  info('dbSNPBuildID', '1', 'Integer', 'Synthetic build'),
  info('VC', '1', 'String', 'Variation class'),
];
const GNOMAD_LINES = [
  info('AC', 'A', 'Integer', 'Synthetic allele count'),
  info('AN', '1', 'Integer', 'Synthetic allele number'),
  info('AF', 'A', 'Float', 'Synthetic allele frequency'),
  info('AF_grpmax', 'A', 'Float', 'Synthetic largest frequency of a group'),
  info('nhomalt', 'A', 'Integer', 'Synthetic count of homozygotes'),
];
