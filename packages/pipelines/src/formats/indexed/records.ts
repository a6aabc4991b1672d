/** Records out of blocks, with the bytes of the file that each lies in. */
import { AppError } from '@helixmesh/protocol';
import type { BgzfBlock, ByteRange } from './bgzf-blocks.ts';
import type { RecordFormat, RecordPlace } from './record-format.ts';
import type { VirtualOffset } from './region-index.ts';

export interface PlacedRecord {
  readonly bytes: Buffer;
  readonly place: RecordPlace | undefined;
  /** Bytes of the file: the blocks that hold it. */
  readonly blocks: ByteRange;
}

export interface Extent {
  /** Byte of the first block where a record begins; `unknown`: it has to be found. */
  readonly from: number | 'unknown';
  /** Where the last record ends; undefined: with the blocks. */
  readonly until: VirtualOffset | undefined;
  /** Whether the blocks may end in the middle of a record; that one is left out. */
  readonly isCut: boolean;
}

/** A block of the bytes at hand, by the place of its first one in them. */
interface Span extends ByteRange {
  readonly at: number;
}

/** Throws INPUT_MALFORMED where records do not follow each other. */
export async function* recordsOf(
  format: RecordFormat,
  blocks: AsyncIterable<BgzfBlock>,
  { from, until, isCut }: Extent,
): AsyncGenerator<PlacedRecord> {
  let bytes: Buffer = Buffer.alloc(0);
  let spans: Span[] = [];
  /** Where the next record begins; undefined while that has to be found. */
  let at = from === 'unknown' ? undefined : from;
  let isEndSeen = until === undefined;
  let isCutShort = false;
  let isFirst = true;
  for await (const { start, end, content } of blocks) {
    const isLast = until !== undefined && start === until.block;
    const kept = isLast ? content.subarray(0, until.within) : content;
    isCutShort = kept.length < content.length;
    isEndSeen ||= isLast || (end === until?.block && until.within === 0);
    spans.push({ at: bytes.length, start, end });
    bytes = bytes.length === 0 ? kept : Buffer.concat([bytes, kept]);
    at ??= format.firstIn(bytes, false);
    if (at === undefined) continue;
    if (at > bytes.length || (isFirst && format.firstIn(bytes.subarray(at), true) !== 0)) {
      throw notOfFile();
    }
    isFirst = false;
    for (let to = format.endOf(bytes, at); to !== undefined; to = format.endOf(bytes, at)) {
      yield recordAt(format, bytes, { at, to, spans });
      at = to;
    }
    const rest = at;
    bytes = bytes.subarray(rest);
    const first = spans.findLastIndex((span) => span.at <= rest);
    spans = spans.slice(Math.max(first, 0)).map((span) => ({ ...span, at: span.at - rest }));
    at = 0;
  }
  // A block begins there in the file that was indexed.
  if (!isEndSeen || (isCutShort && (at ?? 0) < bytes.length)) throw notOfFile();
  yield* rest(format, bytes, { at, spans, isCut });
}

/** What no block has ended. */
function* rest(
  format: RecordFormat,
  bytes: Buffer,
  left: {
    readonly at: number | undefined;
    readonly spans: readonly Span[];
    readonly isCut: boolean;
  },
): Generator<PlacedRecord> {
  const { spans, isCut } = left;
  let at = left.at ?? format.firstIn(bytes, true) ?? bytes.length;
  for (let to = format.endOf(bytes, at); to !== undefined; to = format.endOf(bytes, at)) {
    yield recordAt(format, bytes, { at, to, spans });
    at = to;
  }
  if (isCut || at >= bytes.length) return;
  const last = format.lastOf(bytes.subarray(at));
  if (last === null) throw notOfFile();
  const blocks = blocksAround(spans, at, bytes.length);
  yield { bytes: last, place: format.placeOf(last, 0, last.length), blocks };
}

function recordAt(
  format: RecordFormat,
  bytes: Buffer,
  { at, to, spans }: { readonly at: number; readonly to: number; readonly spans: readonly Span[] },
): PlacedRecord {
  return {
    bytes: bytes.subarray(at, to),
    place: format.placeOf(bytes, at, to),
    blocks: blocksAround(spans, at, to),
  };
}

function blocksAround(spans: readonly Span[], at: number, to: number): ByteRange {
  const first = spans[spans.findLastIndex((span) => span.at <= at)];
  const last = spans[spans.findLastIndex((span) => span.at < to)];
  if (first === undefined || last === undefined) throw notOfFile();
  return { start: first.start, end: last.end };
}

function notOfFile(): AppError {
  return new AppError('INPUT_MALFORMED', 'the records do not lie where the index says', {
    hint: 'Name the index of this very file, or index it anew.',
  });
}
