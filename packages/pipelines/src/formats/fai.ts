/** The FASTA index `.fai` (samtools-faidx(5)): names, lengths and where the bases lie. */
import { type FileHandle, readFile } from 'node:fs/promises';
import { AppError } from '@helixmesh/protocol';
import type { Contig, Region } from '../germline/input.ts';
import { openInput } from './gzip/bgzf.ts';

export interface FaiContig extends Contig {
  /** Byte offset of the first base in the uncompressed FASTA. */
  readonly offset: number;
  readonly lineBases: number;
  /** Bytes of a line with its end. */
  readonly lineBytes: number;
}

/** Reads a .fai; throws INPUT_MALFORMED with the line's number. */
export function parseFai(text: string): FaiContig[] {
  const contigs: FaiContig[] = [];
  const names = new Set<string>();
  for (const [i, line] of text.split(/\r?\n/).entries()) {
    if (line === '') continue;
    const [name = '', ...rest] = line.split('\t');
    const [lengthBases = -1, offset = -1, lineBases = -1, lineBytes = -1] = rest.map(Number);
    const isSound = [lengthBases, offset, lineBases, lineBytes].every(
      (value) => Number.isSafeInteger(value) && value >= 0,
    );
    if (name === '' || names.has(name) || !isSound) {
      throw new AppError('INPUT_MALFORMED', `line ${i + 1} of the FASTA index is malformed`, {
        hint: 'Make the index again with `samtools faidx`.',
      });
    }
    names.add(name);
    contigs.push({ name, lengthBases, offset, lineBases, lineBytes });
  }
  return contigs;
}

export function formatFai(contigs: readonly FaiContig[]): string {
  const lines = contigs.map((contig) =>
    [contig.name, contig.lengthBases, contig.offset, contig.lineBases, contig.lineBytes].join('\t'),
  );
  return lines.map((line) => `${line}\n`).join('');
}

/** Random access to an uncompressed FASTA with its index. Close it. */
export class IndexedFasta {
  readonly contigs: readonly FaiContig[];
  readonly #file: FileHandle;
  readonly #byName: ReadonlyMap<string, FaiContig>;

  constructor(file: FileHandle, contigs: readonly FaiContig[]) {
    this.#file = file;
    this.contigs = contigs;
    this.#byName = new Map(contigs.map((contig) => [contig.name, contig]));
  }

  /** Opens `path` and `path.fai`. */
  static async open(path: string): Promise<IndexedFasta> {
    const contigs = parseFai(await readFile(`${path}.fai`, 'utf8'));
    return new IndexedFasta(await openInput(path), contigs);
  }

  /** The bases of a region as they stand in the file; NOT_FOUND for what lies outside. */
  async bases(region: Region): Promise<string> {
    const contig = this.#byName.get(region.refName);
    if (contig === undefined || region.start < 0 || region.end > contig.lengthBases) {
      throw new AppError('NOT_FOUND', `the reference has no such region of ${region.refName}`, {
        hint: 'Check that the positions were made against this reference.',
      });
    }
    if (region.end <= region.start) return '';
    const first = byteOf(contig, region.start);
    const bytes = Buffer.alloc(byteOf(contig, region.end - 1) + 1 - first);
    const { bytesRead } = await this.#file.read(bytes, 0, bytes.length, first);
    if (bytesRead < bytes.length) {
      throw new AppError('INPUT_TRUNCATED', 'the FASTA file is shorter than its index says', {
        hint: 'Make the index again with `samtools faidx`.',
      });
    }
    return bytes.toString('latin1').replace(/\s+/g, '');
  }

  async close(): Promise<void> {
    await this.#file.close();
  }
}

function byteOf(contig: FaiContig, position: number): number {
  const line = Math.floor(position / contig.lineBases);
  return contig.offset + line * contig.lineBytes + (position % contig.lineBases);
}
