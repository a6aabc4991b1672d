/**
 * Whether the custodian releases the keys of a dataset. A pure function of documents as they were
 * stored and sent: each is parsed and its signature verified again for each request, nothing of an
 * earlier answer is used. What is not shown to be allowed is refused.
 *
 * Invariants
 * P1  Keys go to the key of an encryption-key statement that the asking account has signed, and only
 *     while it is the latest one known of that account.
 * P2  Whoever is not the owner needs a grant that holds in every respect, under the latest
 *     revocation head of the owner, which names this custodian.
 * P3  The terms and residency on the manifest and the owner's policy bind every grant. The policy's
 *     operators and tiers bind the nodes that do tasks, those of the owner's own tasks too.
 * P4  Every reason for a refusal is named for the owner's log. Who asks is told one word of a closed
 *     set, and the same word whether there is no such dataset or no grant of its owner for them.
 *
 * Left out: that the request is signed, fresh and of that account (the listener has verified it).
 */
import { AppError, type Digest } from '@helixmesh/protocol';
import {
  type Crypto,
  type EncryptionKey,
  fromHex,
  type Grant,
  grantRefusals,
  KEY_BYTES,
  type Manifest,
  type Purpose,
  parseEncryptionKey,
  parseGrant,
  parseManifest,
  parseRevocationHead,
  type Range,
  type Signed,
  type Terms,
  type Tier,
  toHex,
  verifyDocument,
} from '@helixmesh/protocol/sealing';
import { KEY_AHEAD_MS_MAX } from './limits.ts';
import { type Refusal, type ReleaseReason, refused, type TermsRefusal } from './release-reasons.ts';

/** What the owner allows at most, whatever they have granted. */
export interface OwnerPolicy {
  readonly terms: Terms;
  /** True: nothing is released to anybody but the owner. */
  readonly isPaused: boolean;
  /** Operators of nodes that may ever be given the keys of one dataset; null or absent: any number. */
  readonly plaintextOperatorsMax?: number | null | undefined;
  /** Operators whose nodes may be given keys for tasks, sorted; null or absent: any. */
  readonly operators?: readonly string[] | null | undefined;
  /** Tiers of nodes that may be given keys for tasks, sorted; null or absent: any. */
  readonly tiers?: readonly Tier[] | null | undefined;
}

export const OPEN_POLICY: OwnerPolicy = {
  terms: { pipelines: null, commercialUse: true, zones: null },
  isPaused: false,
};

export interface OfferedGrant {
  /** Canonical bytes of the signed grant. */
  readonly bytes: Uint8Array;
  /** Bytes of the plaintext that its regions are; undefined where the owner has not said. */
  readonly byteRanges: readonly Range[] | undefined;
}

/** A node that does a task. Who it is of, and what, the coordinator's assignment says. */
export interface TaskNode {
  /** X25519 public key, which the node's own signed request names. */
  readonly key: Uint8Array;
  /** Account of its operator. */
  readonly operator: string;
  /** Undefined where the assignment names none. */
  readonly tier: Tier | undefined;
}

export interface ReleaseEvidence {
  readonly network: Digest;
  readonly nowMs: number;
  /** Account whose session signed the request, and what that session may do. */
  readonly requester: { readonly account: string; readonly scopes: readonly string[] };
  readonly dataset: Digest;
  readonly purpose: Purpose;
  /** Canonical bytes of the requester's signed encryption-key statement. */
  readonly encryptionKey: Uint8Array;
  /** For a task. Then keys go to its node, and no statement of the account is looked at. */
  readonly node?: TaskNode;
  /** Time of the latest statement of that account to which keys were released. */
  readonly latestKeyMs: number | undefined;
  /** The dataset as it is stored; undefined for one that is not here. */
  readonly held:
    | { readonly manifest: Uint8Array; readonly state: 'pending' | 'stored' | 'shredded' }
    | undefined;
  readonly grants: readonly OfferedGrant[];
  /** The owner's last head here, and the highest number that some vault says it has. */
  readonly head: Uint8Array | undefined;
  readonly seenHeadNumber: number;
  /** Ed25519 public key of this custodian. */
  readonly custodianKey: Uint8Array;
  readonly policy: OwnerPolicy;
}

export interface HeldGrant {
  readonly id: Digest;
  readonly grant: Grant;
  /** Bytes of the plaintext; null for all of them. */
  readonly byteRanges: readonly Range[] | null;
}

export type ReleaseAnswer =
  | {
      readonly status: 'released';
      readonly manifest: Signed<Manifest>;
      /** The account's statement; null for a task. */
      readonly encryptionKey: EncryptionKey | null;
      /** X25519 public key that the header is sealed to. */
      readonly recipient: Uint8Array;
      /** Null for the owner. */
      readonly grant: HeldGrant | null;
    }
  | Refusal;

/** What may be released. Throws for nothing that a requester or a stored document can hold. */
export function judgeRelease(crypto: Crypto, evidence: ReleaseEvidence): ReleaseAnswer {
  const reasons = new Set<ReleaseReason>();
  if (!evidence.requester.scopes.includes('read')) reasons.add('session:scope');
  const { node } = evidence;
  const key = node === undefined ? judgeKey(crypto, evidence, reasons) : null;
  const recipient = node?.key ?? (key && keyBytes(key));
  if (recipient && crypto.x25519(crypto.random(KEY_BYTES), recipient) === undefined) {
    reasons.add('key:unusable');
  }
  const manifest = judgeManifest(crypto, evidence, reasons);
  const isOwner = manifest?.document.owner === evidence.requester.account;
  const grants = manifest && !isOwner ? judgeGrants(crypto, evidence, manifest.document) : [];
  const holding = grants.find((one) => one.reasons.length === 0);
  // Where a copy may lie binds the owner's tasks too.
  if (manifest !== undefined && (!isOwner || node !== undefined)) {
    judgeUse(evidence, manifest.document, reasons);
  }
  if (manifest !== undefined && !isOwner) {
    if (evidence.held?.state === 'pending') reasons.add('dataset:pending');
    if (grants.length === 0) reasons.add('grant:missing');
    if (holding === undefined) {
      for (const reason of grants.flatMap((one) => one.reasons)) reasons.add(reason);
    }
  }
  const grant = holding?.held;
  const isAllowed = reasons.size === 0 && (isOwner || grant !== undefined);
  if (isAllowed && key !== undefined && recipient && manifest !== undefined) {
    return { status: 'released', manifest, encryptionKey: key, recipient, grant: grant ?? null };
  }
  const isParty = isOwner || grants.some((one) => one.isGenuine);
  return refused([...reasons], isParty);
}

function judgeKey(
  crypto: Crypto,
  evidence: ReleaseEvidence,
  reasons: Set<ReleaseReason>,
): EncryptionKey | undefined {
  const { requester, network, nowMs, latestKeyMs } = evidence;
  const signed = parsed(() => parseEncryptionKey(evidence.encryptionKey));
  if (signed === undefined) return fault(reasons, 'key:malformed');
  const { document } = signed;
  // Another account's statement is one that the requester has not signed.
  const isOwn = document.account === requester.account;
  const verdict = verifyDocument(crypto, signed, { network, signer: requester.account });
  if (!isOwn) return fault(reasons, 'key:signature');
  if (verdict.status === 'invalid') return fault(reasons, `key:${verdict.reason}`);
  if (document.issuedAtMs > nowMs + KEY_AHEAD_MS_MAX) return fault(reasons, 'key:not_yet');
  if (latestKeyMs !== undefined && document.issuedAtMs < latestKeyMs) {
    return fault(reasons, 'key:superseded');
  }
  return document;
}

function keyBytes({ publicKey }: EncryptionKey): Uint8Array {
  return fromHex(publicKey, { what: 'a key', bytes: KEY_BYTES });
}

function judgeManifest(
  crypto: Crypto,
  { held, dataset, network }: ReleaseEvidence,
  reasons: Set<ReleaseReason>,
): Signed<Manifest> | undefined {
  if (held === undefined) return fault(reasons, 'dataset:unknown');
  const signed = parsed(() => parseManifest(held.manifest));
  if (signed === undefined) return fault(reasons, 'dataset:manifest');
  const verdict = verifyDocument(crypto, signed, { network, signer: signed.document.owner });
  if (verdict.status === 'invalid' || verdict.id !== dataset) {
    return fault(reasons, 'dataset:manifest');
  }
  if (held.state === 'shredded') reasons.add('dataset:shredded');
  return signed;
}

interface JudgedGrant {
  readonly reasons: readonly ReleaseReason[];
  /** The owner of the dataset has signed it, for this dataset and who asks. */
  readonly isGenuine: boolean;
  readonly held?: HeldGrant;
}

function judgeGrants(
  crypto: Crypto,
  evidence: ReleaseEvidence,
  manifest: Manifest,
): readonly JudgedGrant[] {
  const head = judgeHead(crypto, evidence, manifest.owner);
  return evidence.grants.map((offered) =>
    judgeGrant(crypto, evidence, { manifest, head, offered }),
  );
}

function judgeGrant(
  crypto: Crypto,
  evidence: ReleaseEvidence,
  at: { readonly manifest: Manifest; readonly head: JudgedHead; readonly offered: OfferedGrant },
): JudgedGrant {
  const { manifest, head, offered } = at;
  const signed = parsed(() => parseGrant(offered.bytes));
  if (signed === undefined) return { reasons: ['grant:malformed'], isGenuine: false };
  const { network } = evidence;
  const verdict = verifyDocument(crypto, signed, { network, signer: manifest.owner });
  if (verdict.status === 'invalid') {
    return { reasons: [`grant:${verdict.reason}`], isGenuine: false };
  }
  const grant = signed.document;
  const refusals = grantRefusals(grant, useOf(evidence, manifest));
  const reasons: ReleaseReason[] = refusals.map((reason) => `grant:${reason}` as const);
  reasons.push(...head.reasons);
  if (head.revoked.has(verdict.id)) reasons.push('grant:revoked');
  if (grant.regions !== null) {
    if ((offered.byteRanges ?? []).length === 0) reasons.push('grant:regions_unknown');
    // One key would open all of it.
    if (manifest.segmentsPerKey === null) reasons.push('grant:regions_not_grouped');
  }
  const isGenuine = !refusals.some((reason) => ['dataset', 'owner', 'grantee'].includes(reason));
  const byteRanges = grant.regions === null ? null : (offered.byteRanges ?? []);
  return { reasons, isGenuine, held: { id: verdict.id, grant, byteRanges } };
}

interface JudgedHead {
  readonly reasons: readonly ReleaseReason[];
  readonly revoked: ReadonlySet<Digest>;
}

function judgeHead(crypto: Crypto, evidence: ReleaseEvidence, owner: string): JudgedHead {
  const { head: bytes, network } = evidence;
  const none = (reason: ReleaseReason) => ({ reasons: [reason], revoked: new Set<Digest>() });
  if (bytes === undefined) return none('head:unknown');
  const signed = parsed(() => parseRevocationHead(bytes));
  if (signed === undefined) return none('head:malformed');
  const head = signed.document;
  const verdict = verifyDocument(crypto, signed, { network, signer: owner });
  if (verdict.status === 'invalid') return none(`head:${verdict.reason}`);
  if (head.owner !== owner) return none('head:signature');
  const reasons: ReleaseReason[] = [];
  if (head.custodian !== toHex(evidence.custodianKey)) reasons.push('head:other_custodian');
  // After a backup was restored: somebody has seen revocations that are not here.
  if (head.number < evidence.seenHeadNumber) reasons.push('head:behind');
  return { reasons, revoked: new Set(head.revoked) };
}

/** What manifest and owner forbid, whatever a grant says (P3). */
function judgeUse(
  evidence: ReleaseEvidence,
  manifest: Manifest,
  reasons: Set<ReleaseReason>,
): void {
  const { policy } = evidence;
  const stay = { pipelines: null, commercialUse: true, zones: manifest.residency };
  for (const reason of termsRefusals(evidence, manifest, manifest.terms)) {
    reasons.add(`object:${reason}`);
  }
  if (termsRefusals(evidence, manifest, stay).length > 0) reasons.add('object:residency');
  for (const reason of termsRefusals(evidence, manifest, policy.terms)) {
    reasons.add(`policy:${reason}`);
  }
  if (policy.isPaused) reasons.add('policy:paused');
  if (evidence.node !== undefined) judgeNode(policy, evidence.node, reasons);
}

/** Whose nodes, and which, the owner lets do tasks. People read for themselves: no node has a part. */
function judgeNode(
  { operators, tiers }: OwnerPolicy,
  { operator, tier }: TaskNode,
  reasons: Set<ReleaseReason>,
): void {
  if (operators && !operators.includes(operator)) reasons.add('policy:other_operator');
  // A tier that nobody has told is not one that the owner has named.
  if (tiers && (tier === undefined || !tiers.includes(tier))) reasons.add('policy:tier');
}

/** Why `terms` alone forbid the use: a grant with them that is otherwise right for who asks. */
function termsRefusals(
  evidence: ReleaseEvidence,
  manifest: Manifest,
  terms: Terms,
): readonly TermsRefusal[] {
  const grant: Grant = {
    type: 'helixmesh/grant/v1',
    network: evidence.network,
    owner: manifest.owner,
    grantee: evidence.requester.account,
    dataset: evidence.dataset,
    terms,
    untilMs: null,
    regions: null,
    nonce: manifest.nonce,
    issuedAtMs: evidence.nowMs,
  };
  return grantRefusals(grant, useOf(evidence, manifest)) as readonly TermsRefusal[];
}

function useOf({ dataset, requester, purpose, nowMs }: ReleaseEvidence, manifest: Manifest) {
  return { ...purpose, dataset, owner: manifest.owner, user: requester.account, nowMs };
}

/** What `parse` returns; undefined where the document is malformed. */
export function parsed<T>(parse: () => T): T | undefined {
  try {
    return parse();
  } catch (error) {
    // A malformed document is an expected outcome here; anything else is not.
    if (error instanceof AppError && error.code === 'INPUT_MALFORMED') return undefined;
    throw error;
  }
}

function fault(reasons: Set<ReleaseReason>, reason: ReleaseReason): undefined {
  reasons.add(reason);
  return undefined;
}
