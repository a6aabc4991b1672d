/**
 * Cutting what is to be read into pieces: which segments to fetch, which bytes of them to keep, and
 * where these go in what is written.
 */
import {
  keptRanges,
  type Range,
  SEGMENT_BYTES,
  segmentsOfBytes,
} from '@helixmesh/protocol/sealing';
import { UNIT_SEGMENTS } from '../limits.ts';

/** Segments that one request reads. */
export interface Unit {
  readonly segments: Range;
  /** Bytes of the plaintext to keep, all of them within these segments. */
  readonly bytes: Range;
  /** Where the first of them goes. */
  readonly at: number;
}

/** The units of `ranges` (bytes of the plaintext), which are written one behind the other. */
export function unitsOf(ranges: readonly Range[]): Unit[] {
  const units: Unit[] = [];
  let at = 0;
  for (const range of ranges) {
    const segments = segmentsOfBytes(range);
    for (let start = segments.start; start < segments.end; start += UNIT_SEGMENTS) {
      const end = Math.min(start + UNIT_SEGMENTS, segments.end);
      const bytes = within({ start: start * SEGMENT_BYTES, end: end * SEGMENT_BYTES }, range);
      units.push({ segments: { start, end }, bytes, at: at + bytes.start - range.start });
    }
    at += range.end - range.start;
  }
  return units;
}

/** Bytes of a unit that lie in one of its segments, as places in the plaintext. */
export function keptOf({ bytes }: Unit, segment: number): Range {
  return within({ start: segment * SEGMENT_BYTES, end: (segment + 1) * SEGMENT_BYTES }, bytes);
}

/** The part of a unit that `segments`, some of its own, make. */
export function partOf(unit: Unit, segments: Range): Unit {
  const bytes = within(
    { start: segments.start * SEGMENT_BYTES, end: segments.end * SEGMENT_BYTES },
    unit.bytes,
  );
  return { segments, bytes, at: unit.at + bytes.start - unit.bytes.start };
}

/**
 * Bytes of the plaintext that a grant of regions lets one read: its edit list speaks of the
 * plaintext of its segments put one behind the other.
 */
export function grantedRanges(
  editList: readonly number[],
  segments: readonly Range[],
  plaintextBytes: number,
): Range[] {
  const granted: Range[] = [];
  const keeps = keptRanges(editList);
  let before = 0;
  for (const run of segments) {
    const start = run.start * SEGMENT_BYTES;
    const end = Math.min(run.end * SEGMENT_BYTES, plaintextBytes);
    for (const kept of keeps) {
      const part = within(
        { start: kept.start - before, end: kept.end - before },
        {
          start: 0,
          end: end - start,
        },
      );
      if (part.start < part.end) granted.push({ start: start + part.start, end: start + part.end });
    }
    before += end - start;
  }
  return granted;
}

/** What of `wanted` lies in `granted`; both in order and apart. */
export function commonRanges(wanted: readonly Range[], granted: readonly Range[]): Range[] {
  return wanted.flatMap((range) =>
    granted.map((other) => within(range, other)).filter(({ start, end }) => start < end),
  );
}

export function totalOf(ranges: readonly Range[]): number {
  return ranges.reduce((sum, { start, end }) => sum + end - start, 0);
}

function within(range: Range, limits: Range): Range {
  const start = Math.max(range.start, limits.start);
  return { start, end: Math.max(start, Math.min(range.end, limits.end)) };
}
