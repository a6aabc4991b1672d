/**
 * Encryption keys: a person or node states, signed by the wallet, to which X25519 key headers for it
 * are to be sealed. The key is random, never derived from a signature of the wallet.
 */
import { z } from 'zod';
import { parseDocument, type Signed, signedSchema } from './document.ts';
import {
  addressSchema,
  digestSchema,
  nonceSchema,
  publicKeySchema,
  timeMsSchema,
} from './fields.ts';

export const ENCRYPTION_KEY_TYPE = 'helixmesh/encryption-key/v1';

export const encryptionKeySchema = z.strictObject({
  type: z.literal(ENCRYPTION_KEY_TYPE),
  network: digestSchema,
  account: addressSchema,
  /** X25519 public key. */
  publicKey: publicKeySchema,
  /** Of two statements of an account the later one holds. */
  issuedAtMs: timeMsSchema,
  nonce: nonceSchema,
});
export type EncryptionKey = z.infer<typeof encryptionKeySchema>;

/** A signed statement from its canonical bytes. Throws INPUT_MALFORMED. */
export function parseEncryptionKey(bytes: Uint8Array): Signed<EncryptionKey> {
  const options = { what: 'an encryption key', maxBytes: 4_096 };
  return parseDocument(signedSchema(encryptionKeySchema), bytes, options);
}
