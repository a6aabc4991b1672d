import assert from 'node:assert/strict';
import { lstat, mkdtemp, readdir, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import type { Digest } from '@helixmesh/protocol';
import { memoryRecordStore } from '../objects/memory-record-store.ts';
import { all, someBytes } from '../testing/bytes.ts';
import { checkRecordStore } from '../testing/record-store-compliance.ts';
import { openFsRecordStore } from './fs-record-store.ts';

const root = await mkdtemp(join(tmpdir(), 'helixmesh-records-'));
after(() => rm(root, { recursive: true, force: true }));

checkRecordStore('in memory', {
  async open() {
    const records = new Map<Digest, Uint8Array>();
    return {
      store: memoryRecordStore(records),
      reopen: async () => memoryRecordStore(records),
    };
  },
});

checkRecordStore('in a folder', {
  async open() {
    const folder = await mkdtemp(join(root, 'store-'));
    const options = { folder, now: () => 0 };
    return { store: await openFsRecordStore(options), reopen: () => openFsRecordStore(options) };
  },
});

test('leftovers of a crash, links and strange files are no records', async () => {
  const folder = await mkdtemp(join(root, 'crash-'));
  const options = { folder, now: () => 0 };
  const id = `sha256:${'a'.repeat(64)}` as Digest;
  await openFsRecordStore(options);
  await writeFile(join(folder, 'writing', '1'), someBytes(10));
  await writeFile(join(folder, 'records', 'stray.json'), someBytes(10));
  await symlink(join(folder, 'writing', '1'), join(folder, 'records', `${'a'.repeat(64)}.json`));
  const store = await openFsRecordStore(options);
  assert.equal(await store.read(id), undefined);
  assert.deepEqual(await readdir(join(folder, 'writing')), []);
  await store.write(id, someBytes(20));
  assert.deepEqual(await store.read(id), someBytes(20));
  assert.deepEqual(await all(store.list()), [id]);
  const facts = await lstat(join(folder, 'records', `${'a'.repeat(64)}.json`));
  assert.deepEqual([facts.isFile(), facts.mode & 0o777], [true, 0o600]);
});
