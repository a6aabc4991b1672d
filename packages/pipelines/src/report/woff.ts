/**
 * Unpacks a WOFF 1.0 font (W3C Recommendation of 2012-12-13) to the SFNT that it holds. fontkit can
 * read WOFF itself, but inflates its tables in JavaScript, which took most of the time of a report.
 * Written for the fonts of an installed package: a font that breaks the format is a broken
 * installation, and an assertion says so. Metadata and private data are left out.
 */
import assert from 'node:assert/strict';
import { inflateSync } from 'node:zlib';

const SIGNATURE = 0x774f4646;
const WOFF_HEADER_BYTES = 44;
const WOFF_ENTRY_BYTES = 20;
const SFNT_HEADER_BYTES = 12;
const SFNT_ENTRY_BYTES = 16;

interface Table {
  /** Four letters, as a number. */
  readonly tag: number;
  readonly checksum: number;
  readonly data: Buffer;
}

/** The same bytes for the same font: tables in the order of the WOFF, each at a multiple of four. */
export function sfntOf(woff: Buffer): Buffer {
  assert.equal(woff.readUInt32BE(0), SIGNATURE, 'not a WOFF font');
  const count = woff.readUInt16BE(12);
  const tables = Array.from({ length: count }, (_, index) => tableAt(woff, index));
  const head = Buffer.alloc(SFNT_HEADER_BYTES + count * SFNT_ENTRY_BYTES);
  head.writeUInt32BE(woff.readUInt32BE(4), 0);
  head.writeUInt16BE(count, 4);
  // OpenType, "Table Directory": what a binary search over the entries starts from.
  const power = Math.floor(Math.log2(count));
  head.writeUInt16BE(SFNT_ENTRY_BYTES * 2 ** power, 6);
  head.writeUInt16BE(power, 8);
  head.writeUInt16BE(SFNT_ENTRY_BYTES * (count - 2 ** power), 10);
  const parts: Buffer[] = [head];
  let offset = head.length;
  for (const [index, { tag, checksum, data }] of tables.entries()) {
    const entry = SFNT_HEADER_BYTES + index * SFNT_ENTRY_BYTES;
    [tag, checksum, offset, data.length].forEach((value, at) => {
      head.writeUInt32BE(value, entry + at * 4);
    });
    const padding = Buffer.alloc(-data.length & 3);
    parts.push(data, padding);
    offset += data.length + padding.length;
  }
  return Buffer.concat(parts, offset);
}

function tableAt(woff: Buffer, index: number): Table {
  const entry = WOFF_HEADER_BYTES + index * WOFF_ENTRY_BYTES;
  const field = (at: number) => woff.readUInt32BE(entry + at * 4);
  const [tag, offset, packedBytes, lengthBytes] = [field(0), field(1), field(2), field(3)];
  const packed = woff.subarray(offset, offset + packedBytes);
  // A table that would not shrink is stored as it is.
  const data =
    packedBytes < lengthBytes ? inflateSync(packed, { maxOutputLength: lengthBytes }) : packed;
  assert.equal(data.length, lengthBytes, 'a table of the font is damaged');
  return { tag, checksum: field(4), data };
}
