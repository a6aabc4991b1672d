/**
 * Tombstones: an owner says, signed by the wallet, that an object is to be removed for good. Whoever
 * shows one to a vault that keeps the object has it removed; the vault keeps the tombstone in its
 * place, and takes the object from nobody any more. The same data can be put again as another object.
 */
import { z } from 'zod';
import { parseDocument, type Signed, signedSchema } from './document.ts';
import { addressSchema, digestSchema, timeMsSchema } from './fields.ts';

export const TOMBSTONE_TYPE = 'helixmesh/tombstone/v1';

export const tombstoneSchema = z.strictObject({
  type: z.literal(TOMBSTONE_TYPE),
  network: digestSchema,
  owner: addressSchema,
  /** Id of the manifest. */
  object: digestSchema,
  issuedAtMs: timeMsSchema,
});
export type Tombstone = z.infer<typeof tombstoneSchema>;

/** A signed tombstone from its canonical bytes. Throws INPUT_MALFORMED. */
export function parseTombstone(bytes: Uint8Array): Signed<Tombstone> {
  const options = { what: 'a tombstone', maxBytes: 4_096 };
  return parseDocument(signedSchema(tombstoneSchema), bytes, options);
}
