/** Reads single stretches of an indexed FASTA whose lines are all of the same length. */
import { closeSync, openSync, readSync } from 'node:fs';
import type { Contig } from '../germline/input.ts';

const LINE_BASES = 60;

/** Random access to the bundle's `ref.fa`, whose layout `prepareFasta` fixes. */
export class FastaReader implements Disposable {
  private readonly file: number;
  private readonly offsets = new Map<string, number>();

  constructor(path: string, contigs: readonly Contig[]) {
    this.file = openSync(path, 'r');
    let offset = 0;
    for (const { name, lengthBases } of contigs) {
      offset += Buffer.byteLength(name) + 2;
      this.offsets.set(name, offset);
      offset += lengthBases + Math.ceil(lengthBases / LINE_BASES);
    }
  }

  /** Upper-case bases from `start` (0-based); the caller keeps inside the contig. */
  read(refName: string, start: number, lengthBases: number): string {
    const origin = (this.offsets.get(refName) ?? 0) + start + Math.floor(start / LINE_BASES);
    const buffer = Buffer.alloc(lengthBases + Math.ceil(lengthBases / LINE_BASES) + 1);
    const bytesRead = readSync(this.file, buffer, 0, buffer.length, origin);
    const text = buffer.toString('latin1', 0, bytesRead).replaceAll('\n', '');
    return text.slice(0, lengthBases).toUpperCase();
  }

  [Symbol.dispose](): void {
    closeSync(this.file);
  }
}
