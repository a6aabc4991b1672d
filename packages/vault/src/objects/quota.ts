/** What each owner may keep in a vault, counted by the bodies of their objects. */

export interface Amount {
  readonly bytes: number;
  readonly objects: number;
}

/** An owner's limits; none where the vault keeps nothing of theirs. */
export type QuotaOf = (owner: string) => Amount | undefined;

export type QuotaRefusal = 'not_admitted' | 'bytes' | 'objects';

export interface Ledger {
  /** Why an object of that size would not be counted now. */
  refusalOf(owner: string, bytes: number): QuotaRefusal | undefined;
  /** Counts an object, whatever the quota says. */
  count(owner: string, bytes: number): void;
  release(owner: string, bytes: number): void;
  /** Bytes that are of no object; negative for fewer. */
  countBytes(owner: string, bytes: number): void;
  used(owner: string): Amount;
}

export function makeLedger(quotaOf: QuotaOf): Ledger {
  const amounts = new Map<string, Amount>();
  const used = (owner: string) => amounts.get(owner) ?? { bytes: 0, objects: 0 };

  function add(owner: string, bytes: number, objects: number): void {
    const before = used(owner);
    const after = { bytes: before.bytes + bytes, objects: before.objects + objects };
    if (after.objects === 0 && after.bytes === 0) amounts.delete(owner);
    else amounts.set(owner, after);
  }

  return {
    used,
    refusalOf(owner, bytes) {
      const quota = quotaOf(owner);
      if (quota === undefined) return 'not_admitted';
      if (used(owner).objects + 1 > quota.objects) return 'objects';
      return used(owner).bytes + bytes > quota.bytes ? 'bytes' : undefined;
    },
    count: (owner, bytes) => add(owner, bytes, 1),
    release: (owner, bytes) => add(owner, -bytes, -1),
    countBytes: (owner, bytes) => add(owner, bytes, 0),
  };
}
