import assert from 'node:assert/strict';
import { test } from 'node:test';
import { AppError } from '@helixmesh/protocol';
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
const blockOf = (cid: Cid) => pool[cids.indexOf(cid)] ?? assert.fail('not a block of the pool');
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
  const cache = await openBlockCache({ crypto: nodeCrypto, store, budgetBytes });
  const get = (cid: Cid) =>
    cache.get(cid, async () => {
      await Promise.resolve();
      counts.fetched += 1;
      return blockOf(cid);
    });
  return { cache, counts, get, held, store };
}

test('a second read moves no byte from the source, in another process either', async () => {
  const { cache, counts, get, held } = await testCache(4 * BLOCK);
  for (const cid of [a, b, c]) assert.deepEqual(await get(cid), blockOf(cid));
  const { fetchedBytes } = cache.stats();
  assert.deepEqual([fetchedBytes, counts.fetched], [3 * BLOCK, 3]);
  for (const cid of [a, b, c]) assert.deepEqual(await get(cid), blockOf(cid));
  assert.deepEqual([cache.stats().fetchedBytes - fetchedBytes, cache.stats().hits], [0, 3]);
  const later = await testCache(4 * BLOCK, held);
  for (const cid of [a, b, c]) await later.get(cid);
  assert.deepEqual([later.cache.stats().fetchedBytes, later.counts.fetched], [0, 0]);
});

test('many who ask for a block at once have it fetched once', async () => {
  const { cache, counts, get } = await testCache(4 * BLOCK);
  const asking = Array.from({ length: 50 }, () => get(a));
  assert.equal(cache.has(a), true);
  const answers = await Promise.all(asking);
  assert.ok(answers.every((block) => Buffer.from(block).equals(blockOf(a))));
  assert.deepEqual([counts.fetched, cache.has(a), cache.has(b)], [1, true, false]);
});

test('who waits for a fetch that fails fetches it himself, and fails alone', async () => {
  const { cache, get } = await testCache(4 * BLOCK);
  const failing = () => Promise.reject(new AppError('CANCELED', 'stopped'));
  const [first, second, third] = await Promise.allSettled([
    cache.get(a, failing),
    cache.get(a, failing),
    get(a),
  ]);
  assert.deepEqual([first.status, second.status], ['rejected', 'rejected']);
  assert.deepEqual(third.status === 'fulfilled' && third.value, blockOf(a));
});

test('what was used longest ago goes first', async () => {
  const { cache, get, held } = await testCache(3 * BLOCK);
  for (const cid of [a, b, c, a, d]) await get(cid);
  assert.deepEqual([...held.keys()].sort(), [a, c, d].sort());
  assert.equal(cache.stats().evictions, 1);
});

test('what a task holds is not evicted, and more than the budget is not promised', async () => {
  const { cache, counts, get, held } = await testCache(3 * BLOCK);
  const lease = cache.lease([sized(a), sized(b)]);
  assert.ok(lease !== undefined);
  assert.equal(cache.lease([sized(c), sized(d)]), undefined);
  const same = cache.lease([sized(a), sized(b), sized(b)]);
  assert.equal(cache.stats().leasedBytes, 2 * BLOCK);
  for (const cid of [a, b, ...cids.slice(2), ...cids.slice(2)]) await get(cid);
  const fetched = counts.fetched;
  await Promise.all([get(a), get(b)]);
  assert.deepEqual([counts.fetched, held.has(a), held.has(b)], [fetched, true, true]);
  lease[Symbol.dispose]();
  lease[Symbol.dispose]();
  for (const cid of cids.slice(2)) await get(cid);
  assert.deepEqual([held.has(a), held.has(b)], [true, true]);
  same?.[Symbol.dispose]();
  assert.equal(cache.stats().leasedBytes, 0);
  for (const cid of cids.slice(2)) await get(cid);
  assert.deepEqual([held.has(a), held.has(b)], [false, false]);
});

test('what does not fit is handed out all the same', async () => {
  const { cache, get, held } = await testCache(BLOCK);
  const lease = cache.lease([sized(a)]);
  await get(a);
  assert.deepEqual(await get(b), pool[1]);
  assert.deepEqual([...held.keys()], [a]);
  lease?.[Symbol.dispose]();
  const none = await testCache(BLOCK - 1);
  assert.deepEqual(await none.get(a), pool[0]);
  assert.equal(none.held.size, 0);
});

test('it shrinks when it is told to, but for what is held', async () => {
  const { cache, get, held } = await testCache(4 * BLOCK);
  using _lease = cache.lease([sized(a)]);
  for (const cid of [a, b, c, d]) await get(cid);
  await cache.shrink(BLOCK + 1);
  assert.deepEqual([...held.keys()].sort(), [a, d].sort());
  await cache.shrink(9 * BLOCK);
  assert.deepEqual([[...held.keys()], cache.stats().keptBytes], [[a], BLOCK]);
});

test('where the disk is full, what was used longest ago makes room for what comes', async () => {
  const crypto = nodeCrypto;
  const store = memoryBlockstore({ crypto, now: () => 0, capacityBytes: 2 * BLOCK });
  const cache = await openBlockCache({ crypto, store, budgetBytes: 4 * BLOCK });
  for (const cid of [a, b, c]) await cache.get(cid, async () => blockOf(cid));
  assert.deepEqual([cache.has(a), cache.has(b), cache.has(c)], [false, true, true]);
  assert.deepEqual([await store.has(a), await store.has(c)], [false, true]);
});

test('a block that rots in the cache is fetched again, and nobody who lies is believed', async () => {
  const { counts, get, held, store } = await testCache(4 * BLOCK);
  await get(a);
  held.set(a, { block: flipped(blockOf(a), 5), putAtMs: 0 });
  assert.deepEqual(await get(a), pool[0]);
  assert.equal(counts.fetched, 2);
  assert.deepEqual(await store.get(a), pool[0]);
  for (const budgetBytes of [0, BLOCK]) {
    const fooled = await openBlockCache({ crypto: nodeCrypto, store, budgetBytes });
    const lie = fooled.get(b, async () => someBytes(7));
    await assert.rejects(lie, isAppError('CIPHERTEXT_INVALID'));
    assert.equal(await store.has(b), false);
  }
});

test('a store that cannot be written to costs the keeping, not the reading', async () => {
  const full = memoryBlockstore({ crypto: nodeCrypto, now: () => 0, capacityBytes: 0 });
  const options = { crypto: nodeCrypto, store: full, budgetBytes: 4 * BLOCK };
  const cache = await openBlockCache(options);
  assert.deepEqual(await cache.get(a, async () => blockOf(a)), pool[0]);
  assert.deepEqual(await cache.get(a, async () => blockOf(a)), pool[0]);
  assert.deepEqual([cache.stats().keptBytes, cache.stats().fetchedBytes], [0, 2 * BLOCK]);
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
      const { cache, counts, get, held } = await testCache(blocks * BLOCK);
      const leases: { lease: Disposable; cids: Cid[]; wereThere: Set<Cid> }[] = [];
      for (const { what, which: indices } of steps) {
        const wanted = indices.map((i) => cids[i] as Cid);
        if (what === 'get') {
          const got = await Promise.all(wanted.map(get));
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
