/** The reads of a FASTQ stream and of a BAM file as elements; memory is a few pieces of either. */
import { AppError } from '@helixmesh/protocol';
import { FIXED_BYTES, int32, malformedRecord } from '../canonical/bam-record.ts';
import { RECORD_BYTES_MAX } from '../intake/limits.ts';
import { primaryRecords } from './primary-records.ts';
import { lettersOf, type Mate, packedOf, readElement } from './read-element.ts';

const LF = 10;
const AT = 64;
const NAME_END = /[\s]/;

/** SAMv1 §1.4.2. */
const PAIRED = 0x1;
const REVERSE = 0x10;
const FIRST = 0x40;
const LAST = 0x80;

/** Mates of pairs follow each other. Throws INPUT_MALFORMED, INPUT_TRUNCATED. */
export async function* fastqElements(
  pieces: AsyncIterable<Buffer>,
  isPaired: boolean,
): AsyncGenerator<Buffer> {
  let count = 0;
  let carry: Buffer = Buffer.alloc(0);
  for await (const piece of pieces) {
    const bytes = carry.length === 0 ? piece : Buffer.concat([carry, piece]);
    let at = 0;
    for (let ends = lineEnds(bytes, at); ends !== null; ends = lineEnds(bytes, at)) {
      const [first, second, , fourth] = ends;
      if (bytes[at] !== AT) throw malformedFastq();
      const title = bytes.subarray(at + 1, first);
      const nameEnd = title.toString('latin1').search(NAME_END);
      const name = nameEnd < 0 ? title : title.subarray(0, nameEnd);
      const mate: Mate = isPaired ? ((1 + (count % 2)) as Mate) : 0;
      yield readElement(mate, name, lettersOf(bytes.subarray(first + 1, second)));
      count++;
      at = fourth + 1;
    }
    carry = bytes.subarray(at);
    if (carry.length > RECORD_BYTES_MAX) throw malformedFastq();
  }
  if (carry.length > 0 || (isPaired && count % 2 === 1)) {
    throw new AppError('INPUT_TRUNCATED', 'the reads end in the middle', {
      hint: 'Check the files of reads with `helixmesh submit`, which names the place.',
    });
  }
}

type LineEnds = readonly [number, number, number, number];

/** Where the four lines of a record end; null when it is not there whole. */
function lineEnds(bytes: Buffer, from: number): LineEnds | null {
  const ends: number[] = [];
  for (let at = from; ends.length < 4; ) {
    const end = bytes.indexOf(LF, at);
    if (end < 0) return null;
    ends.push(end);
    at = end + 1;
  }
  return ends as unknown as LineEnds;
}

/** Primary records, mapped or not. Throws INPUT_MALFORMED, INPUT_TRUNCATED, INPUT_WRONG_FORMAT. */
export async function* bamElements(path: string): AsyncGenerator<Buffer> {
  for await (const records of primaryRecords(path)) {
    for (const record of records) yield elementOf(record);
  }
}

/** Offsets as in `bam-record.ts`. */
function elementOf(record: Buffer): Buffer {
  const flag = record.readUInt16LE(18);
  const nameBytes = record.readUInt8(12);
  const bases = int32(record, 20);
  const packedAt = FIXED_BYTES + nameBytes + 4 * record.readUInt16LE(16);
  const packedEnd = packedAt + ((bases + 1) >> 1);
  if (nameBytes === 0 || bases < 0 || packedEnd > record.length) throw malformedRecord();
  const name = record.subarray(FIXED_BYTES, FIXED_BYTES + nameBytes - 1);
  const packed = record.subarray(packedAt, packedEnd);
  return readElement(mateOf(flag), name, packedOf(packed, bases, (flag & REVERSE) !== 0));
}

function mateOf(flag: number): Mate {
  if ((flag & PAIRED) === 0) return 0;
  if ((flag & FIRST) !== 0) return 1;
  return (flag & LAST) !== 0 ? 2 : 0;
}

function malformedFastq(): AppError {
  return new AppError('INPUT_MALFORMED', 'the reads are no FASTQ', {
    hint: 'Check the files of reads with `helixmesh submit`, which names the place.',
  });
}
