/**
 * The records of some regions of a BAM or bgzipped VCF file, with its header, without reading the rest:
 * by an index, or from the bytes alone that somebody was granted.
 *
 * Invariants
 * P1  Records are those that `samtools view` and `tabix` give for the regions on the whole file, in the
 *     order of the file, each once.
 * P2  Under a grant no byte outside of it is asked for.
 * P3  `regionBytes` answers with ranges only from which a grantee gets the same records: it has tried.
 */
import { createHash } from 'node:crypto';
import { AppError } from '@helixmesh/protocol';
import type { Region } from '../../germline/input.ts';
import { BGZF_END } from '../gzip/bgzf.ts';
import { BGZF_CONTENT_BYTES, bgzfBlock } from '../gzip/bgzf-writer.ts';
import { type ByteRange, blocksOf, type RangedBytes } from './bgzf-blocks.ts';
import { type IndexedFile, openIndexed } from './open-indexed.ts';
import type { RecordPlace } from './record-format.ts';
import { type PlacedRecord, recordsOf } from './records.ts';
import type { Chunk, RegionIndex } from './region-index.ts';

/** Decompressed: the header, then each record. Throws USAGE for a contig that is not there. */
export async function* recordsByIndex(
  source: RangedBytes,
  index: RegionIndex,
  regions: readonly Region[],
): AsyncGenerator<Buffer> {
  const file = await openIndexed(source);
  yield file.header;
  for await (const { bytes } of placedRecords(source, { file, index, regions })) yield bytes;
}

/** The same from the bytes `granted`, in order and apart, which begin with the header. */
export async function* recordsOfGrant(
  source: RangedBytes,
  granted: readonly ByteRange[],
  regions: readonly Region[],
): AsyncGenerator<Buffer> {
  const [head] = granted;
  if (head?.start !== 0) throw noHeader();
  const file = await openIndexed(source, head.end);
  checkContigs(file, undefined, regions);
  yield file.header;
  for (const range of granted) {
    const isHead = range === head;
    const places = { start: isHead ? file.first.block : range.start, end: range.end };
    const records = recordsOf(file.format, blocksOf(source, places, range.end), {
      from: isHead ? file.first.within : 'unknown',
      until: undefined,
      isCut: range.end < source.sizeBytes,
    });
    for await (const { bytes, place } of records) if (isWanted(place, regions)) yield bytes;
  }
}

/**
 * Which bytes of the file a grantee needs for the regions: the blocks of the header, and those that
 * their records lie in. Throws what `recordsByIndex` throws.
 */
export async function regionBytes(
  source: RangedBytes,
  index: RegionIndex,
  regions: readonly Region[],
): Promise<readonly ByteRange[]> {
  const file = await openIndexed(source);
  const wanted = createHash('sha256').update(file.header);
  const ranges: ByteRange[] = [{ start: 0, end: file.headerEnd }];
  for await (const { bytes, blocks } of placedRecords(source, { file, index, regions })) {
    wanted.update(bytes);
    const last = ranges.at(-1);
    if (last === undefined || blocks.start > last.end) ranges.push(blocks);
    else ranges[ranges.length - 1] = { start: last.start, end: Math.max(last.end, blocks.end) };
  }
  const digest = wanted.digest('hex');
  if ((await digestOfGrant(source, ranges, regions)) === digest) return ranges;
  throw new AppError(
    'INPUT_MALFORMED',
    'the records of the region cannot be told from the others',
    {
      hint: 'Write the file anew with `samtools view -b` or `bcftools view -Oz`, and index that.',
    },
  );
}

/** As BGZF, with the block that ends a file. */
export async function* bgzipped(parts: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
  let pending: Buffer[] = [];
  let size = 0;
  for await (const part of parts) {
    pending.push(part);
    size += part.length;
    if (size < BGZF_CONTENT_BYTES) continue;
    const content = Buffer.concat(pending);
    let at = 0;
    for (; content.length - at >= BGZF_CONTENT_BYTES; at += BGZF_CONTENT_BYTES) {
      yield bgzfBlock(content.subarray(at, at + BGZF_CONTENT_BYTES));
    }
    pending = [content.subarray(at)];
    size = content.length - at;
  }
  if (size > 0) yield bgzfBlock(Buffer.concat(pending));
  yield BGZF_END;
}

interface Search {
  readonly file: IndexedFile;
  readonly index: RegionIndex;
  readonly regions: readonly Region[];
}

async function* placedRecords(source: RangedBytes, search: Search): AsyncGenerator<PlacedRecord> {
  const { file, regions } = search;
  for (const { start, end } of chunksOf(search)) {
    const places = { start: start.block, end: end.within > 0 ? end.block + 1 : end.block };
    const records = recordsOf(file.format, blocksOf(source, places), {
      from: start.within,
      until: end,
      isCut: false,
    });
    for await (const record of records) if (isWanted(record.place, regions)) yield record;
  }
}

/** Chunks of all regions in the order of the file; none is read twice. */
function chunksOf({ file, index, regions }: Search): Chunk[] {
  if (index.kind !== file.kind) {
    throw new AppError('INPUT_WRONG_FORMAT', `an index of ${index.kind}, a file of ${file.kind}`, {
      hint: 'Name the index of this very file.',
    });
  }
  const contigs = checkContigs(file, index, regions);
  const chunks = regions.flatMap(({ refName, start, end }) => {
    const contig = contigs.indexOf(refName);
    return contig < 0 ? [] : index.chunksOf(contig, start, end);
  });
  const joined: Chunk[] = [];
  for (const chunk of chunks.sort((a, b) => compare(a.start, b.start))) {
    const last = joined.at(-1);
    if (last === undefined || compare(chunk.start, last.end) > 0) joined.push(chunk);
    else if (compare(chunk.end, last.end) > 0) {
      joined[joined.length - 1] = { start: last.start, end: chunk.end };
    }
  }
  return joined;
}

function checkContigs(
  { format }: IndexedFile,
  index: RegionIndex | undefined,
  regions: readonly Region[],
): readonly string[] {
  const contigs = format.contigs ?? index?.contigs ?? [];
  for (const { refName } of regions) {
    if (contigs.includes(refName) || format.hasContig(refName)) continue;
    throw new AppError('USAGE', `the file has no contig ${JSON.stringify(refName)}`, {
      hint: 'Name it as the file does: 7 and chr7 are not the same.',
    });
  }
  return contigs;
}

function isWanted(place: RecordPlace | undefined, regions: readonly Region[]): boolean {
  if (place === undefined) return false;
  return regions.some(
    ({ refName, start, end }) =>
      refName === place.refName && place.start < end && place.end > start,
  );
}

function compare(a: Chunk['start'], b: Chunk['start']): number {
  return a.block - b.block || a.within - b.within;
}

async function digestOfGrant(
  source: RangedBytes,
  ranges: readonly ByteRange[],
  regions: readonly Region[],
): Promise<string> {
  const hash = createHash('sha256');
  for await (const bytes of recordsOfGrant(source, ranges, regions)) hash.update(bytes);
  return hash.digest('hex');
}

function noHeader(): AppError {
  return new AppError(
    'INPUT_WRONG_FORMAT',
    'the grant does not reach over the header of the file',
    {
      hint: 'Read the bytes that were granted, without --region.',
    },
  );
}
