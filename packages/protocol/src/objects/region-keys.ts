/**
 * Region grants: each group of 256 segments (16 MiB of plaintext) has a data key of its own, and the
 * header of a grant holds the keys of those groups only that overlap the granted bytes.
 *
 * Invariants
 * R1  Group keys are drawn independently: one tells nothing about another.
 * R2  Keys stand in a header in the order of their groups.
 * R3  A grant's keys open no segment of a group that the grant does not touch.
 *
 * What it does not do: a key opens its whole group, so up to 16 MiB on either side of a region are
 * kept from the grantee by the vault alone, which serves the segments of the region and no others.
 * The edit list trims the edges for honest tools. A key once released cannot be recalled.
 */

import type { SegmentKey, SegmentOpener } from '../crypt4gh/body.ts';
import { editListOf } from '../crypt4gh/edit-list.ts';
import { sealHeader } from '../crypt4gh/header.ts';
import {
  openSegment,
  type Range,
  SEGMENT_BYTES,
  segmentCount,
  segmentsOfBytes,
} from '../crypt4gh/segments.ts';
import { type Crypto, KEY_BYTES } from '../crypto/port.ts';
import { AppError } from '../errors.ts';
import { REGIONS_MAX } from '../limits.ts';

/** Segments that share a data key. Part of the format: the manifest states it, readers rely on it. */
export const GROUP_SEGMENTS = 256;

/** Keys of an object that is being written: each is drawn when its first segment comes. */
export interface GroupKeys {
  readonly keyOf: SegmentKey;
  /** In the order of the groups; complete once the body is. */
  readonly keys: readonly Uint8Array[];
}

export function makeGroupKeys(crypto: Crypto): GroupKeys {
  const keys: Uint8Array[] = [];
  return {
    keys,
    keyOf(index) {
      const group = groupOf(index);
      while (keys.length <= group) keys.push(crypto.random(KEY_BYTES));
      return keys[group] as Uint8Array;
    },
  };
}

/** The group of a segment. */
export function groupOf(segment: number): number {
  return Math.floor(segment / GROUP_SEGMENTS);
}

/** Groups that an object of that size has. */
export function groupCount(plaintextBytes: number): number {
  return Math.ceil(segmentCount(plaintextBytes) / GROUP_SEGMENTS);
}

export interface RegionRequest {
  /** Every group's key, in order. */
  readonly groupKeys: readonly Uint8Array[];
  readonly plaintextBytes: number;
  /** Bytes of the plaintext; any order, overlaps allowed. */
  readonly regions: readonly Range[];
  /** X25519 public keys. */
  readonly recipients: readonly Uint8Array[];
}

export interface RegionHeader {
  /** Keys of `groups` in order, and an edit list for a body made of `segments` alone. */
  readonly header: Uint8Array;
  /** Groups whose keys the header holds. */
  readonly groups: readonly Range[];
  /** Segments that the vault serves under this grant. */
  readonly segments: readonly Range[];
}

/**
 * The header for some bytes of an object. Throws USAGE for regions that are empty, too many or
 * beyond its end.
 */
export function sealRegionHeader(crypto: Crypto, request: RegionRequest): RegionHeader {
  const { groupKeys, plaintextBytes, recipients } = request;
  if (groupKeys.length !== groupCount(plaintextBytes)) {
    throw new AppError('INTERNAL', `${groupKeys.length} keys for ${plaintextBytes} bytes`);
  }
  const regions = regionsWithin(request.regions, plaintextBytes);
  const segments = joined(regions.map(segmentsOfBytes));
  const groups = joined(segments.map(groupsOfSegments));
  const dataKeys = groups.flatMap(({ start, end }) => groupKeys.slice(start, end));
  const editList = editListOf(splicedRanges(regions, segments));
  return { header: sealHeader(crypto, { dataKeys, editList }, recipients), groups, segments };
}

/**
 * Opens segments by the keys of their groups alone. `dataKeys` as they stand in the header, for
 * `groups`. Throws INPUT_MALFORMED when their numbers differ.
 */
export function openWithGroups(
  crypto: Crypto,
  dataKeys: readonly Uint8Array[],
  groups: readonly Range[],
): SegmentOpener {
  const keys = new Map<number, Uint8Array>();
  let at = 0;
  for (const { start, end } of groups) {
    for (let group = start; group < end && at < dataKeys.length; group += 1) {
      keys.set(group, dataKeys[at] as Uint8Array);
      at += 1;
    }
  }
  const expected = groups.reduce((sum, { start, end }) => sum + end - start, 0);
  if (keys.size !== dataKeys.length || expected !== dataKeys.length) {
    throw new AppError('INPUT_MALFORMED', `${dataKeys.length} data keys for ${expected} groups`, {
      hint: 'Ask the custodian for the header again.',
    });
  }
  return (segment, index) => {
    const key = keys.get(groupOf(index));
    return key && openSegment(crypto, key, segment);
  };
}

function groupsOfSegments({ start, end }: Range): Range {
  return { start: groupOf(start), end: groupOf(end - 1) + 1 };
}

function regionsWithin(regions: readonly Range[], plaintextBytes: number): Range[] {
  const isWithin = ({ start, end }: Range) =>
    Number.isSafeInteger(start) && start >= 0 && start < end && end <= plaintextBytes;
  if (regions.length === 0 || regions.length > REGIONS_MAX || !regions.every(isWithin)) {
    throw new AppError('USAGE', `no such regions of an object of ${plaintextBytes} bytes`, {
      hint: `Name 1 to ${REGIONS_MAX} regions, each with a start before its end, within the object.`,
    });
  }
  return joined(regions);
}

/** The same places in order, with those that overlap or touch joined. */
function joined(ranges: readonly Range[]): Range[] {
  const result: Range[] = [];
  for (const range of [...ranges].sort((a, b) => a.start - b.start)) {
    const last = result.at(-1);
    if (last === undefined || range.start > last.end) result.push(range);
    else result[result.length - 1] = { start: last.start, end: Math.max(last.end, range.end) };
  }
  return result;
}

/** Where `regions` lie in the plaintext of `segments` put one behind the other; both in order. */
function splicedRanges(regions: readonly Range[], segments: readonly Range[]): Range[] {
  let at = 0;
  let before = 0;
  return regions.map((region) => {
    // Each region lies within one run of segments, for joined runs do not touch.
    for (let run = segments[at]; run && run.end * SEGMENT_BYTES <= region.start; ) {
      before += run.end - run.start;
      at += 1;
      run = segments[at];
    }
    const shift = (before - (segments[at]?.start ?? 0)) * SEGMENT_BYTES;
    return { start: region.start + shift, end: region.end + shift };
  });
}
