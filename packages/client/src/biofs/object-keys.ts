/** Which data key opens which segment, by what a header and the manifest say together. */
import { AppError } from '@helixmesh/protocol';
import {
  groupCount,
  groupOf,
  type HeaderContent,
  type Manifest,
  type Range,
} from '@helixmesh/protocol/sealing';

/** The key of the segment with that index; undefined where it is not held. */
export type KeyOf = (segment: number) => Uint8Array | undefined;

/**
 * Keys of a whole object (`segments` null), or of those segments that a grant of regions allows.
 * Throws INPUT_MALFORMED when the header holds another number of keys.
 */
export function segmentKeys(
  manifest: Pick<Manifest, 'plaintextBytes' | 'segmentsPerKey'>,
  { dataKeys }: Pick<HeaderContent, 'dataKeys'>,
  segments: readonly Range[] | null,
): KeyOf {
  if (manifest.segmentsPerKey === null) {
    if (dataKeys.length !== 1) throw otherNumber(dataKeys.length, 1);
    return () => dataKeys[0];
  }
  const groups =
    segments === null ? allGroups(groupCount(manifest.plaintextBytes)) : groupsOf(segments);
  if (dataKeys.length !== groups.length) throw otherNumber(dataKeys.length, groups.length);
  const keys = new Map(groups.map((group, i) => [group, dataKeys[i] as Uint8Array]));
  return (segment) => keys.get(groupOf(segment));
}

/** A plaintext of no bytes has a key all the same: a header without one is none. */
function allGroups(count: number): number[] {
  return Array.from({ length: Math.max(count, 1) }, (_, group) => group);
}

/** Groups that hold any of the segments, in order, each once. */
function groupsOf(segments: readonly Range[]): number[] {
  const groups = new Set<number>();
  for (const { start, end } of segments) {
    for (let group = groupOf(start); group <= groupOf(end - 1); group += 1) groups.add(group);
  }
  return [...groups].sort((a, b) => a - b);
}

function otherNumber(held: number, expected: number): AppError {
  return new AppError('INPUT_MALFORMED', `a header with ${held} data keys, expected ${expected}`, {
    hint: 'Ask the custodian for the header again.',
  });
}
