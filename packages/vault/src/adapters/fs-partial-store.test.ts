import assert from 'node:assert/strict';
import { appendFile, mkdtemp, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import type { Digest } from '@helixmesh/protocol';
import { nodeCrypto } from '@helixmesh/protocol/node';
import { cidOf } from '../blocks/cid.ts';
import { memoryPartialStore } from '../objects/partial-store.ts';
import { all, someBytes } from '../testing/bytes.ts';
import { checkPartialStore } from '../testing/partial-store-compliance.ts';
import { openFsPartialStore } from './fs-partial-store.ts';

const root = await mkdtemp(join(tmpdir(), 'helixmesh-partials-'));
after(() => rm(root, { recursive: true, force: true }));

checkPartialStore('in memory', {
  async open() {
    const partials = new Map();
    const now = () => 0;
    return {
      store: memoryPartialStore(now, partials),
      reopen: async () => memoryPartialStore(now, partials),
    };
  },
});

checkPartialStore('in a folder', {
  async open() {
    const options = { folder: await mkdtemp(join(root, 'store-')), now: () => 0 };
    return { store: await openFsPartialStore(options), reopen: () => openFsPartialStore(options) };
  },
});

test('of a list with a damaged end the whole lines before it count', async () => {
  const folder = await mkdtemp(join(root, 'torn-'));
  const store = await openFsPartialStore({ folder, now: () => 0 });
  const id = `sha256:${'a'.repeat(64)}` as Digest;
  const file = join(folder, 'partials', `${'a'.repeat(64)}.leaves`);
  const leaves = [1, 2].map((size) => cidOf(nodeCrypto, 'raw', someBytes(size)));
  for (const torn of ['bafkrei', '\0\0\0\0\n', `${leaves[0]?.toUpperCase()}\n${leaves[1]}\n`]) {
    await store.replace(id, leaves);
    await appendFile(file, torn);
    assert.deepEqual(await store.read(id), leaves);
  }
  assert.equal((await stat(file)).mode & 0o777, 0o600);
  await writeFile(join(folder, 'partials', 'stray'), 'x');
  assert.deepEqual((await all(store.list())).length, 1);
});
