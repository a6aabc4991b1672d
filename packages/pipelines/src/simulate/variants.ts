/**
 * The variants of the simulated person: random ones and, in some genes, planted ones with a known
 * effect. All are left-aligned, parsimonious, at distinct sites and at least MIN_DISTANCE_BASES
 * apart; REF is what the reference shows.
 */
import { N } from './bases.ts';
import type { Gene } from './genes.ts';
import { parPairs, type SimulatedContig } from './genome.ts';
import type { SimulationOptions } from './options.ts';
import { type Effect, plantInGene } from './planted.ts';
import { Random } from './random.ts';
import { END_BASES, randomSite, type Site } from './site.ts';

export interface Variant extends Site {
  /** Phased: which molecule carries it. One entry where the sample is haploid. */
  readonly genotype: readonly (0 | 1)[];
  /** Of chrM: fraction of molecules, 0–1. */
  readonly fraction: number | null;
  readonly effect: Effect | null;
  readonly gene: Gene | null;
}

/** Haplotype callers join variants that are nearer than this into one record. */
export const MIN_DISTANCE_BASES = 60;
const REPEAT_MARGIN_BASES = 10;
const HETEROZYGOUS_FRACTION = 0.6;

export interface PlacedContig {
  readonly contig: SimulatedContig;
  readonly contigs: readonly SimulatedContig[];
  /** As the reference shows them. */
  readonly reference: Uint8Array;
  readonly genes: readonly Gene[];
  /** Place of this contig's first gene in the list of all: decides which effects are planted. */
  readonly firstGene: number;
}

/** The variants of one contig in the order of position. */
export function placeVariants(placed: PlacedContig, options: SimulationOptions): Variant[] {
  const { contig } = placed;
  if (contig.kind === 'Y' && options.sex === 'XX') return [];
  const random = new Random(options.seed, `variants ${contig.name}`);
  const chosen: Variant[] = [];
  for (const [i, gene] of placed.genes.entries()) {
    const planted = plantInGene(gene, placed.reference, placed.firstGene + i);
    if (planted === null || !isFree(chosen, planted.site, placed)) continue;
    const genotype = randomGenotype(random, ploidyAt(placed, planted.site.start, options), 1);
    const { site, effect } = planted;
    chosen.push({ ...site, genotype, fraction: null, effect, gene });
  }
  const isM = contig.kind === 'M';
  const count = isM ? options.heteroplasmies.length : randomCount(contig.bases.length, options);
  const wanted = chosen.length + count;
  for (let tries = 0; chosen.length < wanted && tries < 20 * count; tries++) {
    const site = randomSite(random, placed.reference, contig.name, options);
    if (site === null || !isFree(chosen, site, placed)) continue;
    const fraction = isM ? (options.heteroplasmies[chosen.length] ?? null) : null;
    const ploidy = isM ? 1 : ploidyAt(placed, site.start, options);
    const genotype = randomGenotype(random, ploidy, HETEROZYGOUS_FRACTION);
    chosen.push({ ...site, genotype, fraction, effect: null, gene: null });
  }
  return chosen.sort((a, b) => a.start - b.start);
}

/** Chromosomes of the sample at a 0-based position. */
export function ploidyAt(
  placed: Pick<PlacedContig, 'contig' | 'contigs'>,
  position: number,
  options: SimulationOptions,
): 1 | 2 {
  const { kind } = placed.contig;
  if (kind === 'autosome' || (kind === 'X' && options.sex === 'XX')) return 2;
  if (kind !== 'X') return 1;
  const isPar = parPairs(placed.contigs).some(({ x }) => position >= x.start && position < x.end);
  return isPar ? 2 : 1;
}

function randomCount(bases: number, options: SimulationOptions): number {
  return Math.round((bases / 1000) * (options.snvsPerKilobase + options.indelsPerKilobase));
}

function randomGenotype(random: Random, ploidy: 1 | 2, heterozygous: number): (0 | 1)[] {
  if (ploidy === 1) return [1];
  if (random.float() >= heterozygous) return [1, 1];
  return random.float() < 0.5 ? [0, 1] : [1, 0];
}

function isFree(chosen: readonly Variant[], site: Site, placed: PlacedContig): boolean {
  const { contig, contigs, reference } = placed;
  const start = site.start - MIN_DISTANCE_BASES;
  const end = site.start + site.ref.length + MIN_DISTANCE_BASES;
  if (site.start < END_BASES || end > contig.bases.length) return false;
  if (chosen.some((other) => other.start < end && start < other.start + other.ref.length)) {
    return false;
  }
  if (reference.subarray(site.start, site.start + site.ref.length).includes(N)) return false;
  const isAtRepeat = contig.repeats.some(
    (repeat) =>
      site.start + site.ref.length > repeat.start - REPEAT_MARGIN_BASES &&
      site.start < repeat.end + REPEAT_MARGIN_BASES,
  );
  // At the border of a PAR the sample's ploidy changes within one read.
  const borders = parPairs(contigs).flatMap(({ x, y }) => {
    const region = contig.kind === 'X' ? x : contig.kind === 'Y' ? y : null;
    return region === null ? [] : [region.start, region.end];
  });
  return !isAtRepeat && !borders.some((border) => border > start && border < end);
}
