/**
 * Which segments of an object a grant of regions is. The owner's custodian, who knows the index, says
 * so with its node key; a vault serves those segments and no others under the grant.
 */
import { z } from 'zod';
import type { Range } from '../crypt4gh/segments.ts';
import { GRANT_BYTES_MAX, REGIONS_MAX, SEGMENTS_MAX } from '../limits.ts';
import { keySignedSchema, parseDocument, type Signed } from './document.ts';
import { digestSchema, timeMsSchema } from './fields.ts';

export const GRANT_SEGMENTS_TYPE = 'helixmesh/grant-segments/v1';

/** Places of segments, 0-based half-open; in order, with room between two of them. */
export const segmentRangesSchema = z
  .array(
    z
      .strictObject({
        start: z.int().min(0).max(SEGMENTS_MAX),
        end: z.int().min(1).max(SEGMENTS_MAX),
      })
      .refine(({ start, end }) => start < end, { path: ['end'] }),
  )
  .min(1)
  .max(REGIONS_MAX)
  .refine(isApart);

export const grantSegmentsSchema = z.strictObject({
  type: z.literal(GRANT_SEGMENTS_TYPE),
  network: digestSchema,
  /** Id of the grant. */
  grant: digestSchema,
  /** Id of the manifest. */
  object: digestSchema,
  segments: segmentRangesSchema,
  atMs: timeMsSchema,
});
export type GrantSegments = z.infer<typeof grantSegmentsSchema>;

/** A signed statement from its canonical bytes. Throws INPUT_MALFORMED. */
export function parseGrantSegments(bytes: Uint8Array): Signed<GrantSegments> {
  const options = { what: 'the segments of a grant', maxBytes: GRANT_BYTES_MAX };
  return parseDocument(keySignedSchema(grantSegmentsSchema), bytes, options);
}

/** One list of places has one spelling: two ranges that touch would be one. */
function isApart(ranges: readonly Range[]): boolean {
  return ranges.every(({ start }, i) => i === 0 || (ranges[i - 1]?.end ?? 0) < start);
}
