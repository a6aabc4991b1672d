/**
 * A read-through cache of blocks: what was fetched once is not fetched again while there is room.
 *
 * Invariants
 * A1  The blocks that are kept never take more than the budget, not for a moment.
 * A2  A leased block is not evicted: room for it is set aside when the lease is given.
 * A3  A block is fetched once, however many ask for it at once.
 * A4  What the source gives is hashed before anybody sees it, kept or not.
 *
 * The store belongs to the cache alone. Evicted is what was used longest ago.
 */
import { AppError } from '@helixmesh/protocol';
import type { Crypto } from '@helixmesh/protocol/sealing';
import { assertBlock, type Blockstore } from '../blocks/blockstore.ts';
import type { Cid } from '../blocks/cid.ts';
import { makeLeases } from './leases.ts';

/** The port to where blocks come from; what it gives is not trusted. */
export interface BlockSource {
  get(cid: Cid): Promise<Uint8Array | undefined>;
}

export interface BlockCacheOptions {
  readonly crypto: Crypto;
  readonly store: Blockstore;
  readonly source: BlockSource;
  readonly budgetBytes: number;
}

export interface LeasedBlock {
  readonly cid: Cid;
  readonly sizeBytes: number;
}

export interface CacheStats {
  readonly keptBytes: number;
  /** Set aside for leases, the blocks of which may be there or not. */
  readonly leasedBytes: number;
  readonly hits: number;
  readonly misses: number;
  /** Moved from the source. */
  readonly sourceBytes: number;
  readonly evictions: number;
}

export interface BlockCache {
  /** Undefined when the source has none. Throws CIPHERTEXT_INVALID when it gives another one. */
  get(cid: Cid): Promise<Uint8Array | undefined>;
  /**
   * Holds blocks for a task until it is disposed of: once fetched they stay. Undefined when the
   * leases together would take more than the budget.
   */
  lease(blocks: readonly LeasedBlock[]): Disposable | undefined;
  stats(): CacheStats;
}

/** Opens a cache over what its store holds from before, the block put last being the last to go. */
export async function openBlockCache(options: BlockCacheOptions): Promise<BlockCache> {
  const { crypto, store, source, budgetBytes } = options;
  /** Sizes of what is kept, used longest ago first. */
  const kept = new Map<Cid, number>();
  const fetching = new Map<Cid, Promise<Uint8Array | undefined>>();
  const leases = makeLeases(budgetBytes);
  const counts = { keptBytes: 0, hits: 0, misses: 0, sourceBytes: 0, evictions: 0 };

  function use(cid: Cid, sizeBytes: number): void {
    forget(cid);
    kept.set(cid, sizeBytes);
    counts.keptBytes += sizeBytes;
  }

  function forget(cid: Cid): void {
    counts.keptBytes -= kept.get(cid) ?? 0;
    kept.delete(cid);
  }

  /** Whether there is room for so many bytes more, once what nobody holds is gone. */
  async function makeRoom(bytes: number): Promise<boolean> {
    while (counts.keptBytes + bytes > budgetBytes) {
      const oldest = kept.keys().find((cid) => !leases.isHeld(cid));
      if (oldest === undefined) return false;
      const sizeBytes = kept.get(oldest) ?? 0;
      // Counted until it is gone (A1); not found by another reader in the meantime.
      kept.delete(oldest);
      await store.delete(oldest);
      counts.keptBytes -= sizeBytes;
      counts.evictions += 1;
    }
    return true;
  }

  async function keep(cid: Cid, block: Uint8Array): Promise<void> {
    if (block.length > budgetBytes || !(await makeRoom(block.length))) return;
    use(cid, block.length);
    try {
      await store.put(cid, block);
    } catch {
      // A cache that cannot write still reads: the block has been verified.
      forget(cid);
    }
  }

  async function readKept(cid: Cid): Promise<Uint8Array | undefined> {
    const sizeBytes = kept.get(cid);
    if (sizeBytes === undefined) return undefined;
    use(cid, sizeBytes);
    try {
      return await store.get(cid);
    } catch (error) {
      // Damaged: the source has it whole, and putting it again heals it.
      if (AppError.from(error).code === 'CIPHERTEXT_INVALID') return undefined;
      throw error;
    }
  }

  async function load(cid: Cid): Promise<Uint8Array | undefined> {
    const held = await readKept(cid);
    if (held !== undefined) {
      counts.hits += 1;
      return held;
    }
    counts.misses += 1;
    const block = await source.get(cid);
    if (block === undefined) return undefined;
    counts.sourceBytes += block.length;
    assertBlock(crypto, cid, block);
    // One at a time: each sees the room that the one before it has left.
    await turns.take(() => keep(cid, block));
    return block;
  }

  const turns = makeTurns();
  const before = [];
  for await (const facts of store.list()) before.push(facts);
  before.sort((a, b) => a.putAtMs - b.putAtMs);
  for (const { cid, sizeBytes } of before) use(cid, sizeBytes);
  await makeRoom(0);

  return {
    async get(cid) {
      const under = fetching.get(cid);
      if (under !== undefined) return await under;
      const loading = load(cid);
      fetching.set(cid, loading);
      try {
        return await loading;
      } finally {
        fetching.delete(cid);
      }
    },
    lease: (blocks) => leases.take(blocks),
    stats: () => ({ ...counts, leasedBytes: leases.heldBytes() }),
  };
}

/** Work that is done one after the other, in the order in which it was asked for. */
function makeTurns() {
  let last: Promise<void> = Promise.resolve();
  return {
    async take(work: () => Promise<void>): Promise<void> {
      last = last.then(work, work);
      await last;
    },
  };
}
