/** One FASTQ file of the intake: read once, decompressed, hashed both ways and scanned. */
import { createHash } from 'node:crypto';
import { stat } from 'node:fs/promises';
import { AppError, type Digest, parseDigest } from '@helixmesh/protocol';
import { type Compression, detectCompression, readDecompressed } from '../formats/gzip/bgzf.ts';
import { INTAKE_CHUNK_BYTES } from './limits.ts';
import { FastqScanner } from './scan-fastq.ts';

/** What the intake says about one file. */
export interface ReadsSummary {
  /** Of the decompressed text. */
  readonly digest: Digest;
  /** Of the file as it is; 64 hex digits. */
  readonly rawSha256: string;
  /** By content: file names can lie, and fastp goes by the name. */
  readonly compression: Compression;
  readonly reads: number;
  readonly bases: number;
  /** Bases of the shortest and of the longest read. */
  readonly minLength: number;
  readonly maxLength: number;
}

/** First bytes of what people hand in instead of FASTQ. */
const MAGICS: readonly (readonly [string, string, string])[] = [
  ['BAM\x01', 'a BAM file', 'Convert it with `samtools collate -Ou in.bam | samtools fastq -1 …`.'],
  ['CRAM', 'a CRAM file', 'Convert it with `samtools fastq --reference ref.fa -1 … -2 …`.'],
  ['@HD\t', 'a SAM file', 'Convert it with `samtools fastq -1 … -2 …`.'],
  ['@SQ\t', 'a SAM file', 'Convert it with `samtools fastq -1 … -2 …`.'],
  ['>', 'a FASTA file', 'Give the reads with their qualities, as FASTQ.'],
  ['BZh', 'compressed with bzip2', 'Compress it with gzip instead.'],
  ['\xfd7zXZ', 'compressed with xz', 'Compress it with gzip instead.'],
  ['\x28\xb5\x2f\xfd', 'compressed with zstd', 'Compress it with gzip instead.'],
  ['PK\x03\x04', 'a ZIP archive', 'Unpack it and compress it with gzip instead.'],
];

/** One FASTQ file, taken piece by piece to its end. */
export interface ReadsInput extends AsyncDisposable {
  readonly sizeBytes: number;
  /** Bytes of the file as it is that the pieces taken so far come from, or somewhat more. */
  readonly readBytes: number;
  /** Records in the pieces taken so far. */
  readonly reads: number;
  /**
   * The names of the next records, at least one, without `/1` or `/2` and each with a line end;
   * null after the last. Valid until the next call.
   */
  next(): Promise<Uint8Array | null>;
  /** After the last record. Throws INPUT_EMPTY, or INPUT_WRONG_FORMAT for Phred+64. */
  summary(): ReadsSummary;
}

interface FoundFile {
  readonly sizeBytes: number;
  readonly compression: Compression;
}

export class FastqInput implements ReadsInput {
  readonly sizeBytes: number;
  readonly label: string;
  readonly #compression: Compression;
  readonly #scanner: FastqScanner;
  readonly #chunks: AsyncGenerator<Buffer>;
  readonly #textHash = createHash('sha256');
  readonly #rawHash = createHash('sha256');
  #isFirst = true;
  #isDone = false;
  #readBytes = 0;

  private constructor(path: string, label: string, found: FoundFile) {
    this.label = label;
    this.sizeBytes = found.sizeBytes;
    this.#compression = found.compression;
    this.#scanner = new FastqScanner(label);
    this.#chunks = readDecompressed(path, {
      label,
      chunkBytes: INTAKE_CHUNK_BYTES,
      onRead: (piece) => {
        this.#rawHash.update(piece);
        this.#readBytes += piece.length;
      },
    });
  }

  static async open(path: string, label: string): Promise<FastqInput> {
    const found = await stat(path).catch((error: unknown) => {
      throw new AppError('INPUT_NOT_FOUND', `${label} is not there`, {
        hint: 'Check the path.',
        cause: error,
      });
    });
    const compression = await detectCompression(path);
    return new FastqInput(path, label, { sizeBytes: found.size, compression });
  }

  get readBytes(): number {
    return this.#readBytes;
  }

  get reads(): number {
    return this.#scanner.totals.reads;
  }

  async next(): Promise<Uint8Array | null> {
    while (!this.#isDone) {
      const { value, done } = await this.#chunks.next();
      if (done === true) this.#isDone = true;
      else {
        this.#textHash.update(value);
        if (this.#isFirst) this.#checkMagic(value);
        this.#isFirst = false;
      }
      const names = done === true ? this.#scanner.finish() : this.#scanner.push(value);
      if (names.length > 0) return names;
    }
    return null;
  }

  summary(): ReadsSummary {
    const { isPhred64, ...totals } = this.#scanner.totals;
    if (totals.bases === 0) {
      throw new AppError('INPUT_EMPTY', `${this.label} has no reads`, {
        hint: 'Check that sequencing and copying produced this file.',
      });
    }
    if (isPhred64) {
      throw new AppError('INPUT_WRONG_FORMAT', `${this.label} has qualities in Phred+64`, {
        hint: 'Convert them to Phred+33 with `seqtk seq -VQ64`.',
      });
    }
    const digest = parseDigest(`sha256:${this.#textHash.digest('hex')}`);
    const rawSha256 = this.#rawHash.digest('hex');
    return { digest, rawSha256, compression: this.#compression, ...totals };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#chunks.return(undefined);
  }

  #checkMagic(bytes: Buffer): void {
    const head = bytes.toString('latin1', 0, 8);
    for (const [magic, what, hint] of MAGICS) {
      if (!head.startsWith(magic)) continue;
      throw new AppError('INPUT_WRONG_FORMAT', `${this.label} is ${what}, not FASTQ`, { hint });
    }
    if (head.startsWith('@')) return;
    throw new AppError('INPUT_WRONG_FORMAT', `${this.label} is not FASTQ`, {
      hint: 'Give FASTQ files, plain or compressed with gzip.',
    });
  }
}
