/**
 * Bases of an uncompressed, indexed FASTA, read in blocks as the comparison asks for them, so that
 * a chromosome is never in memory as a whole. Reads are synchronous: replay is plain computation
 * that looks at a few hundred bases here and there, from left to right.
 */
import { closeSync, openSync, readFileSync, readSync } from 'node:fs';
import { basename } from 'node:path';
import { AppError } from '@helixmesh/protocol';
import { type FaiContig, parseFai } from '../formats/fai.ts';
import { FASTA_BLOCK_BASES, FASTA_BLOCKS_KEPT } from './limits.ts';
import type { ReferenceSequence } from './variant.ts';

export class FastaWindow implements Disposable {
  /** In the order of the file. */
  readonly contigs: readonly FaiContig[];
  readonly #path: string;
  readonly #file: number;

  /** Opens `path` and `path.fai`. Throws INPUT_NOT_FOUND and INPUT_WRONG_FORMAT. */
  constructor(path: string) {
    this.#path = path;
    this.contigs = parseFai(readIndex(path));
    this.#file = openSync(path, 'r');
    const head = Buffer.alloc(1);
    readSync(this.#file, head, 0, 1, 0);
    if (head.toString('latin1') !== '>') {
      this[Symbol.dispose]();
      throw new AppError('INPUT_WRONG_FORMAT', `${basename(path)} is not an uncompressed FASTA`, {
        hint: 'Decompress it with `bgzip -d`, then index it with `samtools faidx`.',
      });
    }
  }

  /** One contig's bases in upper case. */
  sequence(contig: FaiContig): ReferenceSequence {
    const blocks = new Map<number, string>();
    const block = (index: number): string => {
      const known = blocks.get(index);
      if (known !== undefined) return known;
      const start = index * FASTA_BLOCK_BASES;
      const end = Math.min(contig.lengthBases, start + FASTA_BLOCK_BASES);
      const read = this.#read(contig, { start, end });
      blocks.set(index, read);
      const [oldest] = blocks.keys();
      if (blocks.size > FASTA_BLOCKS_KEPT && oldest !== undefined) blocks.delete(oldest);
      return read;
    };
    return {
      length: contig.lengthBases,
      slice: (from, to) => {
        const start = Math.max(0, from);
        const end = Math.min(contig.lengthBases, to);
        let bases = '';
        for (let at = start; at < end; ) {
          const index = Math.floor(at / FASTA_BLOCK_BASES);
          const origin = index * FASTA_BLOCK_BASES;
          const piece = block(index).slice(at - origin, end - origin);
          bases += piece;
          at += piece.length;
        }
        return bases;
      },
    };
  }

  [Symbol.dispose](): void {
    closeSync(this.#file);
  }

  #read(contig: FaiContig, span: { readonly start: number; readonly end: number }): string {
    const first = byteOf(contig, span.start);
    const bytes = Buffer.alloc(byteOf(contig, span.end - 1) + 1 - first);
    const count = readSync(this.#file, bytes, 0, bytes.length, first);
    const bases = bytes.toString('latin1').replace(/\s+/g, '').toUpperCase();
    if (count < bytes.length || bases.length !== span.end - span.start) {
      throw new AppError('REFERENCE_CORRUPT', `${basename(this.#path)} and its .fai do not agree`, {
        hint: 'Make the index again with `samtools faidx`.',
      });
    }
    return bases;
  }
}

function byteOf(contig: FaiContig, position: number): number {
  const line = Math.floor(position / contig.lineBases);
  return contig.offset + line * contig.lineBytes + (position % contig.lineBases);
}

function readIndex(path: string): string {
  try {
    return readFileSync(`${path}.fai`, 'utf8');
  } catch (cause) {
    throw new AppError('INPUT_NOT_FOUND', `${basename(path)}.fai cannot be read`, {
      hint: `Make it with \`samtools faidx ${basename(path)}\`.`,
      cause,
    });
  }
}
