/**
 * Turns a FASTA (plain, gzip or bgzip) into the bundle's `ref.fa`: names without descriptions,
 * lines of 60 bases, letters and their case as they were. So the same genome gives the same bytes
 * whatever its line length, and `samtools faidx` never meets uneven lines.
 *
 * One pass also gives each contig's M5 (SAM specification 1.3.2: MD5 of the upper-case letters)
 * and refget digest (GA4GH refget 2.0: `SQ.` and sha512t24u of the same).
 */
import { createHash, type Hash } from 'node:crypto';
import { createWriteStream } from 'node:fs';
import { pipeline } from 'node:stream/promises';
import { AppError } from '@helixmesh/protocol';
import { MAX_CONTIG_NAME_LETTERS, MAX_CONTIGS, MAX_FASTA_HEADER_BYTES } from './limits.ts';
import { emptySource, readSource, type SourceFile } from './source-stream.ts';

export interface SequenceContig {
  readonly name: string;
  readonly lengthBases: number;
  /** 32 lower-case hex digits. */
  readonly md5: string;
  /** `SQ.` and 32 letters. */
  readonly refget: string;
}

const LINE_BASES = 60;
const NEWLINE = 0x0a;
const RETURN = 0x0d;
const GREATER = 0x3e;
/** SAM specification 1.2.1, which VCF 4.3 (1.4.7) takes over for contig names. */
const CONTIG_NAME = /^[0-9A-Za-z!#$%&+./:;?@^_|~-][0-9A-Za-z!#$%&*+./:;=?@^_|~-]*$/;
/** Byte → its upper case for the IUPAC nucleotide letters, 0 for all else. */
const UPPER = new Uint8Array(256);
for (const letter of 'ACGTUNRYSWKMBDHV') {
  UPPER[letter.charCodeAt(0)] = letter.charCodeAt(0);
  UPPER[letter.toLowerCase().charCodeAt(0)] = letter.charCodeAt(0);
}

/** Writes `target` and tells the contigs in their order. Throws AppError for bad input. */
export async function prepareFasta(
  source: SourceFile,
  target: string,
  signal?: AbortSignal,
): Promise<readonly SequenceContig[]> {
  const rewriter = new FastaRewriter(source);
  async function* rewritten(): AsyncGenerator<Buffer> {
    for await (const chunk of readSource(source, signal)) yield* rewriter.push(chunk);
    yield* rewriter.finish();
  }
  await pipeline(rewritten, createWriteStream(target), signal === undefined ? {} : { signal });
  return rewriter.contigs;
}

class FastaRewriter {
  readonly contigs: SequenceContig[] = [];
  private readonly source: SourceFile;
  private readonly names = new Set<string>();
  private name: string | null = null;
  private lengthBases = 0;
  private md5: Hash = createHash('md5');
  private sha512: Hash = createHash('sha512');
  private column = 0;
  private line = 1;
  private isAtLineStart = true;
  /** What of a header line has come so far; null outside one. */
  private header: Buffer | null = null;

  constructor(source: SourceFile) {
    this.source = source;
  }

  /** The rewritten bytes of the next chunk. */
  *push(chunk: Buffer): Generator<Buffer> {
    let at = 0;
    while (at < chunk.length) {
      if (this.header !== null) {
        const end = chunk.indexOf(NEWLINE, at);
        const part = chunk.subarray(at, end === -1 ? chunk.length : end);
        this.header = Buffer.concat([this.header, part]);
        if (this.header.length > MAX_FASTA_HEADER_BYTES) throw this.wrong('a line is too long');
        if (end === -1) return;
        at = end + 1;
        yield this.startContig();
      } else {
        const { bytes, next } = this.sequence(chunk, at);
        if (bytes.length > 0) yield bytes;
        at = next;
      }
    }
  }

  *finish(): Generator<Buffer> {
    if (this.header !== null) yield this.startContig();
    if (this.name === null) throw emptySource(this.source);
    yield this.endContig();
  }

  /** Takes bases up to the next header line or the end of the chunk. */
  private sequence(chunk: Buffer, from: number): { bytes: Buffer; next: number } {
    const rest = chunk.length - from;
    const out = Buffer.allocUnsafe(rest + Math.ceil(rest / LINE_BASES) + 1);
    const upper = Buffer.allocUnsafe(rest);
    let written = 0;
    let bases = 0;
    let at = from;
    for (; at < chunk.length; at++) {
      const byte = chunk[at] as number;
      if (byte === NEWLINE) {
        this.isAtLineStart = true;
        this.line++;
        continue;
      }
      if (byte === RETURN) continue;
      if (this.isAtLineStart && byte === GREATER) {
        this.header = Buffer.alloc(0);
        at++;
        break;
      }
      const letter = UPPER[byte] as number;
      if (letter === 0 || this.name === null) throw this.wrongByte(byte);
      this.isAtLineStart = false;
      upper[bases++] = letter;
      out[written++] = byte;
      if (++this.column === LINE_BASES) {
        out[written++] = NEWLINE;
        this.column = 0;
      }
    }
    const letters = upper.subarray(0, bases);
    this.md5.update(letters);
    this.sha512.update(letters);
    this.lengthBases += bases;
    return { bytes: out.subarray(0, written), next: at };
  }

  private startContig(): Buffer {
    const end = this.name === null ? Buffer.alloc(0) : this.endContig();
    const text = (this.header ?? Buffer.alloc(0)).toString('latin1');
    const name = text.split(/\s/, 1)[0] ?? '';
    if (!CONTIG_NAME.test(name) || name.length > MAX_CONTIG_NAME_LETTERS) {
      throw malformed(this.source, `line ${this.line}: contig name ${quoted(name)}`, {
        hint: 'Rename the contig: VCF allows printable letters without spaces, commas, quotes, brackets and backslashes.',
      });
    }
    if (this.names.has(name)) {
      throw malformed(this.source, `line ${this.line}: contig ${name} is there twice`, {
        hint: 'Remove or rename the second one.',
      });
    }
    if (this.names.size >= MAX_CONTIGS) throw this.wrong(`more than ${MAX_CONTIGS} contigs`);
    this.names.add(name);
    this.name = name;
    this.header = null;
    this.line++;
    this.isAtLineStart = true;
    this.lengthBases = 0;
    this.column = 0;
    this.md5 = createHash('md5');
    this.sha512 = createHash('sha512');
    return Buffer.concat([end, Buffer.from(`>${name}\n`)]);
  }

  private endContig(): Buffer {
    const name = this.name ?? '';
    if (this.lengthBases === 0) {
      throw malformed(this.source, `contig ${name} has no bases`, {
        hint: 'Remove the contig or get the whole file.',
      });
    }
    const sha512t24 = this.sha512.digest().subarray(0, 24).toString('base64url');
    this.contigs.push({
      name,
      lengthBases: this.lengthBases,
      md5: this.md5.digest('hex'),
      refget: `SQ.${sha512t24}`,
    });
    return this.column === 0 ? Buffer.alloc(0) : Buffer.from('\n');
  }

  private wrongByte(byte: number): AppError {
    if (this.name !== null) {
      const letter = quoted(String.fromCharCode(byte));
      return malformed(this.source, `line ${this.line}: ${letter} is not a nucleotide letter`, {
        hint: 'Give a nucleotide FASTA (letters ACGTUN and the IUPAC codes).',
      });
    }
    return byte === 0x40
      ? this.wrong('it begins with "@" like a FASTQ or SAM file')
      : this.wrong('it does not begin with ">"');
  }

  private wrong(why: string): AppError {
    const { label, path } = this.source;
    return new AppError('INPUT_WRONG_FORMAT', `${label}: ${path} is not FASTA: ${why}`, {
      hint: 'Give the genome as FASTA, plain or compressed with gzip or bgzip.',
    });
  }
}

function malformed(source: SourceFile, why: string, options: { hint: string }): AppError {
  return new AppError('INPUT_MALFORMED', `${source.label}: ${source.path}: ${why}`, options);
}

function quoted(text: string): string {
  return JSON.stringify(text.slice(0, 80));
}
