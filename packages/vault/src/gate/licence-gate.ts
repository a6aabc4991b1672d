/**
 * The licence gate: which bytes of an object a vault serves to whom. A pure function of what the
 * caller has verified; everything that is not shown to be allowed is refused.
 *
 * Invariants
 * L1  Without a revocation head that its custodian attested within 60 s, no grant counts.
 * L2  Every byte that is asked for lies in a segment that some grant which holds allows; else nothing
 *     is served, and every reason is named.
 * L3  The owner's terms and residency on the manifest bind every grant.
 * L4  What is allowed ends when the first thing that it rests on does.
 *
 * Left out: signatures (`verifyDocument` for manifest, grants and head, `verifyWithKey` for the
 * attestation), who asks (signed requests), and which segments a region of the genome is: the
 * custodian says so for each grant (`RegionHeader.segments`).
 */
import type { Digest } from '@helixmesh/protocol';
import {
  bodyRange,
  type DatasetUse,
  type Grant,
  type GrantRefusal,
  grantRefusals,
  HEAD_AGE_MS_MAX,
  type HeadAttestation,
  isHeadFresh,
  isRevoked,
  isWithinZone,
  type KnownHead,
  type Manifest,
  type Range,
} from '@helixmesh/protocol/sealing';
import { GRANTS_MAX, RANGES_MAX } from '../limits.ts';

/** A grant whose signature was verified against the owner of the manifest. */
export interface VerifiedGrant {
  readonly id: Digest;
  readonly grant: Grant;
  /** Segments of the body that its regions are; undefined while the custodian has not said. */
  readonly segments?: readonly Range[];
}

/** The last head known of the owner, and the last statement of its custodian that it is the last. */
export interface RevocationState {
  readonly known: KnownHead;
  readonly attestation: HeadAttestation;
}

export interface GateRequest {
  readonly object: { readonly id: Digest; readonly manifest: Manifest };
  /** Who asks and for what; `user` is an account whose request was verified. */
  readonly use: Omit<DatasetUse, 'dataset' | 'owner'>;
  /** Bytes of the body, any order. */
  readonly ranges: readonly Range[];
  readonly grants: readonly VerifiedGrant[];
  readonly revocation: RevocationState | undefined;
}

export type GateReason =
  /** A range is empty, beyond the body, or there are none or too many. */
  | { readonly of: 'request'; readonly reason: 'ranges' | 'too_many_grants' }
  | { readonly of: 'head'; readonly reason: 'unknown' | 'stale' | 'owner' | 'network' }
  /** Terms that the manifest states, or where copies may lie. */
  | { readonly of: 'object'; readonly reason: GrantRefusal | 'residency' }
  | { readonly of: 'grants'; readonly reason: 'none' | 'ranges_not_granted' }
  | {
      readonly of: 'grant';
      readonly grant: Digest;
      readonly reason: GrantRefusal | 'network' | 'revoked' | 'segments_unknown';
    };

export type GateAnswer =
  | {
      readonly status: 'allowed';
      /** What was asked for, in order, joined where it overlaps or touches. */
      readonly ranges: readonly Range[];
      /** Grants that it rests on; none for the owner. */
      readonly grants: readonly Digest[];
      /** Ask again by then. */
      readonly untilMs: number;
    }
  | { readonly status: 'refused'; readonly reasons: readonly GateReason[] };

/** What may be served. Total: it throws for nothing. */
export function licenceGate(request: GateRequest): GateAnswer {
  const { object, use, grants, revocation } = request;
  const { manifest } = object;
  const ranges = wellFormed(request.ranges, manifest.bodyBytes);
  const reasons: GateReason[] = [];
  if (ranges === undefined) reasons.push({ of: 'request', reason: 'ranges' });
  const untilMs = use.nowMs + HEAD_AGE_MS_MAX;
  // Nobody revokes what is their own.
  if (use.user === manifest.owner && ranges !== undefined) {
    return { status: 'allowed', ranges, grants: [], untilMs };
  }
  if (grants.length > GRANTS_MAX) {
    return {
      status: 'refused',
      reasons: [...reasons, { of: 'request', reason: 'too_many_grants' }],
    };
  }
  reasons.push(...headReasons(request), ...objectReasons(request));
  const judged = grants.map((each) => ({ each, reasons: grantReasons(request, each) }));
  const holding = judged.filter((one) => one.reasons.length === 0).map(({ each }) => each);
  if (grants.length === 0) reasons.push({ of: 'grants', reason: 'none' });
  const { used, isCovered } = cover(ranges ?? [], holding, manifest.bodyBytes);
  if (!isCovered) {
    // The grants that do not hold are why, or at least may be.
    reasons.push(...judged.flatMap((one) => one.reasons));
    if (holding.length > 0) reasons.push({ of: 'grants', reason: 'ranges_not_granted' });
  }
  const isAllowed = reasons.length === 0 && used.length > 0;
  if (!isAllowed || ranges === undefined || revocation === undefined) {
    return { status: 'refused', reasons };
  }
  const ends = used.flatMap(({ grant }) => (grant.untilMs === null ? [] : [grant.untilMs]));
  return {
    status: 'allowed',
    ranges,
    grants: used.map(({ id }) => id),
    untilMs: Math.min(untilMs, revocation.attestation.atMs + HEAD_AGE_MS_MAX, ...ends),
  };
}

function headReasons({ object, use, revocation }: GateRequest): GateReason[] {
  if (revocation === undefined) return [{ of: 'head', reason: 'unknown' }];
  const { known, attestation } = revocation;
  const { owner, network } = object.manifest;
  const reasons: GateReason[] = [];
  if (known.head.owner !== owner) reasons.push({ of: 'head', reason: 'owner' });
  if (known.head.network !== network || attestation.network !== network) {
    reasons.push({ of: 'head', reason: 'network' });
  }
  if (!isHeadFresh(known, attestation, use.nowMs)) reasons.push({ of: 'head', reason: 'stale' });
  return reasons;
}

/** Whether the owner lets copies lie in `zone`; undefined for a vault that does not say where it is. */
export function mayLieIn(manifest: Manifest, zone: string | undefined): boolean {
  if (manifest.residency === null) return true;
  return zone !== undefined && isLawful(manifest, zone);
}

/** What the manifest forbids whatever a grant says (L3). */
function objectReasons({ object, use }: GateRequest): GateReason[] {
  const { id, manifest } = object;
  const terms = grantRefusals(grantOf(id, manifest, use), completeUse(object, use));
  return [
    ...terms.map((reason) => ({ of: 'object', reason }) as const),
    ...(isLawful(manifest, use.zone) ? [] : [{ of: 'object', reason: 'residency' } as const]),
  ];
}

function isLawful(manifest: Manifest, zone: string): boolean {
  return manifest.residency?.some((allowed) => isWithinZone(zone, allowed)) ?? true;
}

/** The most that the owner of a manifest could grant to who asks: its terms and nothing else. */
function grantOf(dataset: Digest, manifest: Manifest, use: GateRequest['use']): Grant {
  return {
    type: 'helixmesh/grant/v1',
    network: manifest.network,
    owner: manifest.owner,
    grantee: use.user,
    dataset,
    terms: manifest.terms,
    untilMs: null,
    regions: null,
    nonce: manifest.nonce,
    issuedAtMs: use.nowMs,
  };
}

function grantReasons(request: GateRequest, { id, grant, segments }: VerifiedGrant): GateReason[] {
  const { object, use, revocation } = request;
  const of = 'grant';
  const refusals = grantRefusals(grant, completeUse(object, use));
  const reasons: GateReason[] = refusals.map((reason) => ({ of, grant: id, reason }));
  if (grant.network !== object.manifest.network) reasons.push({ of, grant: id, reason: 'network' });
  if (revocation !== undefined && isRevoked(revocation.known, id)) {
    reasons.push({ of, grant: id, reason: 'revoked' });
  }
  if (grant.regions !== null && segments === undefined) {
    reasons.push({ of, grant: id, reason: 'segments_unknown' });
  }
  return reasons;
}

function completeUse({ id, manifest }: GateRequest['object'], use: GateRequest['use']): DatasetUse {
  return { ...use, dataset: id, owner: manifest.owner };
}

/** Which grants allow some of the ranges, and whether together they allow all of them. */
function cover(ranges: readonly Range[], grants: readonly VerifiedGrant[], bodyBytes: number) {
  const everything = [{ start: 0, end: bodyBytes }];
  const allowed = grants.map((each) => ({
    each,
    bytes:
      each.grant.regions === null
        ? everything
        : joinedRanges((each.segments ?? []).filter(isRange)).map((s) => bodyRange(s, bodyBytes)),
  }));
  const used = allowed.filter(({ bytes }) => bytes.some((a) => ranges.some((b) => overlaps(a, b))));
  const together = joinedRanges(used.flatMap(({ bytes }) => bytes).filter(isRange));
  const isCovered = ranges.every(({ start, end }) =>
    together.some((range) => range.start <= start && end <= range.end),
  );
  return { used: used.map(({ each }) => each), isCovered };
}

/** In order and joined; undefined unless each is some bytes of the body. */
function wellFormed(ranges: readonly Range[], bodyBytes: number): Range[] | undefined {
  if (ranges.length === 0 || ranges.length > RANGES_MAX) return undefined;
  const isWithin = (range: Range) => isRange(range) && range.end <= bodyBytes;
  return ranges.every(isWithin) ? joinedRanges(ranges) : undefined;
}

function isRange({ start, end }: Range): boolean {
  return Number.isSafeInteger(start) && Number.isSafeInteger(end) && start >= 0 && start < end;
}

function overlaps(a: Range, b: Range): boolean {
  return a.start < b.end && b.start < a.end;
}

/** The same places in order, with those that overlap or touch joined. */
function joinedRanges(ranges: readonly Range[]): Range[] {
  const joined: Range[] = [];
  for (const { start, end } of [...ranges].sort((a, b) => a.start - b.start)) {
    const last = joined.at(-1);
    if (last === undefined || start > last.end) joined.push({ start, end });
    else joined[joined.length - 1] = { start: last.start, end: Math.max(last.end, end) };
  }
  return joined;
}
