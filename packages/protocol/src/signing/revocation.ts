/**
 * Revocation heads: the numbered list of an owner's revoked grants, signed by the owner's wallet;
 * and attestations of the owner's custodian that a head is still the last one.
 *
 * Invariants
 * K1  A head names all that was ever revoked: a later one never names less.
 * K2  A node never goes back to a lower number, and never takes another head of the same number.
 * K3  A head that nobody attested within 60 s allows nothing new.
 *
 * A wallet cannot sign every 30 s, so the head names the custodian's Ed25519 key, which does.
 */
import { z } from 'zod';
import type { Digest } from '../ids.ts';
import {
  HEAD_AGE_MS_MAX,
  REQUEST_WINDOW_MS,
  REVOCATION_HEAD_BYTES_MAX,
  REVOKED_GRANTS_MAX,
} from '../limits.ts';
import { keySignedSchema, parseDocument, type Signed, signedSchema } from './document.ts';
import {
  addressSchema,
  digestSchema,
  isSortedSet,
  publicKeySchema,
  timeMsSchema,
} from './fields.ts';

export { HEAD_AGE_MS_MAX };

export const REVOCATION_HEAD_TYPE = 'helixmesh/revocation-head/v1';
export const HEAD_ATTESTATION_TYPE = 'helixmesh/head-attestation/v1';

export const revocationHeadSchema = z
  .strictObject({
    type: z.literal(REVOCATION_HEAD_TYPE),
    network: digestSchema,
    owner: addressSchema,
    /** 1 for the first. */
    number: z.int().min(1),
    /** Id of the head before it; null for the first. */
    previous: digestSchema.nullable(),
    /** Ids of grants, sorted. */
    revoked: z.array(digestSchema).max(REVOKED_GRANTS_MAX).refine(isSortedSet),
    /** Ed25519 key that attests this head. */
    custodian: publicKeySchema,
    issuedAtMs: timeMsSchema,
  })
  .refine((head) => (head.number === 1) === (head.previous === null), { path: ['previous'] });
export type RevocationHead = z.infer<typeof revocationHeadSchema>;

export const headAttestationSchema = z.strictObject({
  type: z.literal(HEAD_ATTESTATION_TYPE),
  network: digestSchema,
  owner: addressSchema,
  number: z.int().min(1),
  head: digestSchema,
  atMs: timeMsSchema,
});
export type HeadAttestation = z.infer<typeof headAttestationSchema>;

/** A signed head from its canonical bytes. Throws INPUT_MALFORMED. */
export function parseRevocationHead(bytes: Uint8Array): Signed<RevocationHead> {
  const options = { what: 'a revocation head', maxBytes: REVOCATION_HEAD_BYTES_MAX };
  return parseDocument(signedSchema(revocationHeadSchema), bytes, options);
}

/** An attestation from its canonical bytes. Throws INPUT_MALFORMED. */
export function parseHeadAttestation(bytes: Uint8Array): Signed<HeadAttestation> {
  const options = { what: 'a head attestation', maxBytes: 4_096 };
  return parseDocument(keySignedSchema(headAttestationSchema), bytes, options);
}

/** A head whose signature has been verified, and its id. */
export interface KnownHead {
  readonly id: Digest;
  readonly head: RevocationHead;
}

export type HeadVerdict =
  /** It takes the place of the known one. */
  | 'accepted'
  /** It is the known one. */
  | 'known'
  /** A lower number than the known one. */
  | 'rollback'
  /** Another history than the known one: the owner signed two, or somebody has the key. */
  | 'fork'
  /** Something that was revoked is missing. */
  | 'unrevoked'
  | 'other_owner';

/** What to do with a head, `known` being the last one accepted of that owner, if any. */
export function judgeHead(known: KnownHead | undefined, next: KnownHead): HeadVerdict {
  if (known === undefined) return 'accepted';
  if (next.head.owner !== known.head.owner) return 'other_owner';
  if (next.id === known.id) return 'known';
  if (next.head.number < known.head.number) return 'rollback';
  if (next.head.number === known.head.number) return 'fork';
  // Heads in between may have been missed; the next one must name the known one.
  if (next.head.number === known.head.number + 1 && next.head.previous !== known.id) return 'fork';
  const revoked = new Set(next.head.revoked);
  return known.head.revoked.every((id) => revoked.has(id)) ? 'accepted' : 'unrevoked';
}

/**
 * Whether `known` is still the last head: `attestation` (its signature verified against the head's
 * custodian) is for that head and at most 60 s old.
 */
export function isHeadFresh(
  known: KnownHead,
  attestation: HeadAttestation,
  nowMs: number,
): boolean {
  const ageMs = nowMs - attestation.atMs;
  return (
    attestation.head === known.id &&
    attestation.owner === known.head.owner &&
    attestation.number === known.head.number &&
    ageMs <= HEAD_AGE_MS_MAX &&
    ageMs >= -REQUEST_WINDOW_MS
  );
}

export function isRevoked(known: KnownHead, grantId: Digest): boolean {
  return known.head.revoked.includes(grantId);
}
