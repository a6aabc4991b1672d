/**
 * Grants: an owner lets somebody use a dataset, on terms. Signed by the owner's wallet.
 *
 * Left out: who the grantee's encryption key belongs to (`encryption-key.ts`), whether the grant was
 * revoked (`revocation.ts`), and which bytes a region of the genome is: the custodian knows the index.
 */
import { z } from 'zod';
import type { Digest } from '../ids.ts';
import { GRANT_BYTES_MAX, REGIONS_MAX, REQUEST_WINDOW_MS } from '../limits.ts';
import { termsSchema } from '../objects/manifest.ts';
import { parseDocument, type Signed, signedSchema } from './document.ts';
import { addressSchema, digestSchema, nonceSchema, timeMsSchema } from './fields.ts';

export const GRANT_TYPE = 'helixmesh/grant/v1';

/** An interval of a contig, 0-based half-open. */
export const regionSchema = z
  .strictObject({
    refName: z
      .string()
      .regex(/^[0-9A-Za-z!#$%&+./:;?@^_|~-][0-9A-Za-z!#$%&*+./:;=?@^_|~-]{0,199}$/),
    start: z
      .int()
      .min(0)
      .max(2 ** 31),
    end: z
      .int()
      .min(1)
      .max(2 ** 31),
  })
  .refine((region) => region.start < region.end, { path: ['end'] });
export type Region = z.infer<typeof regionSchema>;

export const grantSchema = z.strictObject({
  type: z.literal(GRANT_TYPE),
  network: digestSchema,
  owner: addressSchema,
  grantee: addressSchema,
  /** Id of the manifest. */
  dataset: digestSchema,
  terms: termsSchema,
  /** The grant ends before this time; null for never. */
  untilMs: timeMsSchema.nullable(),
  /** What may be read; null for all of it. */
  regions: z.array(regionSchema).min(1).max(REGIONS_MAX).nullable(),
  nonce: nonceSchema,
  issuedAtMs: timeMsSchema,
});
export type Grant = z.infer<typeof grantSchema>;

/** A signed grant from its canonical bytes. Throws INPUT_MALFORMED. */
export function parseGrant(bytes: Uint8Array): Signed<Grant> {
  const what = 'a grant';
  return parseDocument(signedSchema(grantSchema), bytes, { what, maxBytes: GRANT_BYTES_MAX });
}

/** What somebody wants to do with a dataset. */
export interface DatasetUse {
  readonly dataset: Digest;
  /** The owner whom the dataset's manifest names. */
  readonly owner: string;
  readonly user: string;
  readonly pipeline: string;
  readonly isCommercial: boolean;
  /** Where the data would be processed. */
  readonly zone: string;
  readonly nowMs: number;
}

export type GrantRefusal =
  | 'dataset'
  | 'owner'
  | 'grantee'
  | 'not_yet'
  | 'expired'
  | 'pipeline'
  | 'commercial_use'
  | 'zone';

/** Every reason why a grant (its signature verified) does not allow a use; none: it does. */
export function grantRefusals(grant: Grant, use: DatasetUse): GrantRefusal[] {
  const { terms } = grant;
  const refusals: readonly (readonly [GrantRefusal, boolean])[] = [
    ['dataset', grant.dataset !== use.dataset],
    ['owner', grant.owner !== use.owner],
    ['grantee', grant.grantee !== use.user],
    ['not_yet', grant.issuedAtMs > use.nowMs + REQUEST_WINDOW_MS],
    ['expired', grant.untilMs !== null && grant.untilMs <= use.nowMs],
    ['pipeline', terms.pipelines !== null && !terms.pipelines.includes(use.pipeline)],
    ['commercial_use', use.isCommercial && !terms.commercialUse],
    ['zone', terms.zones !== null && !terms.zones.some((zone) => isWithinZone(use.zone, zone))],
  ];
  return refusals.filter(([, holds]) => holds).map(([reason]) => reason);
}

/** `US-CA` is within `US`; which countries are in `EU` the operator's statement says, not this. */
export function isWithinZone(zone: string, allowed: string): boolean {
  return zone === allowed || zone.startsWith(`${allowed}-`);
}
