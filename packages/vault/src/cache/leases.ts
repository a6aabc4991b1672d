/** Which blocks tasks hold in a cache, and how much room is set aside for them. */
import type { Cid } from '../blocks/cid.ts';
import type { LeasedBlock } from './block-cache.ts';

export interface Leases {
  /** Undefined when all leases together would need more than the budget. */
  take(blocks: readonly LeasedBlock[]): Disposable | undefined;
  isHeld(cid: Cid): boolean;
  /** A block that several hold is counted once. */
  heldBytes(): number;
}

export function makeLeases(budgetBytes: number): Leases {
  const held = new Map<Cid, { sizeBytes: number; holders: number }>();
  let bytes = 0;

  return {
    isHeld: (cid) => held.has(cid),
    heldBytes: () => bytes,
    take(blocks) {
      const wanted = new Map(blocks.map(({ cid, sizeBytes }) => [cid, sizeBytes]));
      const added = [...wanted].filter(([cid]) => !held.has(cid));
      const addedBytes = added.reduce((sum, [, sizeBytes]) => sum + sizeBytes, 0);
      if (bytes + addedBytes > budgetBytes) return undefined;
      bytes += addedBytes;
      for (const [cid, sizeBytes] of wanted) {
        const holders = (held.get(cid)?.holders ?? 0) + 1;
        held.set(cid, { sizeBytes: held.get(cid)?.sizeBytes ?? sizeBytes, holders });
      }
      let isOver = false;
      return {
        [Symbol.dispose]() {
          if (isOver) return;
          isOver = true;
          for (const cid of wanted.keys()) {
            const lease = held.get(cid);
            if (lease === undefined) continue;
            lease.holders -= 1;
            if (lease.holders > 0) continue;
            held.delete(cid);
            bytes -= lease.sizeBytes;
          }
        },
      };
    },
  };
}
