/**
 * Paired reads of fragments: qualities in four bins as of recent Illumina instruments, lower
 * towards the end, errors as often as the quality says, adapters where the fragment is too short.
 */
import { BASES, COMPLEMENT, G } from './bases.ts';
import { type Fragments, placeFragments } from './fragments.ts';
import type { Molecule } from './molecules.ts';
import type { SimulationOptions } from './options.ts';
import { Random } from './random.ts';

/** TruSeq adapters as they appear behind read 1 and read 2. */
const ADAPTERS = ['AGATCGGAAGAGCACACGTCTGAACTCCAGTCA', 'AGATCGGAAGAGCGTCGTGTAGGGAAAGAGTGT'].map(
  (text) => Buffer.from(text),
);
/** Of the 32 random bits of a base the upper 12 choose its quality, the lower 20 its error. */
const QUALITY_STEPS = 1 << 12;
const ERROR_STEPS = 1 << 20;
const BINS: readonly number[] = [37, 23, 12, 2];
/** Share of bins 37, 23 and 12 at the first and at the last cycle; the rest is bin 2. */
const FIRST_SHARES: readonly number[] = [0.96, 0.03, 0.009];
const LAST_SHARES: readonly number[] = [0.8, 0.13, 0.06];
const OUT_BYTES = 1 << 20;
const READS_PER_TILE = 50_000;

export type ReadSink = (mate: 0 | 1, text: Buffer) => void;

/** Gives both files' text in pieces; returns the number of pairs. */
export function simulateReads(
  molecules: readonly Molecule[],
  options: SimulationOptions,
  sink: ReadSink,
): number {
  const fragments = placeFragments(molecules, options);
  for (const mate of [0, 1] as const) {
    new MateWriter(molecules, options, mate).write(fragments, sink);
  }
  return fragments.count;
}

class MateWriter {
  readonly #molecules: readonly Molecule[];
  readonly #mate: 0 | 1;
  readonly #readLength: number;
  readonly #random: Random;
  /** Per cycle, where the bins end on the scale of QUALITY_STEPS. */
  readonly #bounds: readonly Uint16Array[];
  readonly #errorLimits: readonly number[];
  #out = Buffer.allocUnsafe(OUT_BYTES);
  #at = 0;

  constructor(molecules: readonly Molecule[], options: SimulationOptions, mate: 0 | 1) {
    this.#molecules = molecules;
    this.#mate = mate;
    this.#readLength = options.readLength;
    this.#random = new Random(options.seed, `reads ${mate}`);
    this.#bounds = qualityBounds(options.readLength);
    this.#errorLimits = BINS.map((quality) =>
      Math.round(options.errorScale * 10 ** (-quality / 10) * ERROR_STEPS),
    );
  }

  write(fragments: Fragments, sink: ReadSink): void {
    const recordBytesMax = 100 + 2 * this.#readLength;
    for (let i = 0; i < fragments.count; i++) {
      if (this.#at + recordBytesMax > OUT_BYTES) this.#flush(sink);
      this.#record(fragments, i);
    }
    this.#flush(sink);
  }

  #flush(sink: ReadSink): void {
    sink(this.#mate, this.#out.subarray(0, this.#at));
    this.#out = Buffer.allocUnsafe(OUT_BYTES);
    this.#at = 0;
  }

  #record(fragments: Fragments, index: number): void {
    const tile = 1101 + Math.floor(index / READS_PER_TILE);
    const name = `@SYN:1:FCSYNTH:1:${tile}:${1000 + (index % READS_PER_TILE)}:${1000 + (index % 997)}`;
    this.#at += this.#out.write(`${name} ${this.#mate + 1}:N:0:SYNTH\n`, this.#at, 'latin1');
    const length = this.#readLength;
    const seqFrom = this.#at;
    this.#copyBases(fragments, index, seqFrom);
    this.#out[seqFrom + length] = 10;
    this.#out[seqFrom + length + 1] = 43;
    this.#out[seqFrom + length + 2] = 10;
    const qualFrom = seqFrom + length + 3;
    this.#addQualities(seqFrom, qualFrom);
    this.#out[qualFrom + length] = 10;
    this.#at = qualFrom + length + 1;
  }

  #copyBases(fragments: Fragments, index: number, to: number): void {
    const out = this.#out;
    const { bases } = this.#molecules[fragments.molecule[index] as number] as Molecule;
    const start = fragments.start[index] as number;
    const fragmentBases = fragments.lengthBases[index] as number;
    const length = Math.min(this.#readLength, fragmentBases);
    // The second mate is read from the other end and strand.
    if ((fragments.isReverse[index] === 1) !== (this.#mate === 1)) {
      const last = start + fragmentBases - 1;
      for (let i = 0; i < length; i++) {
        out[to + i] = COMPLEMENT[bases[last - i] as number] as number;
      }
    } else {
      for (let i = 0; i < length; i++) out[to + i] = bases[start + i] as number;
    }
    const adapter = ADAPTERS[this.#mate] as Buffer;
    // Behind the adapter there is no signal, which two-colour instruments read as G.
    for (let i = length; i < this.#readLength; i++) out[to + i] = adapter[i - length] ?? G;
  }

  #addQualities(seqFrom: number, qualFrom: number): void {
    const out = this.#out;
    for (let i = 0; i < this.#readLength; i++) {
      const bits = this.#random.uint32();
      const step = bits >>> 20;
      const bounds = this.#bounds[i] as Uint16Array;
      let bin = 0;
      while (bin < 3 && step >= (bounds[bin] as number)) bin++;
      out[qualFrom + i] = 33 + (BINS[bin] as number);
      if ((bits & (ERROR_STEPS - 1)) < (this.#errorLimits[bin] as number)) {
        const base = out[seqFrom + i] as number;
        const shift = 1 + this.#random.below(3);
        out[seqFrom + i] = BASES[(BASES.indexOf(base) + shift) % 4] as number;
      }
    }
  }
}

function qualityBounds(readLength: number): readonly Uint16Array[] {
  return Array.from({ length: readLength }, (_, cycle) => {
    const progress = (cycle / readLength) ** 2;
    const shares = FIRST_SHARES.map(
      (first, bin) => first + progress * ((LAST_SHARES[bin] ?? 0) - first),
    );
    let sum = 0;
    return Uint16Array.from(shares, (share) => {
      sum += share;
      return Math.round(sum * QUALITY_STEPS);
    });
  });
}
