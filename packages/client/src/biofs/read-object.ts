/** The plaintext of a sealed object in order, with some pieces fetched ahead. */
import { joinBytes, type Range, SEGMENT_BYTES } from '@helixmesh/protocol/sealing';
import type { SegmentReader } from './object-reader.ts';
import { keptOf, type Unit, unitsOf } from './plan.ts';

/**
 * The bytes `ranges` of the plaintext, one range behind the other, in pieces of at most 4 MiB; every
 * byte is verified before it is handed out. `connections` pieces are fetched at once and held in
 * memory. Throws as `SegmentReader.segments`.
 */
export async function* readObject(
  reader: SegmentReader,
  ranges: readonly Range[],
  connections: number,
): AsyncGenerator<Uint8Array> {
  const units = unitsOf(ranges);
  const ahead: Promise<Uint8Array>[] = [];
  let next = 0;
  const fetchMore = () => {
    for (; next < units.length && ahead.length < connections; next += 1) {
      const piece = plaintextOf(reader, units[next] as Unit);
      // The consumer is told of a failure when it comes to this piece.
      piece.catch(ignore);
      ahead.push(piece);
    }
  };
  for (fetchMore(); ahead.length > 0; fetchMore())
    yield await (ahead.shift() as Promise<Uint8Array>);
}

async function plaintextOf(reader: SegmentReader, unit: Unit): Promise<Uint8Array> {
  const parts: Uint8Array[] = [];
  for await (const { index, plaintext } of reader.segments(unit.segments)) {
    const { start, end } = keptOf(unit, index);
    const first = index * SEGMENT_BYTES;
    parts.push(plaintext.subarray(start - first, end - first));
  }
  return joinBytes(parts);
}

function ignore(): void {}
