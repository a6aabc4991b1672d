/** The Blockstore in memory: for tests, and for small things that need not last. */
import { AppError } from '@helixmesh/protocol';
import type { Crypto } from '@helixmesh/protocol/sealing';
import { assertBlock, type Blockstore, damagedBlock, sliceOf } from './blockstore.ts';
import { type Cid, isBlockOf, parseCid } from './cid.ts';

export interface MemoryBlock {
  readonly block: Uint8Array;
  readonly putAtMs: number;
}

export interface MemoryBlockstoreOptions {
  readonly crypto: Crypto;
  /** Milliseconds since 1970. */
  readonly now: () => number;
  /** Bytes of all blocks; what goes beyond is DISK_FULL. */
  readonly capacityBytes: number;
  /** Where the blocks are; given by who wants to look at them. */
  readonly blocks?: Map<Cid, MemoryBlock>;
}

export function memoryBlockstore(options: MemoryBlockstoreOptions): Blockstore {
  const { crypto, now, capacityBytes, blocks = new Map<Cid, MemoryBlock>() } = options;
  let usedBytes = blocks.values().reduce((sum, { block }) => sum + block.length, 0);

  function remove(cid: Cid): boolean {
    usedBytes -= blocks.get(parseCid(cid))?.block.length ?? 0;
    return blocks.delete(cid);
  }

  async function get(cid: Cid): Promise<Uint8Array | undefined> {
    const block = blocks.get(parseCid(cid))?.block;
    if (block !== undefined && !isBlockOf(crypto, cid, block)) throw damagedBlock();
    return block;
  }

  return {
    async put(cid, block) {
      assertBlock(crypto, cid, block);
      const held = blocks.get(cid)?.block;
      const isKnown = held !== undefined && isBlockOf(crypto, cid, held);
      const addedBytes = block.length - (held?.length ?? 0);
      if (usedBytes + addedBytes > capacityBytes) throw full(capacityBytes);
      usedBytes += addedBytes;
      // A copy: the block may be a part of something larger.
      blocks.set(cid, { block: isKnown ? held : block.slice(), putAtMs: now() });
      return isKnown ? 'known' : 'stored';
    },
    get,
    async read(cid, range) {
      const block = await get(cid);
      return block && sliceOf(block, range);
    },
    async has(cid) {
      return blocks.has(parseCid(cid));
    },
    async delete(cid) {
      return remove(cid);
    },
    async quarantine(cid) {
      const block = blocks.get(parseCid(cid))?.block;
      return block !== undefined && !isBlockOf(crypto, cid, block) && remove(cid);
    },
    async *list() {
      for (const [cid, { block, putAtMs }] of blocks) {
        yield { cid, sizeBytes: block.length, putAtMs };
      }
    },
  };
}

function full(capacityBytes: number): AppError {
  return new AppError('DISK_FULL', `the store holds at most ${capacityBytes} bytes`, {
    hint: 'Delete what is not needed, then try again.',
  });
}
