import assert from 'node:assert/strict';
import { test } from 'node:test';
import { nodeCrypto } from '@helixmesh/protocol/node';
import { flipped, isAppError } from '@helixmesh/protocol/testing/bytes';
import * as fc from 'fast-check';
import { type Cid, cidOf } from '../blocks/cid.ts';
import { type MemoryBlock, memoryBlockstore } from '../blocks/memory-blockstore.ts';
import { someBytes } from '../testing/bytes.ts';
import { openBlockCache } from './block-cache.ts';

const BLOCK = 1_000;
const pool = Array.from({ length: 8 }, (_, i) => someBytes(BLOCK, i));
const cids = pool.map((block) => cidOf(nodeCrypto, 'raw', block));
const [a, b, c, d] = cids as [Cid, Cid, Cid, Cid];
const sized = (cid: Cid) => ({ cid, sizeBytes: BLOCK });

/** A cache in front of a source that counts, and a store that notes the most it ever held. */
async function testCache(budgetBytes: number, held = new Map<Cid, MemoryBlock>()) {
  const counts = { fetched: 0, mostBytes: 0 };
  const options = { crypto: nodeCrypto, now: () => 0, capacityBytes: 2 ** 30, blocks: held };
  const inner = memoryBlockstore(options);
  const store = {
    ...inner,
    async put(cid: Cid, block: Uint8Array) {
      const answer = await inner.put(cid, block);
      const bytes = held.values().reduce((sum, each) => sum + each.block.length, 0);
      counts.mostBytes = Math.max(counts.mostBytes, bytes);
      return answer;
    },
  };
  const source = {
    async get(cid: Cid) {
      await Promise.resolve();
      const block = pool[cids.indexOf(cid)];
      if (block !== undefined) counts.fetched += 1;
      return block;
    },
  };
  const cache = await openBlockCache({ crypto: nodeCrypto, store, source, budgetBytes });
  return { cache, counts, held, store };
}

test('a second read moves no byte from the source, in another process either', async () => {
  const { cache, counts, held } = await testCache(4 * BLOCK);
  for (const cid of [a, b, c]) assert.deepEqual(await cache.get(cid), pool[cids.indexOf(cid)]);
  const { sourceBytes } = cache.stats();
  assert.deepEqual([sourceBytes, counts.fetched], [3 * BLOCK, 3]);
  for (const cid of [a, b, c]) assert.deepEqual(await cache.get(cid), pool[cids.indexOf(cid)]);
  assert.deepEqual([cache.stats().sourceBytes - sourceBytes, cache.stats().hits], [0, 3]);
  const later = await testCache(4 * BLOCK, held);
  for (const cid of [a, b, c]) await later.cache.get(cid);
  assert.deepEqual([later.cache.stats().sourceBytes, later.counts.fetched], [0, 0]);
});

test('many who ask for a block at once have it fetched once', async () => {
  const { cache, counts } = await testCache(4 * BLOCK);
  const answers = await Promise.all(Array.from({ length: 50 }, () => cache.get(a)));
  assert.ok(answers.every((block) => Buffer.from(block ?? []).equals(pool[0] as Uint8Array)));
  assert.equal(counts.fetched, 1);
  const absent = cidOf(nodeCrypto, 'raw', someBytes(3));
  assert.deepEqual(await Promise.all([cache.get(absent), cache.get(absent)]), [
    undefined,
    undefined,
  ]);
});

test('what was used longest ago goes first', async () => {
  const { cache, held } = await testCache(3 * BLOCK);
  for (const cid of [a, b, c, a, d]) await cache.get(cid);
  assert.deepEqual([...held.keys()].sort(), [a, c, d].sort());
  assert.equal(cache.stats().evictions, 1);
});

test('what a task holds is not evicted, and more than the budget is not promised', async () => {
  const { cache, counts, held } = await testCache(3 * BLOCK);
  const lease = cache.lease([sized(a), sized(b)]);
  assert.ok(lease !== undefined);
  assert.equal(cache.lease([sized(c), sized(d)]), undefined);
  const same = cache.lease([sized(a), sized(b), sized(b)]);
  assert.equal(cache.stats().leasedBytes, 2 * BLOCK);
  for (const cid of [a, b, ...cids.slice(2), ...cids.slice(2)]) await cache.get(cid);
  const fetched = counts.fetched;
  await Promise.all([cache.get(a), cache.get(b)]);
  assert.deepEqual([counts.fetched, held.has(a), held.has(b)], [fetched, true, true]);
  lease[Symbol.dispose]();
  lease[Symbol.dispose]();
  for (const cid of cids.slice(2)) await cache.get(cid);
  assert.deepEqual([held.has(a), held.has(b)], [true, true]);
  same?.[Symbol.dispose]();
  assert.equal(cache.stats().leasedBytes, 0);
  for (const cid of cids.slice(2)) await cache.get(cid);
  assert.deepEqual([held.has(a), held.has(b)], [false, false]);
});

test('what does not fit is handed out all the same', async () => {
  const { cache, held } = await testCache(BLOCK);
  const lease = cache.lease([sized(a)]);
  await cache.get(a);
  assert.deepEqual(await cache.get(b), pool[1]);
  assert.deepEqual([...held.keys()], [a]);
  lease?.[Symbol.dispose]();
  const none = await testCache(BLOCK - 1);
  assert.deepEqual(await none.cache.get(a), pool[0]);
  assert.equal(none.held.size, 0);
});

test('a block that rots in the cache is fetched again, and a lying source is not believed', async () => {
  const { cache, counts, held, store } = await testCache(4 * BLOCK);
  await cache.get(a);
  held.set(a, { block: flipped(pool[0] as Uint8Array, 5), putAtMs: 0 });
  assert.deepEqual(await cache.get(a), pool[0]);
  assert.equal(counts.fetched, 2);
  assert.deepEqual(await store.get(a), pool[0]);
  const source = { get: async () => someBytes(7) };
  for (const budgetBytes of [0, BLOCK]) {
    const fooled = await openBlockCache({ crypto: nodeCrypto, store, source, budgetBytes });
    await assert.rejects(fooled.get(b), isAppError('CIPHERTEXT_INVALID'));
    assert.equal(await store.has(b), false);
  }
});

test('a store that cannot be written to costs the keeping, not the reading', async () => {
  const full = memoryBlockstore({ crypto: nodeCrypto, now: () => 0, capacityBytes: 0 });
  const source = { get: async (cid: Cid) => pool[cids.indexOf(cid)] };
  const options = { crypto: nodeCrypto, store: full, source, budgetBytes: 4 * BLOCK };
  const cache = await openBlockCache(options);
  assert.deepEqual(await cache.get(a), pool[0]);
  assert.deepEqual(await cache.get(a), pool[0]);
  assert.deepEqual([cache.stats().keptBytes, cache.stats().sourceBytes], [0, 2 * BLOCK]);
});

test('whatever is read, leased and released at once, the budget holds and leased blocks stay', async () => {
  const which = fc.nat(pool.length - 1);
  const step = fc.oneof(
    fc.record({ what: fc.constant('get' as const), which: fc.array(which, { maxLength: 4 }) }),
    fc.record({ what: fc.constant('lease' as const), which: fc.array(which, { maxLength: 3 }) }),
    fc.record({ what: fc.constant('release' as const), which: fc.constant([]) }),
  );
  await fc.assert(
    fc.asyncProperty(fc.integer({ min: 0, max: 5 }), fc.array(step), async (blocks, steps) => {
      const { cache, counts, held } = await testCache(blocks * BLOCK);
      const leases: { lease: Disposable; cids: Cid[]; wereThere: Set<Cid> }[] = [];
      for (const { what, which: indices } of steps) {
        const wanted = indices.map((i) => cids[i] as Cid);
        if (what === 'get') {
          const got = await Promise.all(wanted.map((cid) => cache.get(cid)));
          assert.deepEqual(
            got,
            indices.map((i) => pool[i]),
          );
          for (const each of leases) {
            for (const cid of wanted) if (each.cids.includes(cid)) each.wereThere.add(cid);
          }
        } else if (what === 'lease') {
          const lease = cache.lease(wanted.map(sized));
          const wereThere = new Set(wanted.filter((cid) => held.has(cid)));
          if (lease !== undefined) leases.push({ lease, cids: wanted, wereThere });
        } else leases.shift()?.lease[Symbol.dispose]();
        const stats = cache.stats();
        assert.ok(counts.mostBytes <= blocks * BLOCK && stats.leasedBytes <= blocks * BLOCK);
        assert.equal(stats.keptBytes, held.size * BLOCK);
        for (const each of leases) assert.ok([...each.wereThere].every((cid) => held.has(cid)));
      }
    }),
    { numRuns: 40 },
  );
});
