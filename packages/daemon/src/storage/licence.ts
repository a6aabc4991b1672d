/**
 * Whether somebody may open an object here: their grants, the owner's revocation head, the gate.
 *
 * Invariants
 * O1  Who may not read an object learns nothing of it: until a grant that holds names its owner, the
 *     answer follows from what was sent and from what is known of owners, not from what is stored.
 * O2  Each decision is made anew from the documents; nothing of an earlier answer is used.
 */
import type { Digest, NodeId } from '@helixmesh/protocol';
import { AppError, parseDigest } from '@helixmesh/protocol';
import type { OpenRequest } from '@helixmesh/protocol/bionfs';
import {
  type Crypto,
  type DatasetUse,
  documentId,
  fromHex,
  type Grant,
  type GrantSegments,
  grantRefusals,
  isHeadFresh,
  isReleaseInTime,
  isRevoked,
  KEY_BYTES,
  type NodeRelease,
  parseGrant,
  parseGrantSegments,
  parseNodeRelease,
  parseReplicaPermit,
  type Range,
  type Signed,
  verifyDocument,
  verifyWithKey,
} from '@helixmesh/protocol/sealing';
import {
  type Catalogue,
  type GateReason,
  GRANTS_MAX,
  type Heads,
  licenceGate,
  type RevocationState,
  type SealedObject,
  type VerifiedGrant,
} from '@helixmesh/vault';
import { OPEN_BYTES_MAX, OPEN_RANGES_MAX } from './limits.ts';
import { type AskedPermit, permitFor } from './permit.ts';
import { objectNotFound, refusedBy } from './refusals.ts';
import { rangeOf } from './wire.ts';

export interface LicenceOptions {
  readonly crypto: Crypto;
  readonly network: Digest;
  readonly catalogue: Catalogue;
  readonly heads: Pick<Heads, 'stateOf'>;
  /** Milliseconds since 1970. */
  readonly now: () => number;
}

/** What somebody asks to open, parsed; no signature has been verified. */
export interface Ask {
  readonly objectId: Digest;
  /** Account of the verified request; for a node that of its release. */
  readonly user: string;
  /** Of a node: what lets it read in the name of `user`. */
  readonly release: AskedRelease | null;
  /** Of a vault: what lets it fetch a copy, whatever else it says. */
  readonly permit: AskedPermit | null;
  readonly purpose: Pick<DatasetUse, 'pipeline' | 'isCommercial' | 'zone'>;
  /** Bytes of the body; none for all of it. */
  readonly ranges: readonly Range[];
  readonly grants: readonly Signed<Grant>[];
  readonly segments: readonly Signed<GrantSegments>[];
  /** Of the documents as sent, bytes. */
  readonly sizeBytes: number;
}

export interface AskedRelease {
  readonly signed: Signed<NodeRelease>;
  /** Whose key has signed the request. */
  readonly nodeId: NodeId;
}

export interface Licence {
  readonly object: SealedObject;
  /** In order, joined where they overlap or touch. */
  readonly ranges: readonly Range[];
  /** Ask again by then. */
  readonly untilMs: number;
}

/** Who asks: an account with a session, or a node with its own key. */
export type Asker =
  | { readonly kind: 'account'; readonly account: string }
  | { readonly kind: 'node'; readonly nodeId: NodeId };

/** What a request asks for. Throws USAGE, INPUT_MALFORMED. */
export function parseAsk(request: OpenRequest, asker: Asker): Ask {
  const { grants, grantSegments, ranges, nodeRelease, replicaPermit } = request;
  const documents = [...grants, ...grantSegments, nodeRelease, replicaPermit];
  const sizeBytes = documents.reduce((sum, { length }) => sum + length, 0);
  const isSmall =
    grants.length <= GRANTS_MAX &&
    grantSegments.length <= GRANTS_MAX &&
    ranges.length <= OPEN_RANGES_MAX &&
    sizeBytes <= OPEN_BYTES_MAX;
  if (!isSmall) {
    throw new AppError('USAGE', 'too many grants or ranges for one request', {
      hint: `Send the grants that are needed, and at most ${OPEN_RANGES_MAX} ranges at once.`,
    });
  }
  const { pipeline = 'read', isCommercial = false, zone = '' } = request.purpose ?? {};
  const permit =
    asker.kind === 'node' && replicaPermit.length > 0
      ? { signed: parseReplicaPermit(replicaPermit), nodeId: asker.nodeId }
      : null;
  const release =
    asker.kind === 'node' && permit === null
      ? { signed: parseNodeRelease(nodeRelease), nodeId: asker.nodeId }
      : null;
  return {
    objectId: parseDigest(request.objectId),
    user: asker.kind === 'account' ? asker.account : (release?.signed.document.account ?? ''),
    release,
    permit,
    // A node may read for what was released to it, whatever it says.
    purpose: release?.signed.document.purpose ?? { pipeline, isCommercial, zone },
    ranges: ranges.map(rangeOf),
    grants: grants.map(parseGrant),
    segments: grantSegments.map(parseGrantSegments),
    sizeBytes,
  };
}

/** Throws OBJECT_NOT_FOUND, ACCESS_REFUSED with every reason, CUSTODIAN_OFFLINE. */
export async function licenceFor(options: LicenceOptions, ask: Ask): Promise<Licence> {
  const { catalogue } = options;
  if (ask.permit !== null) return await permitFor(options, ask, ask.permit);
  if (ask.release !== null) assertReleased(options, ask, ask.release);
  const { holding, refusals } = judgedAlone(options, ask);
  const owner = catalogue.stat(ask.objectId)?.owner;
  if (ask.release !== null && ask.release.signed.document.owner !== owner) throw objectNotFound();
  const grants = holding.filter(({ grant }) => grant.owner === owner);
  if (owner === undefined || (owner !== ask.user && grants.length === 0)) {
    throw refusals.length > 0 ? refusedBy(refusals) : objectNotFound();
  }
  const object = await catalogue.open(ask.objectId);
  if (object === undefined) throw objectNotFound();
  return decided(options, ask, { object, grants });
}

/** The gate's answer for what is stored. */
function decided(
  { heads, now }: LicenceOptions,
  ask: Ask,
  { object, grants }: { readonly object: SealedObject; readonly grants: readonly VerifiedGrant[] },
): Licence {
  const manifest = object.signed.document;
  const whole = [{ start: 0, end: manifest.bodyBytes }];
  const answer = licenceGate({
    object: { id: object.id, manifest },
    use: { ...ask.purpose, user: ask.user, nowMs: now() },
    ranges: ask.ranges.length === 0 ? whole : ask.ranges,
    grants,
    revocation: heads.stateOf(manifest.owner),
  });
  if (answer.status === 'refused') throw refusedBy(answer.reasons);
  const releasedUntilMs = ask.release?.signed.document.untilMs ?? Number.POSITIVE_INFINITY;
  const untilMs = Math.min(answer.untilMs, releasedUntilMs);
  return { object, ranges: answer.ranges, untilMs };
}

/**
 * Throws ACCESS_REFUSED unless the custodian of the owner that the release names has signed it for
 * this node and object, it still holds, and the owner's head is the last one.
 */
function assertReleased(
  { crypto, network, heads, now }: LicenceOptions,
  { objectId, grants }: Ask,
  { signed, nodeId }: AskedRelease,
): void {
  const { owner, object, node, account, grant } = signed.document;
  const revocation = heads.stateOf(owner);
  const nowMs = now();
  if (revocation === undefined) throw refusedBy([{ of: 'head', reason: 'unknown' }]);
  const { known, attestation } = revocation;
  if (!isHeadFresh(known, attestation, nowMs)) throw refusedBy([{ of: 'head', reason: 'stale' }]);
  const publicKey = fromHex(known.head.custodian, { what: 'a key', bytes: KEY_BYTES });
  const ids = grants.map(({ document }) => documentId(crypto, document));
  const isFor = object === objectId && node === nodeId;
  const isTime = isReleaseInTime(signed.document, nowMs);
  const isBased = grant === null ? account === owner : ids.includes(grant);
  const isGenuine = verifyWithKey(crypto, signed, { network, publicKey }).status === 'valid';
  if (isFor && isTime && isBased && isGenuine) return;
  throw new AppError('ACCESS_REFUSED', 'the release does not let this node read', {
    hint: 'Ask the custodian of the data for a release again.',
  });
}

interface JudgedAlone {
  readonly holding: readonly VerifiedGrant[];
  readonly refusals: readonly GateReason[];
}

/** The grants that hold by themselves, whatever is stored here (O1). */
function judgedAlone(options: LicenceOptions, ask: Ask): JudgedAlone {
  const holding: VerifiedGrant[] = [];
  const refusals: GateReason[] = [];
  for (const signed of ask.grants) {
    const revocation = options.heads.stateOf(signed.document.owner);
    const id = documentId(options.crypto, signed.document);
    const reasons = reasonsAgainst(options, ask, { id, signed, revocation });
    refusals.push(...reasons);
    if (reasons.length > 0 || revocation === undefined) continue;
    const segments = segmentsOf(options, ask, { id, signed, revocation });
    holding.push({ id, grant: signed.document, ...(segments === undefined ? {} : { segments }) });
  }
  return { holding, refusals };
}

interface OneGrant {
  readonly id: Digest;
  readonly signed: Signed<Grant>;
  readonly revocation: RevocationState | undefined;
}

function reasonsAgainst(
  { crypto, network, now }: LicenceOptions,
  { objectId, user, purpose }: Ask,
  { id, signed, revocation }: OneGrant,
): GateReason[] {
  const grant = signed.document;
  const nowMs = now();
  const use = { ...purpose, user, dataset: objectId, owner: grant.owner, nowMs };
  const of = 'grant';
  const reasons: GateReason[] = grantRefusals(grant, use).map((reason) => {
    return { of, grant: id, reason };
  });
  // Before the signature, which costs 1 ms: anybody can sign grants of wallets that nobody knows.
  if (revocation === undefined) return [...reasons, { of: 'head', reason: 'unknown' }];
  const verdict = verifyDocument(crypto, signed, { network, signer: grant.owner });
  if (verdict.status === 'invalid') {
    throw new AppError('ACCESS_REFUSED', `a grant does not count: ${verdict.reason}`, {
      hint: 'Ask the owner of the data for the grant again.',
    });
  }
  const { known, attestation } = revocation;
  if (isRevoked(known, id)) reasons.push({ of, grant: id, reason: 'revoked' });
  if (!isHeadFresh(known, attestation, nowMs)) reasons.push({ of: 'head', reason: 'stale' });
  return reasons;
}

/** What the owner's custodian has said last of which segments a grant of regions is. */
function segmentsOf(
  { crypto, network }: LicenceOptions,
  ask: Ask,
  { id, signed, revocation }: OneGrant,
): readonly Range[] | undefined {
  if (signed.document.regions === null || revocation === undefined) return undefined;
  const key = revocation.known.head.custodian;
  const publicKey = fromHex(key, { what: 'a key', bytes: KEY_BYTES });
  const genuine = ask.segments
    .filter(({ document }) => document.grant === id && document.object === ask.objectId)
    .filter((each) => verifyWithKey(crypto, each, { network, publicKey }).status === 'valid')
    .map(({ document }) => document);
  return genuine.sort((a, b) => b.atMs - a.atMs)[0]?.segments;
}
