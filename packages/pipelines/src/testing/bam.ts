/** Makes BAM files of SAM-like values for tests of canonical content. */
import { bgzip } from '../formats/gzip/bgzf-writer.ts';

export interface TestTag {
  readonly name: string;
  readonly type: 'Z' | 'i' | 'c' | 'C' | 's' | 'S' | 'I' | 'f' | 'A';
  readonly value: string | number;
}

export interface TestRead {
  readonly name: string;
  readonly flag: number;
  /** Index of the contig, -1 for none. */
  readonly refId: number;
  /** 0-based, -1 for none. */
  readonly pos: number;
  readonly mapq: number;
  /** Of `=ACMGRSVTWYHKDBN`. */
  readonly sequence: string;
  readonly qualities: readonly number[];
  readonly tags: readonly TestTag[];
  readonly bin?: number;
}

const NIBBLES = '=ACMGRSVTWYHKDBN';

/** The records in the order given; contigs c0, c1, … of 1,000,000 bases; one match per read. */
export function testBam(headerText: string, contigs: number, reads: readonly TestRead[]): Buffer {
  const dictionary = Array.from({ length: contigs }, (_, i) => {
    const name = Buffer.from(`c${i}\0`);
    return Buffer.concat([uint32(name.length), name, uint32(1_000_000)]);
  });
  const text = Buffer.from(headerText);
  const head = [Buffer.from('BAM\x01', 'latin1'), uint32(text.length), text, uint32(contigs)];
  return bgzip(Buffer.concat([...head, ...dictionary, ...reads.map(recordBytes)]));
}

function recordBytes(read: TestRead): Buffer {
  const name = Buffer.from(`${read.name}\0`);
  const fixed = Buffer.alloc(32);
  fixed.writeInt32LE(read.refId, 0);
  fixed.writeInt32LE(read.pos, 4);
  fixed.writeUInt8(name.length, 8);
  fixed.writeUInt8(read.mapq, 9);
  fixed.writeUInt16LE(read.bin ?? 4681, 10);
  fixed.writeUInt16LE(1, 12);
  fixed.writeUInt16LE(read.flag, 14);
  fixed.writeInt32LE(read.sequence.length, 16);
  fixed.writeInt32LE(-1, 20);
  fixed.writeInt32LE(-1, 24);
  const cigar = uint32(read.sequence.length << 4);
  const sequence = Buffer.alloc((read.sequence.length + 1) >> 1);
  for (const [i, base] of [...read.sequence].entries()) {
    const nibble = NIBBLES.indexOf(base);
    sequence[i >> 1] = (sequence[i >> 1] ?? 0) | (i % 2 === 0 ? nibble << 4 : nibble);
  }
  const tags = read.tags.map(tagBytes);
  const body = Buffer.concat([fixed, name, cigar, sequence, Buffer.from(read.qualities), ...tags]);
  return Buffer.concat([uint32(body.length), body]);
}

function tagBytes(tag: TestTag): Buffer {
  const head = Buffer.from(tag.name + tag.type);
  if (tag.type === 'Z') return Buffer.concat([head, Buffer.from(`${tag.value}\0`)]);
  const value = Buffer.alloc(8);
  const number = Number(tag.value);
  switch (tag.type) {
    case 'A':
      value.write(String(tag.value));
      return Buffer.concat([head, value.subarray(0, 1)]);
    case 'c':
      value.writeInt8(number);
      return Buffer.concat([head, value.subarray(0, 1)]);
    case 'C':
      value.writeUInt8(number);
      return Buffer.concat([head, value.subarray(0, 1)]);
    case 's':
      value.writeInt16LE(number);
      return Buffer.concat([head, value.subarray(0, 2)]);
    case 'S':
      value.writeUInt16LE(number);
      return Buffer.concat([head, value.subarray(0, 2)]);
    case 'I':
      value.writeUInt32LE(number);
      break;
    case 'f':
      value.writeFloatLE(number);
      break;
    default:
      value.writeInt32LE(number);
  }
  return Buffer.concat([head, value.subarray(0, 4)]);
}

function uint32(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32LE(value >>> 0);
  return bytes;
}
