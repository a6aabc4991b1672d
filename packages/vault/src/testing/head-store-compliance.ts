/** What every adapter of the HeadStore port must do. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { isAppError } from '@helixmesh/protocol/testing/bytes';
import type { HeadStore } from '../heads/head-store.ts';
import { HEAD_RECORD_BYTES_MAX } from '../limits.ts';
import { all, someBytes } from './bytes.ts';

export interface HeadStoreHarness {
  /** An empty store, and what another process finds of it. */
  open(): Promise<{ store: HeadStore; reopen(): Promise<HeadStore> }>;
}

const ownerOf = (digit: string) => `0x${digit.repeat(40)}`;

export function checkHeadStore(name: string, { open }: HeadStoreHarness): void {
  describe(`the HeadStore port, ${name}`, () => {
    test('the last record of an owner is there, for another process too', async () => {
      const { store, reopen } = await open();
      assert.deepEqual(await all(store.list()), []);
      const largest = { owner: ownerOf('b'), bytes: someBytes(HEAD_RECORD_BYTES_MAX) };
      await store.write(largest);
      await Promise.all(
        [50, 60, 70].map((size) => store.write({ owner: ownerOf('a'), bytes: someBytes(size) })),
      );
      for (const each of [store, await reopen()]) {
        const records = (await all(each.list())).sort((a, b) => a.owner.localeCompare(b.owner));
        assert.deepEqual(records, [{ owner: ownerOf('a'), bytes: someBytes(70) }, largest]);
      }
    });

    test('what is no owner, or too large, is refused', async () => {
      const { store } = await open();
      const tooLarge = someBytes(HEAD_RECORD_BYTES_MAX + 1);
      await assert.rejects(
        store.write({ owner: ownerOf('a'), bytes: tooLarge }),
        isAppError('USAGE'),
      );
      for (const owner of ['', '0x', '../a', `${ownerOf('a')}/..`, ownerOf('A')]) {
        await assert.rejects(store.write({ owner, bytes: someBytes(1) }), isAppError('USAGE'));
      }
      assert.deepEqual(await all(store.list()), []);
    });
  });
}
