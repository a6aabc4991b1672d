/** Where the sequenced fragments lie on the molecules, in random order. */
import type { Molecule } from './molecules.ts';
import type { SimulationOptions } from './options.ts';
import { Random } from './random.ts';

/** Column by column; all of one length. */
export interface Fragments {
  readonly molecule: Uint16Array;
  readonly start: Uint32Array;
  readonly lengthBases: Uint16Array;
  /** 1 where the fragment is read from the reverse strand. */
  readonly isReverse: Uint8Array;
  readonly count: number;
}

const SHORTEST_BASES = 35;

export function placeFragments(
  molecules: readonly Molecule[],
  options: SimulationOptions,
): Fragments {
  const random = new Random(options.seed, 'fragments');
  const counts = molecules.map(({ bases, depth }) =>
    Math.round((bases.length * depth) / (2 * options.readLength)),
  );
  const count = counts.reduce((sum, value) => sum + value, 0);
  const fragments: Fragments = {
    molecule: new Uint16Array(count),
    start: new Uint32Array(count),
    lengthBases: new Uint16Array(count),
    isReverse: new Uint8Array(count),
    count,
  };
  const order = shuffled(random, count);
  let next = 0;
  for (const [i, molecule] of molecules.entries()) {
    for (let k = 0; k < (counts[i] ?? 0); k++) {
      const to = order[next] as number;
      const from = k > 0 ? (order[next - 1] as number) : -1;
      next++;
      fragments.molecule[to] = i;
      if (from >= 0 && random.float() < options.duplicateFraction) {
        fragments.start[to] = fragments.start[from] as number;
        fragments.lengthBases[to] = fragments.lengthBases[from] as number;
        fragments.isReverse[to] = fragments.isReverse[from] as number;
        continue;
      }
      const length = randomLength(random, molecule.bases.length, options);
      fragments.start[to] = random.below(molecule.bases.length - length + 1);
      fragments.lengthBases[to] = length;
      fragments.isReverse[to] = random.uint32() >>> 31;
    }
  }
  return fragments;
}

function randomLength(random: Random, bases: number, options: SimulationOptions): number {
  const { readLength, adapterFraction } = options;
  if (random.float() < adapterFraction) return random.between(SHORTEST_BASES, readLength - 1);
  const length = Math.round(random.normal(options.insertMean, options.insertDeviation));
  return Math.min(bases, Math.max(readLength, length));
}

/** 0…count-1 in random order (Fisher and Yates). */
function shuffled(random: Random, count: number): Uint32Array {
  const order = Uint32Array.from({ length: count }, (_, i) => i);
  for (let i = count - 1; i > 0; i--) {
    const j = random.below(i + 1);
    const kept = order[i] as number;
    order[i] = order[j] as number;
    order[j] = kept;
  }
  return order;
}
