/**
 * Why the custodian refuses: every reason for the owner's log, and the one word of a closed set that
 * who asks is told. Strangers are told the same word whatever the reason is.
 */

export type TermsRefusal = 'pipeline' | 'commercial_use' | 'zone';
type SignatureRefusal = 'malformed' | 'network' | 'signature';

/** What is wrong with the papers of a task. */
export type TaskRefusal =
  | `${'job' | 'assignment'}_${SignatureRefusal | 'not_yet' | 'expired'}`
  | 'job_coordinator'
  | 'assignment_job'
  | 'assignment_task'
  | 'assignment_datasets'
  /** Of an operator whom the requester does not allow. */
  | 'assignment_operator'
  /** Assigned to another node than asks. */
  | 'node'
  | 'dataset'
  /** The job is not spread, so its tasks hand each other nothing. */
  | 'spread'
  /** The keys of what its tasks hand to each other were destroyed. */
  | 'over'
  /** Tasks read whole objects. */
  | 'regions';

export type ReleaseReason =
  | 'session:scope'
  | `dataset:${'unknown' | 'pending' | 'shredded' | 'manifest'}`
  | `key:${SignatureRefusal | 'not_yet' | 'superseded' | 'unusable'}`
  | `grant:${SignatureRefusal | TermsRefusal | 'missing' | 'dataset' | 'owner' | 'grantee'}`
  | `grant:${'not_yet' | 'expired' | 'revoked' | 'regions_unknown' | 'regions_not_grouped'}`
  | `head:${SignatureRefusal | 'unknown' | 'other_custodian' | 'behind'}`
  | `object:${TermsRefusal | 'residency'}`
  /** `other_operator`: not one that the policy names; `operators`: one more than it allows. */
  | `policy:${TermsRefusal | 'paused' | 'other_operator' | 'tier' | 'operators'}`
  | `task:${TaskRefusal}`;

/** What who asks is told. All but `refused` only to the owner, or to whom the owner has granted. */
export const TOLD_REASONS = [
  'refused',
  'grant_revoked',
  'grant_expired',
  'encryption_key',
  'session_scope',
  'purpose',
  'unavailable',
] as const;
export type ToldReason = (typeof TOLD_REASONS)[number];

export interface Refusal {
  readonly status: 'refused';
  readonly reasons: readonly ReleaseReason[];
  readonly told: ToldReason;
}

/** A refusal with what is told of it. `isParty`: who asks is the owner, or was granted something. */
export function refused(reasons: readonly ReleaseReason[], isParty: boolean): Refusal {
  return { status: 'refused', reasons, told: isParty ? toldOf(reasons) : 'refused' };
}

function toldOf(reasons: readonly ReleaseReason[]): ToldReason {
  const has = (pattern: RegExp) => reasons.some((reason) => pattern.test(reason));
  if (has(/^grant:revoked$/)) return 'grant_revoked';
  if (has(/^grant:(expired|not_yet)$/)) return 'grant_expired';
  if (has(/^key:/)) return 'encryption_key';
  if (has(/^session:/)) return 'session_scope';
  if (has(/:(pipeline|commercial_use|zone|residency)$/)) return 'purpose';
  return 'unavailable';
}
