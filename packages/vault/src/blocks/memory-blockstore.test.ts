import assert from 'node:assert/strict';
import { test } from 'node:test';
import { nodeCrypto } from '@helixmesh/protocol/node';
import { flipped, isAppError } from '@helixmesh/protocol/testing/bytes';
import { checkBlockstore, listed, putRaw } from '../testing/blockstore-compliance.ts';
import { someBytes } from '../testing/bytes.ts';
import type { Cid } from './cid.ts';
import { type MemoryBlock, memoryBlockstore } from './memory-blockstore.ts';

const capacityBytes = 2 ** 26;

checkBlockstore('in memory', {
  async open(now) {
    const blocks = new Map<Cid, MemoryBlock>();
    const options = { crypto: nodeCrypto, now, capacityBytes, blocks };
    return {
      store: memoryBlockstore(options),
      reopen: async () => memoryBlockstore(options),
      async damage(cid) {
        const held = blocks.get(cid) as MemoryBlock;
        blocks.set(cid, { ...held, block: flipped(held.block, 17) });
      },
    };
  },
});

test('a full store keeps what it has and takes what fits once something is deleted', async () => {
  const store = memoryBlockstore({ crypto: nodeCrypto, now: () => 0, capacityBytes: 250 });
  const first = await putRaw(store, someBytes(100));
  await putRaw(store, someBytes(101));
  await assert.rejects(putRaw(store, someBytes(102)), isAppError('DISK_FULL'));
  await putRaw(store, someBytes(100));
  assert.equal((await listed(store)).length, 2);
  await store.delete(first);
  await putRaw(store, someBytes(102));
});
