/** What every adapter of the Blockstore port must do. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { nodeCrypto } from '@helixmesh/protocol/node';
import { isAppError } from '@helixmesh/protocol/testing/bytes';
import type { BlockFacts, Blockstore } from '../blocks/blockstore.ts';
import { type Cid, cidOf } from '../blocks/cid.ts';
import { BLOCK_BYTES_MAX } from '../limits.ts';
import { all, someBytes } from './bytes.ts';

export interface BlockstoreHarness {
  /** An empty store that asks `now` for the time. */
  open(now: () => number): Promise<StoreUnderTest>;
}

export interface StoreUnderTest {
  readonly store: Blockstore;
  /** Changes a byte of a block behind the store's back. */
  damage(cid: Cid): Promise<void>;
  /** What is left when the process dies now and another one opens the store. */
  reopen(): Promise<Blockstore>;
}

export function checkBlockstore(name: string, harness: BlockstoreHarness): void {
  describe(`the Blockstore port, ${name}`, () => {
    checkKeeping(harness);
    checkRefusing(harness);
    checkDamage(harness);
    checkOrder(harness);
  });
}

function checkKeeping({ open }: BlockstoreHarness): void {
  test('a block is there as it was put, once, with its time, until it is deleted', async () => {
    let nowMs = 1_000_000;
    const { store, reopen } = await open(() => nowMs);
    const block = someBytes(5_000);
    const cid = cidOf(nodeCrypto, 'raw', block);
    assert.deepEqual([await store.has(cid), await store.get(cid)], [false, undefined]);
    assert.equal(await store.put(cid, block), 'stored');
    nowMs += 5_000;
    assert.equal(await store.put(cid, block), 'known');
    for (const each of [store, await reopen()]) {
      assert.equal(await each.has(cid), true);
      assert.deepEqual(await each.get(cid), block);
      assert.deepEqual(await listed(each), [{ cid, sizeBytes: 5_000, putAtMs: 1_005_000 }]);
    }
    assert.deepEqual([await store.delete(cid), await store.delete(cid)], [true, false]);
    assert.deepEqual([await store.has(cid), await store.get(cid)], [false, undefined]);
    assert.deepEqual(await listed(store), []);
  });

  test('a range is cut at the end of its block', async () => {
    const { store } = await open(() => 0);
    const block = someBytes(1_000);
    const cid = await putRaw(store, block);
    for (const [start, end] of [
      [0, 1_000],
      [10, 20],
      [990, 2_000],
      [1_000, 1_001],
      [5, 5],
    ] as const) {
      assert.deepEqual(await store.read(cid, { start, end }), block.slice(start, end));
    }
    for (const range of [
      { start: -1, end: 2 },
      { start: 2, end: 1 },
      { start: 0, end: 1.5 },
      { start: Number.NaN, end: 1 },
    ]) {
      await assert.rejects(store.read(cid, range), isAppError('USAGE'));
    }
    const absent = cidOf(nodeCrypto, 'raw', someBytes(3));
    assert.equal(await store.read(absent, { start: 0, end: 1 }), undefined);
  });

  test('the empty block, the largest one and both codecs are kept', async () => {
    const { store } = await open(() => 0);
    for (const size of [0, BLOCK_BYTES_MAX]) {
      for (const codec of ['raw', 'dag-pb'] as const) {
        const block = someBytes(size);
        const cid = cidOf(nodeCrypto, codec, block);
        await store.put(cid, block);
        assert.deepEqual(await store.get(cid), block);
      }
    }
    assert.equal((await listed(store)).length, 4);
  });

  test('a part of a larger array is kept as what it was when it was put', async () => {
    const { store } = await open(() => 0);
    const whole = someBytes(300);
    const cid = await putRaw(store, whole.subarray(100, 200));
    const expected = whole.slice(100, 200);
    whole.fill(0);
    assert.deepEqual(await store.get(cid), expected);
  });
}

function checkRefusing({ open }: BlockstoreHarness): void {
  test('what its identifier does not name, or is too large, is not kept', async () => {
    const { store } = await open(() => 0);
    const block = someBytes(100);
    const other = cidOf(nodeCrypto, 'raw', someBytes(101));
    const asNode = cidOf(nodeCrypto, 'dag-pb', block);
    await assert.rejects(store.put(other, block), isAppError('CIPHERTEXT_INVALID'));
    const large = someBytes(BLOCK_BYTES_MAX + 1);
    await assert.rejects(store.put(cidOf(nodeCrypto, 'raw', large), large), isAppError('USAGE'));
    assert.deepEqual([await store.has(asNode), await listed(store)], [false, []]);
  });

  test('a name that is no identifier is refused, whatever is asked', async () => {
    const { store } = await open(() => 0);
    const cid = await putRaw(store, someBytes(10));
    const names = ['', '.', '..', '../../etc/passwd', `${cid}/..`, `../${cid}`, `${cid}\0`];
    names.push(cid.toUpperCase(), `${cid.slice(0, -1)}/`, cid.slice(1), `${cid}a`);
    // Another spelling of the same bytes: set bits behind the last one.
    names.push(`${cid.slice(0, -1)}${nextLetter(cid.at(-1) ?? 'a')}`);
    for (const name of names as Cid[]) {
      const refused = isAppError('INPUT_MALFORMED');
      await assert.rejects(store.put(name, someBytes(10)), refused, name);
      await assert.rejects(async () => await store.get(name), refused, name);
      await assert.rejects(async () => await store.delete(name), refused, name);
      await assert.rejects(async () => await store.quarantine(name), refused, name);
      await assert.rejects(async () => await store.has(name), refused, name);
    }
    assert.equal((await listed(store)).length, 1);
  });
}

function checkDamage({ open }: BlockstoreHarness): void {
  test('a damaged block is not handed out, is there, and is healed by putting it again', async () => {
    const { store, damage } = await open(() => 0);
    const block = someBytes(5_000);
    const cid = await putRaw(store, block);
    await damage(cid);
    await assert.rejects(store.get(cid), isAppError('CIPHERTEXT_INVALID'));
    const far = { start: 4_990, end: 5_000 };
    await assert.rejects(store.read(cid, far), isAppError('CIPHERTEXT_INVALID'));
    assert.equal(await store.has(cid), true);
    assert.equal(await store.put(cid, block), 'stored');
    assert.deepEqual(await store.get(cid), block);
  });

  test('a damaged block goes into quarantine, out of sight, and can be put again', async () => {
    const { store, damage } = await open(() => 0);
    const block = someBytes(5_000);
    const cid = await putRaw(store, block);
    await damage(cid);
    assert.deepEqual([await store.quarantine(cid), await store.quarantine(cid)], [true, false]);
    assert.deepEqual([await store.has(cid), await listed(store)], [false, []]);
    assert.equal(await store.put(cid, block), 'stored');
    assert.deepEqual(await store.get(cid), block);
    // Healed meanwhile: it stays.
    assert.equal(await store.quarantine(cid), false);
    assert.deepEqual(await store.get(cid), block);
  });
}

function checkOrder({ open }: BlockstoreHarness): void {
  test('puts and deletes of one block take effect in the order of the calls', async () => {
    const { store } = await open(() => 0);
    const block = someBytes(2_000);
    const cid = await putRaw(store, block);
    const answers = await Promise.all([
      store.delete(cid),
      store.put(cid, block),
      store.put(cid, block),
      store.delete(cid),
      store.delete(cid),
      store.put(cid, block),
    ]);
    assert.deepEqual(answers, [true, 'stored', 'known', true, false, 'stored']);
    assert.deepEqual(await store.get(cid), block);
  });

  test('many puts at once are all there', async () => {
    const { store, reopen } = await open(() => 0);
    const blocks = Array.from({ length: 40 }, (_, i) => someBytes(100 + (i % 20)));
    const cids = await Promise.all(blocks.map((block) => putRaw(store, block)));
    const names = (await listed(await reopen())).map(({ cid }) => cid);
    assert.deepEqual(names.sort(), [...new Set(cids)].sort());
    assert.equal(names.length, 20);
  });
}

export async function putRaw(store: Blockstore, block: Uint8Array): Promise<Cid> {
  const cid = cidOf(nodeCrypto, 'raw', block);
  await store.put(cid, block);
  return cid;
}

export async function listed(store: Blockstore): Promise<BlockFacts[]> {
  return await all(store.list());
}

function nextLetter(letter: string): string {
  return String.fromCharCode(letter.charCodeAt(0) + 1);
}
