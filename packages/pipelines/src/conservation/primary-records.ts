/**
 * Counts the primary records of a BAM file (SAMv1 §1.4: neither 0x100 nor 0x800 in FLAG), mapped or
 * not: one for each read that was aligned, in whatever order they stand.
 */
import { readDecompressed } from '../formats/gzip/bgzf.ts';
import { readCanonicalHeader } from './bam-header.ts';
import { FIXED_BYTES, int32, malformedRecord } from './bam-record.ts';
import { BAM_HEADER_BYTES_MAX, BAM_RECORD_BYTES_MAX } from './limits.ts';

const NO_BYTES = Buffer.alloc(0);
/** From the beginning of a record, its size included (SAMv1 §4.2). */
const FLAG_AT = 18;
const SECONDARY_OR_SUPPLEMENTARY = 0x900;

/** Throws INPUT_MALFORMED for what is no BAM file, or ends within a record. */
export async function countPrimaryRecords(path: string): Promise<number> {
  let carry: Buffer = NO_BYTES;
  let hasHeader = false;
  let primary = 0;
  for await (const chunk of readDecompressed(path)) {
    const bytes = carry.length === 0 ? chunk : Buffer.concat([carry, chunk]);
    let at = 0;
    if (!hasHeader) {
      const header = readCanonicalHeader(bytes);
      if (header === null && bytes.length > BAM_HEADER_BYTES_MAX) throw malformedRecord();
      hasHeader = header !== null;
      at = header?.sizeBytes ?? bytes.length + 1;
    }
    for (; at + 4 <= bytes.length; ) {
      const size = int32(bytes, at);
      if (size < FIXED_BYTES - 4 || size > BAM_RECORD_BYTES_MAX) throw malformedRecord();
      if (at + 4 + size > bytes.length) break;
      if ((bytes.readUInt16LE(at + FLAG_AT) & SECONDARY_OR_SUPPLEMENTARY) === 0) primary += 1;
      at += 4 + size;
    }
    carry = hasHeader ? bytes.subarray(at) : bytes;
  }
  if (!hasHeader || carry.length > 0) throw malformedRecord();
  return primary;
}
