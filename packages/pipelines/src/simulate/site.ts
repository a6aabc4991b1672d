/** Sites of variants: random ones, left-aligned as VCF wants them. */
import { BASES, toText, transition } from './bases.ts';
import type { SimulationOptions } from './options.ts';
import type { Random } from './random.ts';

export interface Site {
  readonly refName: string;
  /** 0-based position of the first base of REF. */
  readonly start: number;
  readonly ref: string;
  readonly alt: string;
}

/** Free of variants at the ends of a contig: depth falls there. */
export const END_BASES = 300;
/** Ti/Tv 2.1, as in whole human genomes. */
const TRANSITION_FRACTION = 2.1 / 3.1;
const INDEL_BASES_MAX = 20;
/** Each further base of an indel is this probable. */
const INDEL_EXTENSION = 0.6;

/** Null where the reference has no base. */
export function randomSite(
  random: Random,
  reference: Uint8Array,
  refName: string,
  options: Pick<SimulationOptions, 'snvsPerKilobase' | 'indelsPerKilobase'>,
): Site | null {
  const start = random.between(END_BASES, reference.length - END_BASES - 1);
  const base = reference[start] as number;
  if (!BASES.includes(base)) return null;
  const rates = options.snvsPerKilobase + options.indelsPerKilobase;
  if (random.float() * rates < options.snvsPerKilobase) {
    const others = BASES.filter((other) => other !== base && other !== transition(base));
    const isTransition = random.float() < TRANSITION_FRACTION;
    const alt = isTransition ? transition(base) : random.pick(others);
    return { refName, start, ref: String.fromCharCode(base), alt: String.fromCharCode(alt) };
  }
  let length = 1;
  while (length < INDEL_BASES_MAX && random.float() < INDEL_EXTENSION) length++;
  const anchor = String.fromCharCode(base);
  if (random.float() < 0.5) {
    const ref = toText(reference.subarray(start, start + 1 + length));
    return ref.includes('N') ? null : leftAlign(reference, { refName, start, ref, alt: anchor });
  }
  const inserted = Array.from({ length }, () => String.fromCharCode(random.pick(BASES))).join('');
  return leftAlign(reference, { refName, start, ref: anchor, alt: anchor + inserted });
}

/** Tan et al. 2015, "Unified representation of genetic variants"; null when it reaches an N. */
export function leftAlign(reference: Uint8Array, site: Site): Site | null {
  let { start, ref, alt } = site;
  while (ref.at(-1) === alt.at(-1)) {
    ref = ref.slice(0, -1);
    alt = alt.slice(0, -1);
    if (ref !== '' && alt !== '') continue;
    start--;
    const base = String.fromCharCode(reference[start] ?? 0);
    if (!'ACGT'.includes(base)) return null;
    ref = base + ref;
    alt = base + alt;
  }
  while (ref.length > 1 && alt.length > 1 && ref[0] === alt[0]) {
    ref = ref.slice(1);
    alt = alt.slice(1);
    start++;
  }
  return { refName: site.refName, start, ref, alt };
}
