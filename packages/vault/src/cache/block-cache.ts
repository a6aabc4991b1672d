/**
 * A read-through cache of blocks: what was fetched once is not fetched again while there is room.
 *
 * Invariants
 * A1  The blocks that are kept never take more than the budget, not for a moment.
 * A2  A leased block is not evicted: room for it is set aside when the lease is given.
 * A3  A block is fetched once, however many ask for it at once.
 * A4  What is fetched is hashed before anybody sees it, kept or not.
 *
 * The store belongs to the cache alone; its disk does not: where that is full, blocks make room too.
 * Evicted is what was used longest ago.
 */
import { AppError } from '@helixmesh/protocol';
import type { Crypto } from '@helixmesh/protocol/sealing';
import { assertBlock, type Blockstore } from '../blocks/blockstore.ts';
import type { Cid } from '../blocks/cid.ts';
import { makeLeases } from './leases.ts';

/** Gets a block from where it comes from; what it gives is not trusted. */
export type BlockSource = () => Promise<Uint8Array>;

export interface BlockCacheOptions {
  readonly crypto: Crypto;
  readonly store: Blockstore;
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
  readonly fetchedBytes: number;
  readonly evictions: number;
}

export interface BlockCache {
  /**
   * The block, fetched where it is not kept. Throws what `source` throws, and CIPHERTEXT_INVALID where
   * that gives another one. Who waits for the fetch of somebody else that fails fetches it himself.
   */
  get(cid: Cid, source: BlockSource): Promise<Uint8Array>;
  /** Whether a block is kept, or being fetched just now. */
  has(cid: Cid): boolean;
  /**
   * Holds blocks for a task until it is disposed of: once fetched they stay. Undefined when the
   * leases together would take more than the budget.
   */
  lease(blocks: readonly LeasedBlock[]): Disposable | undefined;
  /** Evicts so many bytes, or all that nobody holds. */
  shrink(bytes: number): Promise<void>;
  stats(): CacheStats;
}

/** Opens a cache over what its store holds from before, the block put last being the last to go. */
export async function openBlockCache(options: BlockCacheOptions): Promise<BlockCache> {
  const { crypto, store, budgetBytes } = options;
  /** Sizes of what is kept, used longest ago first. */
  const kept = new Map<Cid, number>();
  const fetching = new Map<Cid, Promise<Uint8Array>>();
  const leases = makeLeases(budgetBytes);
  const counts = { keptBytes: 0, hits: 0, misses: 0, fetchedBytes: 0, evictions: 0 };

  function use(cid: Cid, sizeBytes: number): void {
    forget(cid);
    kept.set(cid, sizeBytes);
    counts.keptBytes += sizeBytes;
  }

  function forget(cid: Cid): void {
    counts.keptBytes -= kept.get(cid) ?? 0;
    kept.delete(cid);
  }

  /** False when nobody lets go of anything. */
  async function evict(): Promise<boolean> {
    const oldest = kept.keys().find((cid) => !leases.isHeld(cid));
    if (oldest === undefined) return false;
    const sizeBytes = kept.get(oldest) ?? 0;
    // Counted until it is gone (A1); not found by another reader in the meantime.
    kept.delete(oldest);
    await store.delete(oldest);
    counts.keptBytes -= sizeBytes;
    counts.evictions += 1;
    return true;
  }

  /** Whether there is room for so many bytes more, once what nobody holds is gone. */
  async function makeRoom(bytes: number): Promise<boolean> {
    while (counts.keptBytes + bytes > budgetBytes) if (!(await evict())) return false;
    return true;
  }

  async function keep(cid: Cid, block: Uint8Array): Promise<void> {
    if (block.length > budgetBytes) return;
    while (await makeRoom(block.length)) {
      use(cid, block.length);
      try {
        await store.put(cid, block);
        return;
      } catch (error) {
        // A cache that cannot write still reads: the block has been verified.
        forget(cid);
        if (AppError.from(error).code !== 'DISK_FULL' || !(await evict())) return;
      }
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

  async function load(cid: Cid, source: BlockSource): Promise<Uint8Array> {
    const held = await readKept(cid);
    if (held !== undefined) {
      counts.hits += 1;
      return held;
    }
    counts.misses += 1;
    const block = await source();
    counts.fetchedBytes += block.length;
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
    async get(cid, source) {
      for (let under = fetching.get(cid); under !== undefined; under = fetching.get(cid)) {
        try {
          return await under;
        } catch {
          // Whoever fetched it was stopped, or asked somebody else.
        }
      }
      const loading = load(cid, source);
      fetching.set(cid, loading);
      try {
        return await loading;
      } finally {
        fetching.delete(cid);
      }
    },
    has: (cid) => kept.has(cid) || fetching.has(cid),
    lease: (blocks) => leases.take(blocks),
    async shrink(bytes) {
      const least = counts.keptBytes - bytes;
      await turns.take(async () => {
        while (counts.keptBytes > least) if (!(await evict())) return;
      });
    },
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
