/**
 * A read as an element of a multiset: mate (0 for a single read, 1, 2), the length of its name, its
 * name without `/1` or `/2`, its bases as they were sequenced. Bases other than ACGT are N, as
 * aligners write them. Qualities and the place in a genome are not in it.
 */
const LETTERS = 256;
const SLASH = 47;
const ONE = 49;
const TWO = 50;
const N = 78;

/** Upper case, and N for what is no base. */
const BASES = tableOf('ACGT', 'ACGT');
const COMPLEMENTS = tableOf('ACGT', 'TGCA');
/** Four bits a base (SAMv1 §4.2.3), to letters. */
const NIBBLES = Uint8Array.from(Buffer.from('NACNGNNNTNNNNNNN'));

export type Mate = 0 | 1 | 2;

export interface BasesOf {
  /** Writes `length` letters to `out` from `at` on. */
  write(out: Buffer, at: number): void;
  readonly length: number;
}

export function readElement(mate: Mate, name: Buffer, bases: BasesOf): Buffer {
  const { length } = plainName(name);
  const out = Buffer.allocUnsafe(5 + length + bases.length);
  out[0] = mate;
  out.writeUInt32LE(length, 1);
  name.copy(out, 5, 0, length);
  bases.write(out, 5 + length);
  return out;
}

function plainName(name: Buffer): { readonly length: number } {
  const { length } = name;
  const last = name[length - 1];
  const isMarked = length > 2 && name[length - 2] === SLASH && (last === ONE || last === TWO);
  return { length: isMarked ? length - 2 : length };
}

/** Letters of a FASTQ record. */
export function lettersOf(text: Buffer): BasesOf {
  return {
    length: text.length,
    write(out, at) {
      for (let i = 0; i < text.length; i++) out[at + i] = BASES[text[i] as number] as number;
    },
  };
}

/** The packed bases of a BAM record; of one on the reverse strand as they were sequenced. */
export function packedOf(packed: Buffer, length: number, isReverse: boolean): BasesOf {
  const letter = (i: number) =>
    NIBBLES[i % 2 === 0 ? (packed[i >> 1] as number) >> 4 : (packed[i >> 1] as number) & 15];
  return {
    length,
    write(out, at) {
      for (let i = 0; i < length; i++) {
        const base = letter(i) as number;
        if (isReverse) out[at + length - 1 - i] = COMPLEMENTS[base] as number;
        else out[at + i] = base;
      }
    },
  };
}

function tableOf(from: string, to: string): Uint8Array {
  const table = new Uint8Array(LETTERS).fill(N);
  for (const [i, letter] of [...from].entries()) {
    table[letter.charCodeAt(0)] = to.charCodeAt(i);
    table[letter.toLowerCase().charCodeAt(0)] = to.charCodeAt(i);
  }
  return table;
}
