/**
 * A random genome that resembles a human one where callers care: contig names, GC content that
 * varies along a contig, short tandem repeats, and pseudo-autosomal regions that are the same on
 * chrX and chrY and masked on chrY as in the analysis sets.
 */
import type { Region } from '../germline/input.ts';
import { A, C, G, N, T } from './bases.ts';
import type { SimulationOptions } from './options.ts';
import { Random } from './random.ts';

export interface SimulatedContig {
  readonly name: string;
  /** The true bases, with the PAR of chrY unmasked. */
  readonly bases: Uint8Array;
  /** Tandem repeats, where no variants are put. */
  readonly repeats: readonly Region[];
  readonly kind: 'autosome' | 'X' | 'Y' | 'M';
}

export interface ParPair {
  readonly x: Region;
  readonly y: Region;
}

export const CHR_M = 'chrM';
/** Length of the human mitochondrial genome (NC_012920.1). */
const MITOCHONDRION_BASES = 16_569;
/** GC content changes every so many bases. */
const ISOCHORE_BASES = 5_000;
/** Of human isochores, families L1 to H3. */
const GC_RANGE = { min: 0.36, max: 0.54 };
const REPEAT_SPACING_BASES = 4_000;
/** Far larger than in nature, so that small genomes have them. */
const PAR1_FRACTION = 0.1;
const PAR2_FRACTION = 0.05;

export function contigNames(options: SimulationOptions): readonly string[] {
  const sexes = options.contigs >= 3 ? ['chrX', 'chrY'] : [];
  const autosomes = Array.from({ length: options.contigs - sexes.length }, (_, i) => `chr${i + 1}`);
  return [...autosomes, ...sexes, ...(options.mitochondrion ? [CHR_M] : [])];
}

/** The contigs without genes; `sharePar` must follow once genes are written. */
export function makeContigs(options: SimulationOptions): SimulatedContig[] {
  return contigNames(options).map((name) => {
    const isM = name === CHR_M;
    const length = isM
      ? Math.min(MITOCHONDRION_BASES, options.basesPerContig)
      : options.basesPerContig;
    const random = new Random(options.seed, `genome ${name}`);
    const bases = randomBases(random, length);
    const kind = isM ? 'M' : name === 'chrX' ? 'X' : name === 'chrY' ? 'Y' : 'autosome';
    return { name, bases, kind, repeats: isM ? [] : writeRepeats(random, name, bases) };
  });
}

/** The pseudo-autosomal regions: at both ends, of the same coordinates on both contigs. */
export function parPairs(contigs: readonly SimulatedContig[]): readonly ParPair[] {
  const length = contigs.find((contig) => contig.kind === 'X')?.bases.length ?? 0;
  if (length === 0) return [];
  const spans = [
    { start: 0, end: Math.round(length * PAR1_FRACTION) },
    { start: length - Math.round(length * PAR2_FRACTION), end: length },
  ];
  return spans.map((span) => ({
    x: { refName: 'chrX', ...span },
    y: { refName: 'chrY', ...span },
  }));
}

/** Copies the PAR of chrX to chrY, in place. */
export function sharePar(contigs: readonly SimulatedContig[]): void {
  const x = contigs.find((contig) => contig.kind === 'X')?.bases;
  const y = contigs.find((contig) => contig.kind === 'Y')?.bases;
  if (x === undefined || y === undefined) return;
  for (const pair of parPairs(contigs)) {
    y.set(x.subarray(pair.x.start, pair.x.end), pair.y.start);
  }
}

/** The bases of a contig as the reference shows them: the PAR of chrY is N. */
export function referenceBases(
  contig: SimulatedContig,
  contigs: readonly SimulatedContig[],
): Uint8Array {
  if (contig.kind !== 'Y') return contig.bases;
  const bases = contig.bases.slice();
  for (const { y } of parPairs(contigs)) bases.fill(N, y.start, y.end);
  return bases;
}

function randomBases(random: Random, length: number): Uint8Array {
  const bases = new Uint8Array(length);
  let gc = 0.41;
  for (let i = 0; i < length; i++) {
    if (i % ISOCHORE_BASES === 0) {
      gc = GC_RANGE.min + random.float() * (GC_RANGE.max - GC_RANGE.min);
    }
    bases[i] = randomBase(random, gc);
  }
  return bases;
}

function randomBase(random: Random, gc: number): number {
  const value = random.float();
  if (value < gc) return value < gc / 2 ? G : C;
  return value < gc + (1 - gc) / 2 ? A : T;
}

/** Writes units of 1–6 bases 4–12 times over. */
function writeRepeats(random: Random, refName: string, bases: Uint8Array): Region[] {
  const repeats: Region[] = [];
  for (let at = REPEAT_SPACING_BASES; at < bases.length - REPEAT_SPACING_BASES; ) {
    const unit = Array.from({ length: random.between(1, 6) }, () => randomBase(random, 0.4));
    const length = unit.length * random.between(4, unit.length === 1 ? 10 : 12);
    for (let i = 0; i < length; i++) bases[at + i] = unit[i % unit.length] as number;
    repeats.push({ refName, start: at, end: at + length });
    at += random.between(REPEAT_SPACING_BASES / 2, REPEAT_SPACING_BASES * 2);
  }
  return repeats;
}
