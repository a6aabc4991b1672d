/**
 * The canonical digest of a BAM file: what a reader of the alignments can know of it, and nothing
 * of how it was written.
 *
 *   B1  @PG, @CO, compression and the place of blocks do not count; @HD SO, @SQ and @RG do.
 *   B2  Records count in coordinate order; those at one position in the order of their bytes, so
 *       that the order in which threads wrote them does not count. More than TIES_MAX at one
 *       position (unplaced reads above all) count as a multiset: memory stays bounded.
 *   B3  Tags count in the order of their names, integers by value.
 *
 * SHA-256 over: domain tag, header text, record groups. A file that is not sorted by coordinate is
 * INPUT_MALFORMED; one without its end block is INPUT_TRUNCATED.
 */
import { createHash, type Hash } from 'node:crypto';
import { AppError } from '@helixmesh/protocol';
import { hasBgzfEnd, readDecompressed } from '../formats/gzip/bgzf.ts';
import { int32, writeCanonicalRecord } from './bam-record.ts';
import { BamScanner } from './bam-scanner.ts';
import { OUT_BYTES, TIES_MAX } from './limits.ts';
import { MultisetHash } from './multiset.ts';

const DOMAIN = 'helixmesh canonical bam 1\n';

/** 64 hex digits of SHA-256 over the canonical content. */
export async function bamDigestHex(path: string): Promise<string> {
  if (!(await hasBgzfEnd(path))) {
    throw new AppError('INPUT_TRUNCATED', 'the BAM file has no end block', {
      hint: 'Make the file again, or fetch it again; it was not written or copied whole.',
    });
  }
  const canonicalizer = new BamCanonicalizer();
  for await (const chunk of readDecompressed(path)) canonicalizer.push(chunk);
  return canonicalizer.finish();
}

/** Takes the decompressed bytes of a BAM file in pieces of any size. */
export class BamCanonicalizer {
  readonly #hash: Hash = createHash('sha256').update(DOMAIN);
  readonly #scanner = new BamScanner({
    onHeader: ({ text }) => this.#hash.update(`${text}\n`),
    onRecord: (bytes, from, to) => this.#record(bytes, from, to),
  });
  /** Canonical records; those of the group at hand begin at `#groupFrom`. */
  #out = Buffer.allocUnsafe(OUT_BYTES);
  #outAt = 0;
  #groupFrom = 0;
  readonly #groupStarts = new Int32Array(TIES_MAX + 1);
  #groupCount = 0;
  #multiset: MultisetHash | null = null;
  #refId = 0;
  #pos = -2;

  push(chunk: Buffer): void {
    this.#scanner.push(chunk);
  }

  finish(): string {
    this.#scanner.finish();
    this.#endGroup();
    this.#hash.update(this.#out.subarray(0, this.#outAt));
    return this.#hash.digest('hex');
  }

  #record(bytes: Buffer, from: number, to: number): void {
    const refId = int32(bytes, from + 4);
    const pos = int32(bytes, from + 8);
    if (refId !== this.#refId || pos !== this.#pos) {
      this.#endGroup();
      this.#checkOrder(refId, pos);
      this.#refId = refId;
      this.#pos = pos;
    }
    this.#reserve(to - from);
    const start = this.#outAt;
    const target = { out: this.#out, at: start };
    const end = start + writeCanonicalRecord(bytes, from, to, target);
    if (this.#multiset !== null) {
      this.#multiset.add(this.#out.subarray(start, end));
      return;
    }
    this.#groupStarts[this.#groupCount++] = start;
    this.#outAt = end;
    if (this.#groupCount > TIES_MAX) this.#toMultiset();
  }

  #checkOrder(refId: number, pos: number): void {
    const isAfter =
      refId === this.#refId
        ? pos > this.#pos
        : this.#refId !== -1 && (refId === -1 || refId > this.#refId);
    if (isAfter) return;
    throw new AppError('INPUT_MALFORMED', 'the BAM file is not sorted by coordinate', {
      hint: 'Sort it with `samtools sort`.',
    });
  }

  /** Makes room for `size` bytes after the group at hand. */
  #reserve(size: number): void {
    if (this.#outAt + size <= this.#out.length) return;
    this.#hash.update(this.#out.subarray(0, this.#groupFrom));
    const groupBytes = this.#outAt - this.#groupFrom;
    const isEnough = groupBytes + size <= this.#out.length;
    const out = isEnough ? this.#out : Buffer.allocUnsafe(2 * (groupBytes + size));
    this.#out.copy(out, 0, this.#groupFrom, this.#outAt);
    for (let i = 0; i < this.#groupCount; i++) {
      this.#groupStarts[i] = (this.#groupStarts[i] as number) - this.#groupFrom;
    }
    this.#out = out;
    this.#groupFrom = 0;
    this.#outAt = groupBytes;
  }

  #toMultiset(): void {
    this.#multiset = new MultisetHash();
    for (const element of this.#group()) this.#multiset.add(element);
    this.#outAt = this.#groupFrom;
    this.#groupCount = 0;
  }

  #endGroup(): void {
    if (this.#multiset !== null) {
      const digest = this.#multiset.digest();
      this.#multiset = null;
      this.#reserve(digest.length);
      this.#outAt += digest.copy(this.#out, this.#outAt);
    } else if (this.#groupCount > 1) {
      this.#sortGroup();
    }
    this.#groupFrom = this.#outAt;
    this.#groupCount = 0;
  }

  #sortGroup(): void {
    const elements = this.#group();
    let isSorted = true;
    for (let i = 1; i < elements.length && isSorted; i++) {
      isSorted = Buffer.compare(elements[i - 1] as Buffer, elements[i] as Buffer) <= 0;
    }
    if (isSorted) return;
    Buffer.concat(elements.sort(Buffer.compare)).copy(this.#out, this.#groupFrom);
  }

  #group(): Buffer[] {
    const elements: Buffer[] = [];
    for (let i = 0; i < this.#groupCount; i++) {
      const end = i + 1 < this.#groupCount ? this.#groupStarts[i + 1] : this.#outAt;
      elements.push(this.#out.subarray(this.#groupStarts[i], end));
    }
    return elements;
  }
}
