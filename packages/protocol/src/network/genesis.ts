/**
 * The genesis document: the bytes that found a network. Its hash is the network's id, which every
 * hash and signature of the network binds, so nothing in it can be changed later.
 */
import { z } from 'zod';
import { COORDINATORS_MAX, GENESIS_BYTES_MAX, OPERATORS_MAX } from '../limits.ts';
import { parseDocument } from '../signing/document.ts';
import { addressSchema, isSortedSet, nonceSchema, timeMsSchema } from '../signing/fields.ts';
import { nodeIdFieldSchema } from './address.ts';

export const GENESIS_TYPE = 'helixmesh/genesis/v1';

export const genesisSchema = z.strictObject({
  type: z.literal(GENESIS_TYPE),
  /** For people; two networks may have one name. */
  name: z.string().regex(/^[a-z0-9]([a-z0-9-]{0,62}[a-z0-9])?$/),
  createdAtMs: timeMsSchema,
  nonce: nonceSchema,
  /** Nodes that route and countersign, sorted; none where there is no compute. */
  coordinators: z.array(nodeIdFieldSchema).max(COORDINATORS_MAX).refine(isSortedSet),
  /** Operators whose statements of a zone the network vouches for, sorted. */
  attestedOperators: z.array(addressSchema).max(OPERATORS_MAX).refine(isSortedSet),
});
export type Genesis = z.infer<typeof genesisSchema>;

/** A genesis document from its canonical bytes. Throws INPUT_MALFORMED. */
export function parseGenesis(bytes: Uint8Array): Genesis {
  const options = { what: 'a genesis document', maxBytes: GENESIS_BYTES_MAX };
  return parseDocument(genesisSchema, bytes, options);
}
