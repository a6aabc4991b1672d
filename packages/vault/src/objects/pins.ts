/**
 * Blocks that must stay though no object names them yet: those of bodies that are coming in.
 *
 * Invariants
 * P1  A block that is pinned before it is put, and named by an object before it is unpinned, is not
 *     swept: while a collection goes on, nothing is unpinned.
 */
import type { Cid } from '../blocks/cid.ts';

export interface Pins {
  hold(): Pin;
  isPinned(cid: Cid): boolean;
  /** Runs a collection; what is released meanwhile stays pinned until it has ended. */
  whileCollecting<T>(collect: () => Promise<T>): Promise<T>;
}

export interface Pin {
  /** To be called before the block is put. */
  add(cid: Cid): void;
  release(): void;
}

export function makePins(): Pins {
  const holders = new Map<Cid, number>();
  const released: Set<Cid>[] = [];
  let collections = 0;

  function unpinReleased(): void {
    if (collections > 0) return;
    for (const cid of released.splice(0).flatMap((cids) => [...cids])) {
      const left = (holders.get(cid) ?? 0) - 1;
      if (left > 0) holders.set(cid, left);
      else holders.delete(cid);
    }
  }

  return {
    hold() {
      const held = new Set<Cid>();
      return {
        add(cid) {
          if (held.has(cid)) return;
          held.add(cid);
          holders.set(cid, (holders.get(cid) ?? 0) + 1);
        },
        release() {
          released.push(new Set(held));
          held.clear();
          unpinReleased();
        },
      };
    },
    isPinned: (cid) => holders.has(cid),
    async whileCollecting(collect) {
      collections += 1;
      try {
        return await collect();
      } finally {
        collections -= 1;
        unpinReleased();
      }
    },
  };
}
