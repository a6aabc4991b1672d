/**
 * The primary records of a BAM file (SAMv1 §1.4: neither 0x100 nor 0x800 in FLAG), mapped or not: one
 * for each read that was aligned, in whatever order they stand.
 */
import { BamScanner } from '../canonical/bam-scanner.ts';
import { readDecompressed } from '../formats/gzip/bgzf.ts';

/** From the beginning of a record, its size included (SAMv1 §4.2). */
const FLAG_AT = 18;
const SECONDARY_OR_SUPPLEMENTARY = 0x900;

/**
 * As many at once as a piece of the file has; each with its size field, and valid until the next are
 * asked for. Throws INPUT_MALFORMED, INPUT_TRUNCATED, INPUT_WRONG_FORMAT.
 */
export async function* primaryRecords(path: string): AsyncGenerator<readonly Buffer[]> {
  let found: Buffer[] = [];
  const scanner = new BamScanner({
    onRecord(bytes, from, to) {
      if ((bytes.readUInt16LE(from + FLAG_AT) & SECONDARY_OR_SUPPLEMENTARY) !== 0) return;
      found.push(bytes.subarray(from, to));
    },
  });
  for await (const piece of readDecompressed(path)) {
    found = [];
    scanner.push(piece);
    yield found;
  }
  scanner.finish();
}

/** Throws INPUT_MALFORMED, INPUT_TRUNCATED, INPUT_WRONG_FORMAT. */
export async function countPrimaryRecords(path: string): Promise<number> {
  let count = 0;
  for await (const records of primaryRecords(path)) count += records.length;
  return count;
}
