/**
 * Whether a vault may fetch a copy of an object here: the permit of the owner's custodian, held
 * against the revocation head and the object's residency.
 *
 * Invariants
 * E1  Until a permit holds that names the object's owner, the answer does not depend on what is
 *     stored here.
 * E2  Nothing is copied to where the owner does not let copies lie, whatever a custodian has signed.
 * E3  Each decision is made anew: a head that nobody attests any more ends copying within a minute.
 */
import { AppError, type NodeId } from '@helixmesh/protocol';
import {
  fromHex,
  HEAD_AGE_MS_MAX,
  isHeadFresh,
  isReleaseInTime,
  KEY_BYTES,
  type ReplicaPermit,
  type Signed,
  verifyWithKey,
} from '@helixmesh/protocol/sealing';
import { mayLieIn } from '@helixmesh/vault';
import type { Ask, Licence, LicenceOptions } from './licence.ts';
import { objectNotFound, refusedBy } from './refusals.ts';

export interface AskedPermit {
  readonly signed: Signed<ReplicaPermit>;
  /** Whose key has signed the request. */
  readonly nodeId: NodeId;
}

/** Throws OBJECT_NOT_FOUND, ACCESS_REFUSED, CUSTODIAN_OFFLINE. */
export async function permitFor(
  { crypto, network, catalogue, heads, now }: LicenceOptions,
  { objectId, ranges }: Ask,
  { signed, nodeId }: AskedPermit,
): Promise<Licence> {
  const { owner, object: permitted, node, zones, untilMs } = signed.document;
  const revocation = heads.stateOf(owner);
  const nowMs = now();
  if (revocation === undefined) throw refusedBy([{ of: 'head', reason: 'unknown' }]);
  const { known, attestation } = revocation;
  if (!isHeadFresh(known, attestation, nowMs)) throw refusedBy([{ of: 'head', reason: 'stale' }]);
  const publicKey = fromHex(known.head.custodian, { what: 'a key', bytes: KEY_BYTES });
  const isGenuine = verifyWithKey(crypto, signed, { network, publicKey }).status === 'valid';
  const isFor = permitted === objectId && node === nodeId;
  if (!isGenuine || !isFor || !isReleaseInTime(signed.document, nowMs)) throw notPermitted();
  if (catalogue.stat(objectId)?.owner !== owner) throw objectNotFound();
  const object = await catalogue.open(objectId);
  if (object === undefined) throw objectNotFound();
  const { document: manifest } = object.signed;
  const mayLie = mayLieIn(manifest, undefined) || zones.some((zone) => mayLieIn(manifest, zone));
  if (!mayLie) throw refusedBy([{ of: 'object', reason: 'residency' }]);
  const whole = [{ start: 0, end: manifest.bodyBytes }];
  if (ranges.some(({ end }) => end > manifest.bodyBytes)) {
    throw refusedBy([{ of: 'request', reason: 'ranges' }]);
  }
  return {
    object,
    ranges: ranges.length === 0 ? whole : ranges,
    untilMs: Math.min(untilMs, attestation.atMs + HEAD_AGE_MS_MAX),
  };
}

function notPermitted(): AppError {
  return new AppError('ACCESS_REFUSED', 'the permit does not let this vault fetch the object', {
    hint: "Ask the owner's custodian for a permit again.",
  });
}
