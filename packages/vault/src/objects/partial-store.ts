/**
 * The port for bodies that broke off: which leaves of an object's body are kept, in their order, so
 * that its sender goes on behind them.
 *
 * Invariants
 * Q1  What is read is the beginning of what was written: a crash may lose the end of the list, and
 *     changes nothing before it.
 *
 * It is a hint and no promise: whoever goes on looks at each block again. Every adapter passes
 * `testing/partial-store-compliance.ts`.
 */
import type { Digest } from '@helixmesh/protocol';
import type { Cid } from '../blocks/cid.ts';

export interface PartialFacts {
  readonly id: Digest;
  /** When a leaf was added last, ms since 1970. */
  readonly putAtMs: number;
}

export interface PartialStore {
  /** Leaves of the body of object `id`, from its first one on; none where nothing is known. */
  read(id: Digest): Promise<readonly Cid[]>;
  /** Takes the place of what was there. Throws DISK_FULL. */
  replace(id: Digest, leaves: readonly Cid[]): Promise<void>;
  /** One more leaf. Not durable by itself: a process may die, a machine that loses power may lose it. */
  append(id: Digest, leaf: Cid): Promise<void>;
  delete(id: Digest): Promise<void>;
  /** In any order. */
  list(): AsyncIterable<PartialFacts>;
}

/** The PartialStore in memory: for tests, and for vaults that need not go on after a restart. */
export function memoryPartialStore(
  now: () => number,
  partials = new Map<Digest, { leaves: Cid[]; putAtMs: number }>(),
): PartialStore {
  return {
    read: async (id) => [...(partials.get(id)?.leaves ?? [])],
    async replace(id, leaves) {
      partials.set(id, { leaves: [...leaves], putAtMs: now() });
    },
    async append(id, leaf) {
      partials.set(id, { leaves: [...(partials.get(id)?.leaves ?? []), leaf], putAtMs: now() });
    },
    async delete(id) {
      partials.delete(id);
    },
    async *list() {
      for (const [id, { putAtMs }] of partials) yield { id, putAtMs };
    },
  };
}
