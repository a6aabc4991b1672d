/** The policy of this person, which binds their custodian beyond every grant. */
import type { OwnerPolicy } from '@helixmesh/daemon/custody';
import type { Terms } from '@helixmesh/protocol/sealing';
import type { Person } from './person.ts';

/** What is to be other than it is; undefined: stays as it is, null: without a limit. */
export interface PolicyChange {
  readonly pipelines?: readonly string[] | null | undefined;
  readonly zones?: readonly string[] | null | undefined;
  readonly commercialUse?: boolean | undefined;
  readonly plaintextOperatorsMax?: number | null | undefined;
  readonly isPaused?: boolean | undefined;
}

export interface PolicyView {
  readonly terms: Terms;
  readonly isPaused: boolean;
  readonly plaintextOperatorsMax: number | null;
}

/** The policy as it is then. Nothing is written where nothing is to be other. */
export function changePolicy({ custody, login }: Person, change: PolicyChange): PolicyView {
  const before = custody.policyOf(login.account);
  const { terms } = before;
  const changed: OwnerPolicy = {
    terms: {
      pipelines: listOf(change.pipelines, terms.pipelines),
      zones: listOf(change.zones, terms.zones),
      commercialUse: change.commercialUse ?? terms.commercialUse,
    },
    isPaused: change.isPaused ?? before.isPaused,
    plaintextOperatorsMax:
      change.plaintextOperatorsMax === undefined
        ? before.plaintextOperatorsMax
        : change.plaintextOperatorsMax,
  };
  const isChange = Object.values(change).some((value) => value !== undefined);
  if (isChange) custody.setPolicy(login.account, changed);
  return { ...changed, plaintextOperatorsMax: changed.plaintextOperatorsMax ?? null };
}

function listOf(change: readonly string[] | null | undefined, before: string[] | null) {
  if (change === undefined) return before;
  return change === null ? null : [...change];
}
