/** What every adapter of the RecordStore port must do. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { Digest } from '@helixmesh/protocol';
import { isAppError } from '@helixmesh/protocol/testing/bytes';
import { RECORD_BYTES_MAX } from '../limits.ts';
import type { RecordStore } from '../objects/record-store.ts';
import { all, someBytes } from './bytes.ts';

export interface RecordStoreHarness {
  /** An empty store, and what another process finds of it. */
  open(): Promise<{ store: RecordStore; reopen(): Promise<RecordStore> }>;
}

const idOf = (digit: string) => `sha256:${digit.repeat(64)}` as Digest;

export function checkRecordStore(name: string, { open }: RecordStoreHarness): void {
  describe(`the RecordStore port, ${name}`, () => {
    test('the last record of an object is there, for another process too', async () => {
      const { store, reopen } = await open();
      assert.deepEqual([await store.read(idOf('a')), await all(store.list())], [undefined, []]);
      await store.write(idOf('a'), someBytes(100));
      await store.write(idOf('b'), someBytes(RECORD_BYTES_MAX));
      await Promise.all([50, 60, 70].map((size) => store.write(idOf('a'), someBytes(size))));
      for (const each of [store, await reopen()]) {
        assert.deepEqual(await each.read(idOf('a')), someBytes(70));
        assert.deepEqual(await each.read(idOf('b')), someBytes(RECORD_BYTES_MAX));
        assert.deepEqual((await all(each.list())).sort(), [idOf('a'), idOf('b')]);
      }
    });

    test('what is no id, or too large, is refused', async () => {
      const { store } = await open();
      const large = someBytes(RECORD_BYTES_MAX + 1);
      await assert.rejects(store.write(idOf('a'), large), isAppError('USAGE'));
      for (const id of ['', 'a', '../a', `${idOf('a')}/..`, idOf('A')] as Digest[]) {
        await assert.rejects(store.write(id, someBytes(1)), isAppError('USAGE'), id);
        await assert.rejects(store.read(id), isAppError('USAGE'), id);
      }
      assert.deepEqual(await all(store.list()), []);
    });
  });
}
