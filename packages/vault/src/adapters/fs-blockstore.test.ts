import assert from 'node:assert/strict';
import { execFileSync, spawnSync } from 'node:child_process';
import {
  lstat,
  mkdir,
  mkdtemp,
  readdir,
  readFile,
  rm,
  symlink,
  truncate,
  writeFile,
} from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { nodeCrypto } from '@helixmesh/protocol/node';
import { flipped, isAppError } from '@helixmesh/protocol/testing/bytes';
import { type Cid, cidOf } from '../blocks/cid.ts';
import { checkBlockstore, listed, putRaw } from '../testing/blockstore-compliance.ts';
import { someBytes } from '../testing/bytes.ts';
import { openFsBlockstore } from './fs-blockstore.ts';

const root = await mkdtemp(join(tmpdir(), 'helixmesh-vault-'));
after(() => rm(root, { recursive: true, force: true }));

let folders = 0;
function newFolder(): string {
  folders += 1;
  return join(root, `${folders}`, 'vault');
}

function openAt(folder: string, now = () => 0) {
  return openFsBlockstore({ folder, crypto: nodeCrypto, now });
}

function pathOf(folder: string, cid: Cid): string {
  return join(folder, 'blocks', cid.slice(-2), cid);
}

checkBlockstore('in a folder', {
  async open(now) {
    const folder = newFolder();
    return {
      store: await openAt(folder, now),
      reopen: () => openAt(folder, now),
      async damage(cid) {
        const path = pathOf(folder, cid);
        await writeFile(path, flipped(await readFile(path), 17));
      },
    };
  },
});

test('blocks leave the room that is reserved to everything else, and what is there stays', {
  skip: canMount() ? false : 'SKIPPED: mounting a small tmpfs needs root',
}, async (t) => {
  const folder = await mkdtemp(join(root, 'reserve-'));
  execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=8m', 'tmpfs', folder]);
  t.after(() => execFileSync('umount', ['-l', folder]));
  const blocks = Array.from({ length: 8 }, (_, i) => someBytes(2 ** 20 - i));
  const cids = blocks.map((block) => cidOf(nodeCrypto, 'raw', block));
  // Of eight MiB half at most is left to others.
  for (const [reserveBytes, stored] of [
    [6 * 2 ** 20, 4],
    [3 * 2 ** 20, 5],
  ] as const) {
    const options = { folder, crypto: nodeCrypto, now: () => 0, reserveBytes };
    const store = await openFsBlockstore(options);
    let there = 0;
    for (const [i, block] of blocks.entries()) {
      const put = await store.put(cids[i] as Cid, block).catch(isAppError('DISK_FULL'));
      if (put !== true) there += 1;
    }
    assert.equal(there, stored, 'one more would be too much');
    assert.deepEqual(await store.get(cids[0] as Cid), blocks[0]);
  }
});

function canMount(): boolean {
  const { status } = spawnSync('unshare', ['--mount', 'mount', '-t', 'tmpfs', 'tmpfs', '/mnt']);
  return status === 0;
}

test('everything is for its operator alone', async () => {
  const folder = newFolder();
  await mkdir(folder, { recursive: true, mode: 0o777 });
  const store = await openAt(folder);
  await putRaw(store, someBytes(100));
  const rotten = await putRaw(store, someBytes(101));
  await truncate(pathOf(folder, rotten), 50);
  assert.equal(await store.quarantine(rotten), true);
  const entries = await readdir(folder, { recursive: true });
  assert.ok(entries.length >= 6, `${entries}`);
  for (const entry of ['', ...entries]) {
    const facts = await lstat(join(folder, entry));
    assert.equal(facts.mode & 0o777, facts.isDirectory() ? 0o700 : 0o600, entry);
  }
});

test('what a crash leaves between two steps is never a block, and never in the way', async () => {
  const block = someBytes(5_000);
  const cid = cidOf(nodeCrypto, 'raw', block);
  const leave: Record<string, (folder: string) => Promise<void>> = {
    'an empty file aside': (folder) => writeFile(join(folder, 'incoming', '1'), ''),
    'half a file aside': (folder) =>
      writeFile(join(folder, 'incoming', '1'), block.slice(0, 2_500)),
    'a whole file aside': (folder) => writeFile(join(folder, 'incoming', '1'), block),
    'an empty folder': async (folder) => {
      await mkdir(join(folder, 'blocks', cid.slice(-2)));
    },
    both: async (folder) => {
      await mkdir(join(folder, 'blocks', cid.slice(-2)));
      await writeFile(join(folder, 'incoming', '1'), block);
    },
  };
  for (const [what, make] of Object.entries(leave)) {
    const folder = newFolder();
    await openAt(folder);
    await make(folder);
    const store = await openAt(folder);
    assert.deepEqual([await store.get(cid), await listed(store)], [undefined, []], what);
    assert.deepEqual(await readdir(join(folder, 'incoming')), [], what);
    assert.equal(await store.put(cid, block), 'stored', what);
    assert.deepEqual(await store.get(cid), block, what);
  }
  const folder = newFolder();
  await (await openAt(folder)).put(cid, block);
  // After the rename the block is there, and is answered for again.
  assert.equal(await (await openAt(folder)).put(cid, block), 'known');
});

test('bit rot is noticed wherever it is: each length and a sample of bytes', async () => {
  const folder = newFolder();
  const store = await openAt(folder);
  const block = someBytes(300);
  const cid = await putRaw(store, block);
  const path = pathOf(folder, cid);
  for (let at = 0; at < block.length; at += 7) {
    await writeFile(path, flipped(block, at));
    await assert.rejects(store.get(cid), isAppError('CIPHERTEXT_INVALID'), `byte ${at}`);
  }
  await writeFile(path, block);
  for (const length of [0, 1, 299, 301, 2 ** 20 + 1]) {
    await truncate(path, length);
    await assert.rejects(store.get(cid), isAppError('CIPHERTEXT_INVALID'), `${length} bytes`);
  }
  assert.equal(await store.put(cid, block), 'stored');
  assert.deepEqual(await store.get(cid), block);
});

test('links, and files that are not blocks, are not read and not listed', async () => {
  const folder = newFolder();
  const store = await openAt(folder);
  const block = someBytes(100);
  const cid = cidOf(nodeCrypto, 'raw', block);
  const outside = join(folder, 'outside');
  await writeFile(outside, block);
  await mkdir(join(folder, 'blocks', cid.slice(-2)));
  await symlink(outside, pathOf(folder, cid));
  await writeFile(join(folder, 'blocks', 'stray'), 'x');
  await writeFile(join(folder, 'blocks', cid.slice(-2), 'stray'), 'x');
  assert.deepEqual(
    [await store.get(cid), await store.has(cid), await listed(store)],
    [undefined, false, []],
  );
  assert.equal(await store.put(cid, block), 'stored');
  assert.ok((await lstat(pathOf(folder, cid))).isFile());
  assert.deepEqual(await readFile(outside).then((bytes) => Uint8Array.from(bytes)), block);
});

test('a block that cannot be written leaves nothing behind', async () => {
  const folder = newFolder();
  const store = await openAt(folder);
  const block = someBytes(100);
  const cid = cidOf(nodeCrypto, 'raw', block);
  // A folder in the place of the block: the rename fails after all of it was written.
  await mkdir(pathOf(folder, cid), { recursive: true });
  await assert.rejects(store.put(cid, block));
  assert.deepEqual(await readdir(join(folder, 'incoming')), []);
  assert.equal(await store.get(cid), undefined);
});
