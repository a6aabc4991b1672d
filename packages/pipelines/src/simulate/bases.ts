/** DNA as bytes of ASCII. */

export const A = 65;
export const C = 67;
export const G = 71;
export const T = 84;
export const N = 78;
export const BASES: readonly number[] = [A, C, G, T];

/** Complement of a base byte; 0 for what is none. */
export const COMPLEMENT = new Uint8Array(256);
for (const [base, other] of ['AT', 'CG', 'GC', 'TA', 'NN'].map((pair) => [...pair])) {
  COMPLEMENT[base?.charCodeAt(0) ?? 0] = other?.charCodeAt(0) ?? 0;
}

/** The base that a transition makes of `base`. */
export function transition(base: number): number {
  return base === A ? G : base === G ? A : base === C ? T : C;
}

export function reverseComplement(sequence: Uint8Array): Uint8Array {
  const result = new Uint8Array(sequence.length);
  for (let i = 0; i < sequence.length; i++) {
    result[sequence.length - 1 - i] = COMPLEMENT[sequence[i] as number] as number;
  }
  return result;
}

export function toText(sequence: Uint8Array): string {
  return Buffer.from(sequence.buffer, sequence.byteOffset, sequence.length).toString('latin1');
}

export function toBytes(text: string): Uint8Array {
  return Uint8Array.from(Buffer.from(text, 'latin1'));
}

const CODE = 'FFLLSSSSYY**CC*WLLLLPPPPHHQQRRRRIIIMTTTTNNKKSSRRVVVVAAAADDEEGGGG';
const ORDER = 'TCAG';

/** The amino acid of a codon in the standard code; `*` for a stop. */
export function aminoAcid(codon: string): string {
  const [first, second, third] = [...codon].map((base) => ORDER.indexOf(base));
  return CODE[(first ?? 0) * 16 + (second ?? 0) * 4 + (third ?? 0)] ?? '?';
}
