/**
 * Finds the header and the records of a BAM file (SAMv1 §4.2) in its decompressed bytes, which come in
 * pieces of any size. Memory is a piece and what is left of a record.
 */
import { AppError } from '@helixmesh/protocol';
import { type CanonicalHeader, readCanonicalHeader } from './bam-header.ts';
import { FIXED_BYTES, int32, malformedRecord } from './bam-record.ts';
import { BAM_HEADER_BYTES_MAX, BAM_RECORD_BYTES_MAX } from './limits.ts';

const MAGIC = Buffer.from('BAM\x01', 'latin1');
const NO_BYTES = Buffer.alloc(0);

export interface BamListener {
  readonly onHeader?: (header: CanonicalHeader) => void;
  /** A record with its size field is `[from, to)` of `bytes`, and has its fixed fields. */
  readonly onRecord: (bytes: Buffer, from: number, to: number) => void;
}

export class BamScanner {
  readonly #listener: BamListener;
  #carry: Buffer = NO_BYTES;
  #hasHeader = false;

  constructor(listener: BamListener) {
    this.#listener = listener;
  }

  /** Throws INPUT_WRONG_FORMAT, INPUT_MALFORMED. */
  push(chunk: Buffer): void {
    const bytes = this.#carry.length === 0 ? chunk : Buffer.concat([this.#carry, chunk]);
    const from = this.#hasHeader ? 0 : this.#readHeader(bytes);
    this.#carry = from < 0 ? bytes : bytes.subarray(this.#readRecords(bytes, from));
  }

  /** Throws INPUT_TRUNCATED. */
  finish(): void {
    if (this.#hasHeader && this.#carry.length === 0) return;
    throw new AppError('INPUT_TRUNCATED', 'the BAM file ends in the middle of a record', {
      hint: 'Make the file again, or fetch it again; it was not written or copied whole.',
    });
  }

  /** Returns where records begin, or -1 when more bytes are needed. */
  #readHeader(bytes: Buffer): number {
    if (bytes.length >= MAGIC.length && !bytes.subarray(0, MAGIC.length).equals(MAGIC)) {
      throw new AppError('INPUT_WRONG_FORMAT', 'the file is no BAM file', {
        hint: 'Convert it with `samtools view -b`.',
      });
    }
    const header = readCanonicalHeader(bytes);
    if (header === null) {
      if (bytes.length > BAM_HEADER_BYTES_MAX) throw malformedRecord();
      return -1;
    }
    this.#listener.onHeader?.(header);
    this.#hasHeader = true;
    return header.sizeBytes;
  }

  /** Returns the number of bytes that are done with. */
  #readRecords(bytes: Buffer, from: number): number {
    const { onRecord } = this.#listener;
    let at = from;
    while (at + 4 <= bytes.length) {
      const size = int32(bytes, at);
      if (size < FIXED_BYTES - 4 || size > BAM_RECORD_BYTES_MAX) throw malformedRecord();
      const end = at + 4 + size;
      if (end > bytes.length) break;
      onRecord(bytes, at, end);
      at = end;
    }
    return at;
  }
}
