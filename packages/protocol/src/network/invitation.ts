/**
 * Invitations: what an owner hands to a grantee (`b.grant`), so that the grantee finds and may use a
 * dataset. Each document in it carries its own signature; the file has none, and holds no secret.
 */
import { z } from 'zod';
import type { Crypto } from '../crypto/port.ts';
import type { Digest } from '../ids.ts';
import { GRANT_BYTES_MAX, MANIFEST_BYTES_MAX, VAULTS_MAX } from '../limits.ts';
import { type Manifest, manifestSchema } from '../objects/manifest.ts';
import { type Custodian, custodianSchema } from '../signing/custodian.ts';
import { parseDocument, type Signed, signedSchema, verifyDocument } from '../signing/document.ts';
import { type Grant, grantSchema } from '../signing/grant.ts';
import { nodeAddressTextSchema } from './address.ts';

export const INVITATION_TYPE = 'helixmesh/invitation/v1';
/** Custodian statement and addresses of vaults, bytes. */
const REST_BYTES_MAX = 16 * 1024;

export interface Invitation {
  readonly type: typeof INVITATION_TYPE;
  readonly grant: Signed<Grant>;
  readonly manifest: Signed<Manifest>;
  readonly custodian: Signed<Custodian>;
  /** Addresses of nodes that keep the body, as text; the first is asked first. */
  readonly vaults: readonly string[];
}

const invitationSchema: z.ZodType<Invitation> = z.strictObject({
  type: z.literal(INVITATION_TYPE),
  grant: signedSchema(grantSchema),
  manifest: signedSchema(manifestSchema),
  custodian: signedSchema(custodianSchema),
  vaults: z.array(nodeAddressTextSchema).min(1).max(VAULTS_MAX).refine(isEachOnce),
});

/** An invitation from its canonical bytes; nothing is verified. Throws INPUT_MALFORMED. */
export function parseInvitation(bytes: Uint8Array): Invitation {
  const maxBytes = GRANT_BYTES_MAX + MANIFEST_BYTES_MAX + REST_BYTES_MAX;
  return parseDocument(invitationSchema, bytes, { what: 'an invitation', maxBytes });
}

export type InvitationVerdict =
  | { readonly status: 'valid'; readonly dataset: Digest; readonly grant: Digest }
  | {
      readonly status: 'invalid';
      /** The first document that does not hold, or that belongs to another one. */
      readonly reason: 'manifest' | 'grant' | 'custodian';
    };

/** Whether one owner has signed all of it in this network, and the grant is for that dataset. */
export function verifyInvitation(
  crypto: Crypto,
  { manifest, grant, custodian }: Invitation,
  network: Digest,
): InvitationVerdict {
  const expected = { network, signer: manifest.document.owner };
  const dataset = verifyDocument(crypto, manifest, expected);
  if (dataset.status === 'invalid') return { status: 'invalid', reason: 'manifest' };
  const granted = verifyDocument(crypto, grant, expected);
  const { owner } = grant.document;
  const isForIt = grant.document.dataset === dataset.id && owner === expected.signer;
  if (granted.status === 'invalid' || !isForIt) return { status: 'invalid', reason: 'grant' };
  const keeper = verifyDocument(crypto, custodian, expected);
  if (keeper.status === 'invalid' || custodian.document.owner !== expected.signer) {
    return { status: 'invalid', reason: 'custodian' };
  }
  return { status: 'valid', dataset: dataset.id, grant: granted.id };
}

function isEachOnce(texts: readonly string[]): boolean {
  return new Set(texts).size === texts.length;
}
