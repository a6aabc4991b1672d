/** What every adapter of the PartialStore port must do. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { Digest } from '@helixmesh/protocol';
import { nodeCrypto } from '@helixmesh/protocol/node';
import { cidOf } from '../blocks/cid.ts';
import type { PartialStore } from '../objects/partial-store.ts';
import { all, someBytes } from './bytes.ts';

export interface PartialStoreHarness {
  /** An empty store, and what another process finds of it. */
  open(): Promise<{ store: PartialStore; reopen(): Promise<PartialStore> }>;
}

const idOf = (digit: string) => `sha256:${digit.repeat(64)}` as Digest;
const leafOf = (size: number) => cidOf(nodeCrypto, 'raw', someBytes(size));

export function checkPartialStore(name: string, { open }: PartialStoreHarness): void {
  describe(`the PartialStore port, ${name}`, () => {
    test('leaves are read in their order, by another process too, until they are replaced', async () => {
      const { store, reopen } = await open();
      assert.deepEqual(await store.read(idOf('a')), []);
      await store.replace(idOf('a'), []);
      for (const size of [1, 2, 3]) await store.append(idOf('a'), leafOf(size));
      await store.append(idOf('b'), leafOf(4));
      for (const each of [store, await reopen()]) {
        assert.deepEqual(await each.read(idOf('a')), [leafOf(1), leafOf(2), leafOf(3)]);
        assert.deepEqual(await each.read(idOf('b')), [leafOf(4)]);
      }
      const later = await reopen();
      await later.replace(idOf('a'), [leafOf(1)]);
      await later.append(idOf('a'), leafOf(9));
      assert.deepEqual(await (await reopen()).read(idOf('a')), [leafOf(1), leafOf(9)]);
    });

    test('what is deleted is gone, and deleting it again is no error', async () => {
      const { store, reopen } = await open();
      await store.append(idOf('a'), leafOf(1));
      await store.append(idOf('b'), leafOf(1));
      const ids = async (of: PartialStore) => (await all(of.list())).map(({ id }) => id).sort();
      assert.deepEqual(await ids(await reopen()), [idOf('a'), idOf('b')]);
      for (let times = 0; times < 2; times += 1) await store.delete(idOf('a'));
      for (const each of [store, await reopen()]) {
        assert.deepEqual(await each.read(idOf('a')), []);
        assert.deepEqual(await ids(each), [idOf('b')]);
      }
    });
  });
}
