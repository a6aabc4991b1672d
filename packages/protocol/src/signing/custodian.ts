/**
 * Custodians: an owner states, signed by the wallet, which node releases the keys of their data,
 * where it is found, and to which X25519 key headers for it are sealed.
 */
import { z } from 'zod';
import { endpointSchema, type NodeAddress, nodeIdFieldSchema } from '../network/address.ts';
import { parseDocument, type Signed, signedSchema } from './document.ts';
import {
  addressSchema,
  digestSchema,
  nonceSchema,
  publicKeySchema,
  timeMsSchema,
} from './fields.ts';

export const CUSTODIAN_TYPE = 'helixmesh/custodian/v1';

export const custodianSchema = z.strictObject({
  type: z.literal(CUSTODIAN_TYPE),
  network: digestSchema,
  owner: addressSchema,
  /** The node whose key attests revocation heads and signs which segments a grant is. */
  nodeId: nodeIdFieldSchema,
  endpoint: endpointSchema,
  /** X25519 public key of the custodian. */
  encryptionKey: publicKeySchema,
  /** Of two statements of an owner the later one holds. */
  issuedAtMs: timeMsSchema,
  nonce: nonceSchema,
});
export type Custodian = z.infer<typeof custodianSchema>;

/** A signed statement from its canonical bytes. Throws INPUT_MALFORMED. */
export function parseCustodian(bytes: Uint8Array): Signed<Custodian> {
  const options = { what: 'a custodian statement', maxBytes: 4_096 };
  return parseDocument(signedSchema(custodianSchema), bytes, options);
}

/** Where the custodian is asked. */
export function custodianAddress({ nodeId, endpoint }: Custodian): NodeAddress {
  return { nodeId, ...endpoint };
}
