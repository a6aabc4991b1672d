import assert from 'node:assert/strict';
import { lstat, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { memoryHeadStore } from '../heads/head-store.ts';
import { all, someBytes } from '../testing/bytes.ts';
import { checkHeadStore } from '../testing/head-store-compliance.ts';
import { openFsHeadStore } from './fs-head-store.ts';

const root = await mkdtemp(join(tmpdir(), 'helixmesh-heads-'));
after(() => rm(root, { recursive: true, force: true }));

checkHeadStore('in memory', {
  async open() {
    const records = new Map<string, Uint8Array>();
    return { store: memoryHeadStore(records), reopen: async () => memoryHeadStore(records) };
  },
});

checkHeadStore('in a folder', {
  async open() {
    const folder = await mkdtemp(join(root, 'store-'));
    const options = { folder, now: () => 0 };
    return { store: await openFsHeadStore(options), reopen: () => openFsHeadStore(options) };
  },
});

test('leftovers of a crash and strange files are no records, a link is a damaged one', async () => {
  const folder = await mkdtemp(join(root, 'crash-'));
  const options = { folder, now: () => 0 };
  const owner = `0x${'a'.repeat(40)}`;
  await openFsHeadStore(options);
  await writeFile(join(folder, 'writing', '1'), someBytes(10));
  await writeFile(join(folder, 'owners', 'stray.json'), someBytes(10));
  await symlink(join(folder, 'owners', 'stray.json'), join(folder, 'owners', `${owner}.json`));
  const store = await openFsHeadStore(options);
  assert.deepEqual(await all(store.list()), [{ owner, bytes: new Uint8Array(0) }]);
  await store.write({ owner, bytes: someBytes(20) });
  const facts = await lstat(join(folder, 'owners', `${owner}.json`));
  assert.deepEqual([facts.isFile(), facts.mode & 0o777], [true, 0o600]);
});
