/**
 * Scans FASTQ text in pieces and checks every record: four lines, `@`, `+`, letters of bases,
 * qualities in Phred+33 and as many of them as bases. Bytes in place, no string per line.
 *
 * Reads of one run are mostly of one length and faultless, so a record is first tried as one of the
 * length before it, bases and qualities four at a time. Whatever fails there is read again slowly:
 * only that decides what is wrong.
 */
import { AppError } from '@helixmesh/protocol';
import { areBases, areQualities, IS_BASE, QUALITY_MAX, QUALITY_MIN } from './fastq-bytes.ts';
import { CARRY_JOIN_BYTES, RECORD_BYTES_MAX } from './limits.ts';

const LF = 10;
const CR = 13;
const SPACE = 32;
const PLUS = 43;
const SLASH = 47;
const AT = 64;
const NO_BYTES = Buffer.alloc(0);

/** Phred+64 (Illumina 1.3 to 1.7) uses bytes 64–104; Phred+33 rarely goes beyond 80. */
const PHRED64_MIN = 64;
const PHRED64_TELLTALE = 81;
const PHRED64_MAX = 104;

export interface FastqTotals {
  readonly reads: number;
  readonly bases: number;
  readonly minLength: number;
  readonly maxLength: number;
  readonly isPhred64: boolean;
}

export class FastqScanner {
  readonly #label: string;
  #carry: Buffer = NO_BYTES;
  #names: Buffer = NO_BYTES;
  #namesEnd = 0;
  #reads = 0;
  #bases = 0;
  #lastLength = 0;
  #minLength = Number.MAX_SAFE_INTEGER;
  #maxLength = 0;
  /** Both are exact only as long as no quality is below PHRED64_MIN: then they decide nothing. */
  #minQuality = 255;
  #maxQuality = 0;

  /** `label` names the file in messages. */
  constructor(label: string) {
    this.#label = label;
  }

  get totals(): FastqTotals {
    const isHigh = this.#maxQuality >= PHRED64_TELLTALE && this.#maxQuality <= PHRED64_MAX;
    return {
      reads: this.#reads,
      bases: this.#bases,
      minLength: this.#reads === 0 ? 0 : this.#minLength,
      maxLength: this.#maxLength,
      isPhred64: this.#minQuality >= PHRED64_MIN && isHigh,
    };
  }

  /**
   * The names of the records that end in this piece, without `/1` or `/2`, each with a line end.
   * Valid until the next call.
   */
  push(piece: Buffer): Buffer {
    this.#beginNames(this.#carry.length + piece.length);
    let from = 0;
    while (this.#carry.length > 0 && from < piece.length) {
      // Joined with as little of the piece as ends the record: the piece is large.
      const to = from + Math.max(CARRY_JOIN_BYTES, this.#carry.length);
      const more = piece.subarray(from, to);
      const joined = Buffer.concat([this.#carry, more]);
      const at = this.#scan(joined);
      const left = joined.length - at;
      from += more.length;
      if (left <= more.length) {
        from -= left;
        this.#carry = NO_BYTES;
      } else {
        this.#carry = joined.subarray(at);
      }
    }
    if (this.#carry.length === 0) {
      const rest = piece.subarray(from);
      this.#carry = rest.subarray(this.#scan(rest));
    }
    if (this.#carry.length > RECORD_BYTES_MAX) throw this.#malformed('is too long to be a read');
    return this.#names.subarray(0, this.#namesEnd);
  }

  /** The record whose last line has no end, if any. Throws INPUT_TRUNCATED for a part of one. */
  finish(): Buffer {
    this.#beginNames(this.#carry.length + 1);
    let end = this.#carry.length;
    while (end > 0 && this.#carry[end - 1] === LF) end--;
    if (end === 0) return NO_BYTES;
    const bytes = Buffer.concat([this.#carry, Buffer.from('\n')]);
    if (this.#scan(bytes) === bytes.length) return this.#names.subarray(0, this.#namesEnd);
    const record = this.#reads + 1;
    throw new AppError('INPUT_TRUNCATED', `${this.#label} ends inside of record ${record}`, {
      hint: 'The file was not copied whole: copy or download it again and compare checksums.',
      details: { record },
    });
  }

  /** Makes room for the names in as many bytes: no name is longer than its record. */
  #beginNames(sizeBytes: number): void {
    if (this.#names.length < sizeBytes) this.#names = Buffer.allocUnsafeSlow(sizeBytes);
    this.#namesEnd = 0;
  }

  /** Where the first record begins that does not end in these bytes. */
  #scan(bytes: Buffer): number {
    const words = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
    const names = this.#names;
    const length = bytes.length;
    let at = 0;
    while (at < length) {
      if (bytes[at] !== AT) {
        if (bytes[at] === LF && isBlank(bytes, at)) break;
        throw this.#malformed("does not begin with '@'");
      }
      let named = this.#namesEnd;
      let nameEnd = at + 1;
      for (; nameEnd < length; nameEnd++) {
        const byte = bytes[nameEnd] as number;
        if (byte <= SPACE) break;
        names[named++] = byte;
      }
      const lineEnd = bytes[nameEnd] === LF ? nameEnd : bytes.indexOf(LF, nameEnd);
      if (lineEnd < 0) break;
      let seqEnd = lineEnd + 1 + this.#lastLength;
      // No line end is a base, so that bases up to a line end are the whole line.
      const isUsual =
        seqEnd < length && bytes[seqEnd] === LF && areBases(bytes, words, lineEnd + 1, seqEnd);
      if (!isUsual) seqEnd = bytes.indexOf(LF, lineEnd + 1);
      if (seqEnd < 0 || seqEnd + 1 >= length) break;
      if (bytes[seqEnd + 1] !== PLUS)
        throw this.#malformed("has no third line that begins with '+'");
      const plusEnd = bytes[seqEnd + 2] === LF ? seqEnd + 2 : bytes.indexOf(LF, seqEnd + 2);
      const readLength = seqEnd - lineEnd - 1;
      const end = plusEnd + 1 + readLength;
      if (plusEnd < 0 || end >= length) break;
      if (!isUsual && !areBases(bytes, words, lineEnd + 1, seqEnd)) {
        throw this.#badBase(bytes, lineEnd + 1);
      }
      const isPlain =
        this.#minQuality < PHRED64_MIN && areQualities(bytes, words, plusEnd + 1, end);
      if (!isPlain) this.#checkQualities(bytes, plusEnd + 1, end);
      if (bytes[end] !== LF) throw this.#malformed('has more qualities than bases');
      this.#count(readLength);
      this.#namesEnd = named - mateBytes(bytes, at + 1, nameEnd);
      names[this.#namesEnd++] = LF;
      at = end + 1;
    }
    return at;
  }

  #checkQualities(bytes: Buffer, from: number, to: number): void {
    let min = this.#minQuality;
    let max = this.#maxQuality;
    for (let i = from; i < to; i++) {
      const quality = bytes[i] as number;
      if (quality < min) min = quality;
      if (quality > max) max = quality;
    }
    if (min < QUALITY_MIN || max > QUALITY_MAX) {
      const isShort = bytes.subarray(from, to).includes(LF);
      throw this.#malformed(
        isShort ? 'has fewer qualities than bases' : 'has a quality that is not Phred+33',
      );
    }
    this.#minQuality = min;
    this.#maxQuality = max;
  }

  #count(length: number): void {
    this.#reads++;
    this.#bases += length;
    this.#lastLength = length;
    if (length < this.#minLength) this.#minLength = length;
    if (length > this.#maxLength) this.#maxLength = length;
  }

  /** For a line of bases that begins at `from` and has a letter that is none. */
  #badBase(bytes: Buffer, from: number): AppError {
    let at = from;
    while (IS_BASE[bytes[at] as number] === 1) at++;
    if (bytes[at] !== CR) return this.#malformed('has a letter that is no base');
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

/** Bytes of `/1` or `/2` at the end of a name. */
function mateBytes(bytes: Buffer, start: number, end: number): 0 | 2 {
  const last = bytes[end - 1];
  const isMate = end - start > 2 && bytes[end - 2] === SLASH && (last === 0x31 || last === 0x32);
  return isMate ? 2 : 0;
}

function isBlank(bytes: Buffer, from: number): boolean {
  for (let i = from; i < bytes.length; i++) if (bytes[i] !== LF) return false;
  return true;
}
