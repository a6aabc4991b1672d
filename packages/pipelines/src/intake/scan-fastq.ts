/**
 * Scans FASTQ text in pieces and checks every record: four lines, `@`, `+`, letters of bases,
 * qualities in Phred+33 and as many of them as bases. Bytes in place, no string per line.
 */
import { AppError } from '@helixmesh/protocol';
import { RECORD_BYTES_MAX } from './limits.ts';

const LF = 10;
const CR = 13;
const SPACE = 32;
const QUALITY_MIN = 33;
const QUALITY_MAX = 126;
const PLUS = 43;
const SLASH = 47;
const AT = 64;
const NO_BYTES = Buffer.alloc(0);
const INITIAL_NAMES = 1 << 12;

/** 1 for the bases and ambiguity codes of IUPAC in both cases and `.`. */
const IS_BASE = new Uint8Array(256);
for (const letter of 'ACGTUNRYSWKMBDHVacgtunryswkmbdhv.') IS_BASE[letter.charCodeAt(0)] = 1;

/** Records found in one piece: where their names lie in `bytes`. */
export interface NameBatch {
  readonly bytes: Buffer;
  readonly starts: Int32Array;
  readonly ends: Int32Array;
  readonly count: number;
}

export interface FastqTotals {
  readonly reads: number;
  readonly bases: number;
  readonly minLength: number;
  readonly maxLength: number;
  readonly minQualityByte: number;
  readonly maxQualityByte: number;
}

export class FastqScanner {
  readonly #label: string;
  #carry: Buffer = NO_BYTES;
  #starts = new Int32Array(INITIAL_NAMES);
  #ends = new Int32Array(INITIAL_NAMES);
  #reads = 0;
  #bases = 0;
  #minLength = Number.MAX_SAFE_INTEGER;
  #maxLength = 0;
  #minQuality = 255;
  #maxQuality = 0;

  /** `label` names the file in messages. */
  constructor(label: string) {
    this.#label = label;
  }

  get totals(): FastqTotals {
    return {
      reads: this.#reads,
      bases: this.#bases,
      minLength: this.#reads === 0 ? 0 : this.#minLength,
      maxLength: this.#maxLength,
      minQualityByte: this.#minQuality,
      maxQualityByte: this.#maxQuality,
    };
  }

  /** The records that end in this piece; valid until the next call. */
  push(piece: Buffer): NameBatch {
    const bytes = this.#carry.length === 0 ? piece : Buffer.concat([this.#carry, piece]);
    return this.#scan(bytes);
  }

  /** The record whose last line has no end, if any. Throws INPUT_TRUNCATED for a part of one. */
  finish(): NameBatch {
    let end = this.#carry.length;
    while (end > 0 && this.#carry[end - 1] === LF) end--;
    if (end === 0) return this.#scan(NO_BYTES);
    const batch = this.#scan(Buffer.concat([this.#carry, Buffer.from('\n')]));
    if (this.#carry.length === 0) return batch;
    const record = this.#reads + 1;
    throw new AppError('INPUT_TRUNCATED', `${this.#label} ends inside of record ${record}`, {
      hint: 'The file was not copied whole: copy or download it again and compare checksums.',
      details: { record },
    });
  }

  #scan(bytes: Buffer): NameBatch {
    const length = bytes.length;
    let count = 0;
    let at = 0;
    while (at < length) {
      if (bytes[at] !== AT) {
        if (bytes[at] === LF && isBlank(bytes, at)) break;
        throw this.#malformed("does not begin with '@'");
      }
      let nameEnd = at + 1;
      while (nameEnd < length && (bytes[nameEnd] as number) > SPACE) nameEnd++;
      const lineEnd = bytes[nameEnd] === LF ? nameEnd : bytes.indexOf(LF, nameEnd);
      const seqEnd = lineEnd < 0 ? -1 : bytes.indexOf(LF, lineEnd + 1);
      if (seqEnd < 0 || seqEnd + 1 >= length) break;
      if (bytes[seqEnd + 1] !== PLUS)
        throw this.#malformed("has no third line that begins with '+'");
      const plusEnd = bytes[seqEnd + 2] === LF ? seqEnd + 2 : bytes.indexOf(LF, seqEnd + 2);
      const readLength = seqEnd - lineEnd - 1;
      const end = plusEnd + 1 + readLength;
      if (plusEnd < 0 || end >= length) break;
      this.#checkRead(bytes, lineEnd + 1, plusEnd + 1, readLength);
      if (count === this.#starts.length) this.#grow();
      this.#starts[count] = at + 1;
      this.#ends[count] = withoutMate(bytes, at + 1, nameEnd);
      count++;
      this.#reads++;
      at = end + 1;
    }
    this.#carry = bytes.subarray(at);
    if (this.#carry.length > RECORD_BYTES_MAX) throw this.#malformed('is too long to be a read');
    return { bytes, starts: this.#starts, ends: this.#ends, count };
  }

  #checkRead(bytes: Buffer, seqFrom: number, qualFrom: number, length: number): void {
    for (let i = seqFrom; i < seqFrom + length; i++) {
      if (IS_BASE[bytes[i] as number] === 0) throw this.#badBase(bytes[i] as number);
    }
    let min = this.#minQuality;
    let max = this.#maxQuality;
    for (let i = qualFrom; i < qualFrom + length; i++) {
      const quality = bytes[i] as number;
      if (quality < min) min = quality;
      if (quality > max) max = quality;
    }
    if (min < QUALITY_MIN || max > QUALITY_MAX) {
      const isShort = bytes.subarray(qualFrom, qualFrom + length).includes(LF);
      throw this.#malformed(
        isShort ? 'has fewer qualities than bases' : 'has a quality that is not Phred+33',
      );
    }
    if (bytes[qualFrom + length] !== LF) throw this.#malformed('has more qualities than bases');
    this.#minQuality = min;
    this.#maxQuality = max;
    this.#bases += length;
    if (length < this.#minLength) this.#minLength = length;
    if (length > this.#maxLength) this.#maxLength = length;
  }

  #grow(): void {
    this.#starts = grown(this.#starts);
    this.#ends = grown(this.#ends);
  }

  #badBase(byte: number): AppError {
    if (byte !== CR) return this.#malformed('has a letter that is no base');
    return this.#malformed('has Windows line ends', 'Convert the line ends with `dos2unix`.');
  }

  #malformed(what: string, hint = HINT): AppError {
    const record = this.#reads + 1;
    return new AppError('INPUT_MALFORMED', `record ${record} of ${this.#label} ${what}`, {
      hint,
      details: { record },
    });
  }
}

const HINT = 'Make or download the FASTQ file again; every record must have four lines.';

/** The end of a name without `/1` or `/2`. */
function withoutMate(bytes: Buffer, start: number, end: number): number {
  const last = bytes[end - 1];
  const isMate = end - start > 2 && bytes[end - 2] === SLASH && (last === 0x31 || last === 0x32);
  return isMate ? end - 2 : end;
}

function isBlank(bytes: Buffer, from: number): boolean {
  for (let i = from; i < bytes.length; i++) if (bytes[i] !== LF) return false;
  return true;
}

function grown(array: Int32Array<ArrayBuffer>): Int32Array<ArrayBuffer> {
  const larger = new Int32Array(array.length * 2);
  larger.set(array);
  return larger;
}
