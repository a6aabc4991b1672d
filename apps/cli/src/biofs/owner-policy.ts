/** The policy of this person, which binds their custodian beyond every grant. */
import type { Terms, Tier } from '@helixmesh/protocol/sealing';
import type { Person } from './person.ts';

/** What is to be other than it is; undefined: stays as it is, null: without a limit. */
export interface PolicyChange {
  readonly pipelines?: readonly string[] | null | undefined;
  readonly zones?: readonly string[] | null | undefined;
  readonly commercialUse?: boolean | undefined;
  readonly plaintextOperatorsMax?: number | null | undefined;
  readonly operators?: readonly string[] | null | undefined;
  readonly tiers?: readonly Tier[] | null | undefined;
  readonly isPaused?: boolean | undefined;
}

export interface PolicyView {
  readonly terms: Terms;
  readonly isPaused: boolean;
  readonly plaintextOperatorsMax: number | null;
  /** Null: any. */
  readonly operators: readonly string[] | null;
  readonly tiers: readonly Tier[] | null;
}

/** The policy as it is then. Nothing is written where nothing is to be other. */
export function changePolicy({ custody, login }: Person, change: PolicyChange): PolicyView {
  const before = custody.policyOf(login.account);
  const { terms } = before;
  const changed: PolicyView = {
    terms: {
      pipelines: listOf(change.pipelines, terms.pipelines),
      zones: listOf(change.zones, terms.zones),
      commercialUse: change.commercialUse ?? terms.commercialUse,
    },
    isPaused: change.isPaused ?? before.isPaused,
    plaintextOperatorsMax: limitOf(change.plaintextOperatorsMax, before.plaintextOperatorsMax),
    operators: limitOf(change.operators, before.operators),
    tiers: limitOf(change.tiers, before.tiers),
  };
  const isChange = Object.values(change).some((value) => value !== undefined);
  if (isChange) custody.setPolicy(login.account, changed);
  return changed;
}

/** A policy that was stored before there was such a limit has none. */
function limitOf<T>(change: T | null | undefined, before: T | null | undefined): T | null {
  return change === undefined ? (before ?? null) : change;
}

function listOf(change: readonly string[] | null | undefined, before: string[] | null) {
  if (change === undefined) return before;
  return change === null ? null : [...change];
}
