/**
 * An owner's custodian lets one node read an object for one attempt at a task. The vault holds it
 * beside grant and revocation head: the node reads in the name of the requester, for the purpose
 * stated, and for no longer than the statement says. The keys travel apart, in a header for the node.
 */
import { z } from 'zod';
import { NODE_ID_PATTERN, type NodeId } from '../ids.ts';
import { NODE_RELEASE_MS_MAX, REQUEST_WINDOW_MS } from '../limits.ts';
import { purposeSchema } from '../network/routes.ts';
import { keySignedSchema, parseDocument, type Signed } from './document.ts';
import { addressSchema, digestSchema, timeMsSchema } from './fields.ts';

export { NODE_RELEASE_MS_MAX };

export const NODE_RELEASE_TYPE = 'helixmesh/node-release/v1';

export const nodeReleaseSchema = z
  .strictObject({
    type: z.literal(NODE_RELEASE_TYPE),
    network: digestSchema,
    owner: addressSchema,
    /** Id of the manifest. */
    object: digestSchema,
    /** Who may read. */
    node: z.string().regex(NODE_ID_PATTERN) as unknown as z.ZodType<NodeId>,
    /** For whom. */
    account: addressSchema,
    /** Grant that it rests on; null where the account is the owner. */
    grant: digestSchema.nullable(),
    /** Id of the requester's signed job. */
    job: digestSchema,
    attempt: z.string().regex(/^att_[0-9a-f]{16}$/),
    fencingToken: z.int().min(1),
    purpose: purposeSchema,
    issuedAtMs: timeMsSchema,
    /** It ends before this time. */
    untilMs: timeMsSchema,
  })
  .refine(({ issuedAtMs: from, untilMs: to }) => from < to && to - from <= NODE_RELEASE_MS_MAX, {
    path: ['untilMs'],
  });
export type NodeRelease = z.infer<typeof nodeReleaseSchema>;

/** A signed statement from its canonical bytes. Throws INPUT_MALFORMED. */
export function parseNodeRelease(bytes: Uint8Array): Signed<NodeRelease> {
  const options = { what: 'the release to a node', maxBytes: 4_096 };
  return parseDocument(keySignedSchema(nodeReleaseSchema), bytes, options);
}

/** Whether it holds now, clocks being a minute apart at most. */
export function isReleaseInTime(
  { issuedAtMs, untilMs }: Pick<NodeRelease, 'issuedAtMs' | 'untilMs'>,
  nowMs: number,
): boolean {
  return issuedAtMs <= nowMs + REQUEST_WINDOW_MS && nowMs < untilMs;
}
