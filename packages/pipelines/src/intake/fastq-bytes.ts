/** Checks of the bytes of FASTQ lines, one at a time and four at a time. */

/** Phred+33 (SAMv1 §1.4): `!` to `~`. */
export const QUALITY_MIN = 33;
export const QUALITY_MAX = 126;

/** 1 for the bases and ambiguity codes of IUPAC in both cases and `.`. */
export const IS_BASE = new Uint8Array(256);
for (const letter of 'ACGTUNRYSWKMBDHVacgtunryswkmbdhv.') IS_BASE[letter.charCodeAt(0)] = 1;
/** 1 where both bytes of a 16-bit number are bases. */
const ARE_BASES = new Uint8Array(1 << 16);
for (let i = 0; i < ARE_BASES.length; i++) {
  ARE_BASES[i] = (IS_BASE[i & 255] as number) & (IS_BASE[i >>> 8] as number);
}

/** The top bit of each of four bytes, and numbers repeated in each. */
const TOP_BITS = 0x80808080 | 0;
const TO_TOP = 0x01010101 * (128 - (QUALITY_MAX + 1));
const MINIMA = 0x01010101 * QUALITY_MIN;

/** Whether all bytes from `from` to before `to` are bases; `words` views the same bytes. */
export function areBases(bytes: Buffer, words: DataView, from: number, to: number): boolean {
  let all = 1;
  let i = from;
  for (; i + 4 <= to; i += 4) {
    const word = words.getInt32(i, true);
    all &= (ARE_BASES[word & 0xffff] as number) & (ARE_BASES[word >>> 16] as number);
  }
  for (; i < to; i++) all &= IS_BASE[bytes[i] as number] as number;
  return all === 1;
}

/** Whether all bytes from `from` to before `to` lie from QUALITY_MIN to QUALITY_MAX. */
export function areQualities(bytes: Buffer, words: DataView, from: number, to: number): boolean {
  // A byte above QUALITY_MAX has its top bit or gets it by TO_TOP, and one below QUALITY_MIN loses
  // it to MINIMA. Carries reach other bytes only from a byte that is already found bad.
  let high = 0;
  let low = TOP_BITS;
  let i = from;
  for (; i + 4 <= to; i += 4) {
    const word = words.getInt32(i, true);
    high |= word | (word + TO_TOP);
    low &= (word | TOP_BITS) - MINIMA;
  }
  for (; i < to; i++) {
    const quality = bytes[i] as number;
    if (quality < QUALITY_MIN || quality > QUALITY_MAX) return false;
  }
  return (high & TOP_BITS) === 0 && (low & TOP_BITS) === TOP_BITS;
}
