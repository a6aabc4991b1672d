/**
 * What a vault knows of one owner, and how each document that comes changes it. Pure.
 *
 * Invariants
 * N2  Statement and head are signed by the owner, an attestation by the key that the head names, and
 *     that key is the custodian's.
 * N3  A head that is good is taken even where what comes with it is not: a revocation is never lost.
 */
import { AppError, type Digest } from '@helixmesh/protocol';
import {
  type Crypto,
  type Custodian,
  custodianSchema,
  documentId,
  encodeDocument,
  fromHex,
  type HeadAttestation,
  isHeadFresh,
  judgeHead,
  KEY_BYTES,
  type KnownHead,
  parseDocument,
  type RevocationHead,
  revocationHeadSchema,
  type Signed,
  signedSchema,
  verifyDocument,
  verifyWithKey,
} from '@helixmesh/protocol/sealing';
import { z } from 'zod';
import { HEAD_RECORD_BYTES_MAX } from '../limits.ts';
import type { HeadRecord } from './head-store.ts';

/** What a custodian sends; all of it from parsers, nothing verified. */
export interface HeadUpdate {
  /** Who the owner's custodian is; needed once, and when it has changed. */
  readonly custodian?: Signed<Custodian> | undefined;
  /** Needed once, and when there is a new one. */
  readonly head?: Signed<RevocationHead> | undefined;
  readonly attestation: Signed<HeadAttestation>;
}

export type UpdateRefusal =
  /** Something is of another network or owner, or not signed by whom it has to be. */
  | 'network'
  | 'signature'
  | 'owner'
  /** Nothing is known of the owner yet, and it does not come with this. */
  | 'custodian_unknown'
  | 'head_unknown'
  /** An older statement of the owner than the known one. */
  | 'custodian_older'
  /** The head names another key than the custodian's. */
  | 'custodian_other'
  | 'rollback'
  | 'fork'
  | 'unrevoked'
  /** The attestation is not of this minute, or not for the last head. */
  | 'stale';

export interface OwnerEntry {
  readonly custodian?: Signed<Custodian>;
  readonly head?: Signed<RevocationHead>;
  readonly known?: KnownHead;
  readonly attestation?: HeadAttestation;
}

export interface UpdateContext {
  readonly crypto: Crypto;
  readonly network: Digest;
  readonly owner: string;
  readonly nowMs: number;
}

/** The entry after an update, and the first thing that was not taken of it. */
export function updated(
  context: UpdateContext,
  before: OwnerEntry,
  { custodian, head, attestation }: HeadUpdate,
): { readonly entry: OwnerEntry; readonly refused: UpdateRefusal | undefined } {
  let entry = before;
  let refused: UpdateRefusal | undefined;
  const take = (next: OwnerEntry | UpdateRefusal) => {
    if (typeof next === 'string') refused ??= next;
    else entry = next;
  };
  if (head !== undefined) take(withHead(context, entry, head));
  if (custodian !== undefined) take(withCustodian(context, entry, custodian));
  if (refused === undefined) take(withAttestation(context, entry, attestation));
  return { entry, refused };
}

function withHead(
  context: UpdateContext,
  entry: OwnerEntry,
  head: Signed<RevocationHead>,
): OwnerEntry | UpdateRefusal {
  const refusal = refusalOf(context, head);
  if (refusal !== undefined) return refusal;
  const known = knownOf(context, head);
  const verdict = judgeHead(entry.known, known);
  if (verdict === 'known') return entry;
  if (verdict === 'other_owner') return 'owner';
  if (verdict !== 'accepted') return verdict;
  // What was said of the head before does not hold for this one.
  const { attestation: _, ...rest } = entry;
  return { ...rest, head, known };
}

function withCustodian(
  context: UpdateContext,
  entry: OwnerEntry,
  custodian: Signed<Custodian>,
): OwnerEntry | UpdateRefusal {
  const refusal = refusalOf(context, custodian);
  if (refusal !== undefined) return refusal;
  const heldAtMs = entry.custodian?.document.issuedAtMs ?? -1;
  if (custodian.document.issuedAtMs < heldAtMs) return 'custodian_older';
  return custodian.document.issuedAtMs === heldAtMs ? entry : { ...entry, custodian };
}

function withAttestation(
  { crypto, network, nowMs }: UpdateContext,
  entry: OwnerEntry,
  signed: Signed<HeadAttestation>,
): OwnerEntry | UpdateRefusal {
  const { known, custodian } = entry;
  if (custodian === undefined) return 'custodian_unknown';
  if (known === undefined) return 'head_unknown';
  if (`node_${known.head.custodian}` !== custodian.document.nodeId) return 'custodian_other';
  const publicKey = fromHex(known.head.custodian, { what: 'a key', bytes: KEY_BYTES });
  const verdict = verifyWithKey(crypto, signed, { network, publicKey });
  if (verdict.status === 'invalid') return verdict.reason;
  const attestation = signed.document;
  if (!isHeadFresh(known, attestation, nowMs)) return 'stale';
  const heldAtMs = entry.attestation?.atMs ?? -1;
  return attestation.atMs <= heldAtMs ? entry : { ...entry, attestation };
}

const recordSchema = z.strictObject({
  custodian: signedSchema(custodianSchema).nullable(),
  head: signedSchema(revocationHeadSchema).nullable(),
});

/** What has to last; an attestation holds for a minute only. */
export function encodeEntry({ custodian, head }: OwnerEntry): Uint8Array {
  return encodeDocument({ custodian: custodian ?? null, head: head ?? null });
}

/** The entry in a record. Throws INPUT_MALFORMED unless all of it is signed by the owner. */
export function decodeEntry(
  context: Omit<UpdateContext, 'owner' | 'nowMs'>,
  { owner, bytes }: HeadRecord,
): OwnerEntry {
  const options = { what: 'the record of an owner', maxBytes: HEAD_RECORD_BYTES_MAX };
  const { custodian, head } = parseDocument(recordSchema, bytes, options);
  for (const signed of [custodian, head]) {
    if (signed !== null && refusalOf({ ...context, owner }, signed) !== undefined) {
      throw new AppError('INPUT_MALFORMED', 'the record of an owner is not signed by them', {
        hint: 'Restore the folder of the vault from a copy.',
      });
    }
  }
  return {
    ...(custodian === null ? {} : { custodian }),
    ...(head === null ? {} : { head, known: knownOf(context, head) }),
  };
}

/** Why a document that the owner should have signed does not count. */
function refusalOf(
  { crypto, network, owner }: Omit<UpdateContext, 'nowMs'>,
  signed: Signed<Custodian> | Signed<RevocationHead>,
): 'owner' | 'network' | 'signature' | undefined {
  if (signed.document.owner !== owner) return 'owner';
  const verdict = verifyDocument<Custodian | RevocationHead>(crypto, signed, {
    network,
    signer: owner,
  });
  return verdict.status === 'invalid' ? verdict.reason : undefined;
}

function knownOf(
  { crypto }: Pick<UpdateContext, 'crypto'>,
  { document }: Signed<RevocationHead>,
): KnownHead {
  return { id: documentId(crypto, document), head: document };
}
