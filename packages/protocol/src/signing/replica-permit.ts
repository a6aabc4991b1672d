/**
 * An owner's custodian lets one vault fetch an object from the others, to keep or to repair its copy:
 * the owner wants a copy there. A vault that is asked holds it beside the revocation head, and the
 * zones in it beside the object's residency. No key travels with it: what is fetched stays sealed.
 */
import { z } from 'zod';
import { NODE_ID_PATTERN, type NodeId } from '../ids.ts';
import { NODE_RELEASE_MS_MAX } from '../limits.ts';
import { keySignedSchema, parseDocument, type Signed } from './document.ts';
import { addressSchema, digestSchema, timeMsSchema, zoneSchema } from './fields.ts';

export const REPLICA_PERMIT_TYPE = 'helixmesh/replica-permit/v1';

/** Zones of one statement, as in the scheduler. */
const ZONES_MAX = 100;

export const replicaPermitSchema = z
  .strictObject({
    type: z.literal(REPLICA_PERMIT_TYPE),
    network: digestSchema,
    owner: addressSchema,
    /** Id of the manifest. */
    object: digestSchema,
    /** The vault that may fetch. */
    node: z.string().regex(NODE_ID_PATTERN) as unknown as z.ZodType<NodeId>,
    /** Where that vault is, as its operator has signed; none where no operator has. */
    zones: z.array(zoneSchema).max(ZONES_MAX),
    issuedAtMs: timeMsSchema,
    /** It ends before this time. */
    untilMs: timeMsSchema,
  })
  .refine(({ issuedAtMs: from, untilMs: to }) => from < to && to - from <= NODE_RELEASE_MS_MAX, {
    path: ['untilMs'],
  });
export type ReplicaPermit = z.infer<typeof replicaPermitSchema>;

/** A signed permit from its canonical bytes. Throws INPUT_MALFORMED. */
export function parseReplicaPermit(bytes: Uint8Array): Signed<ReplicaPermit> {
  const options = { what: 'the permit of a replica', maxBytes: 4_096 };
  return parseDocument(keySignedSchema(replicaPermitSchema), bytes, options);
}
