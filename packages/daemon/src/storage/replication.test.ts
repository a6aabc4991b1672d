/** Copies between vaults over TLS: several sources, some of which fail or lie, and interruptions. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { AppError } from '@helixmesh/protocol';
import { flipped } from '@helixmesh/protocol/testing/bytes';
import { openFsBlockstore } from '@helixmesh/vault/node';
import { blockFiles, eventually, lose, startOwner, vaultOf } from './testing/replica-bench.ts';

const MIB = 2 ** 20;
type OpenBlocks = typeof openFsBlockstore;

/** Blocks of a vault that lies: what it reads is not what it has kept. `isLie` chooses them. */
function lying(isLie: (cid: string) => boolean): OpenBlocks {
  return async (options) => {
    const blocks = await openFsBlockstore(options);
    const changed = (cid: string, block: Uint8Array | undefined) =>
      block && isLie(cid) ? flipped(block, 20) : block;
    return {
      ...blocks,
      get: async (cid) => changed(cid, await blocks.get(cid)),
      read: async (cid, range) => changed(cid, await blocks.read(cid, range)),
    };
  };
}

/** Blocks of a vault that counts what it reads of bodies. */
function counting(count: { bytes: number }): OpenBlocks {
  return async (options) => {
    const blocks = await openFsBlockstore(options);
    return {
      ...blocks,
      async read(cid, range) {
        const bytes = await blocks.read(cid, range);
        count.bytes += bytes?.length ?? 0;
        return bytes;
      },
    };
  };
}

const isLeaf = (name: string) => name.includes('bafkre');

test('a copy is made of two of which neither is whole, and is known afterwards', async (t) => {
  const [one, two, three] = [await vaultOf(t), await vaultOf(t), await vaultOf(t)];
  const alice = await startOwner(t);
  const dataset = await alice.dataset([one, two], ['MX']);
  const names = (await blockFiles(one)).map((file) => file.slice(-59));
  assert.equal(names.length, 8, 'six leaves, a node, and the list of tags');
  // Each leaf is left in one of them; without the node neither would know its leaves.
  for (const [which, vault] of [one, two].entries()) {
    for (const file of await blockFiles(vault)) {
      const name = file.slice(-59);
      if (isLeaf(name) && names.indexOf(name) % 2 === which) await lose(file);
    }
  }
  assert.equal(await alice.replicate(dataset, three), 'stored');
  await alice.assertWhole(dataset, three);
  assert.equal(alice.stateOf(dataset, three), 'stored');
  assert.equal(await alice.replicate(dataset, three), 'known');
});

test('a vault that is gone delays a copy and does not hinder it', async (t) => {
  const [gone, one, two] = [await vaultOf(t), await vaultOf(t), await vaultOf(t)];
  const alice = await startOwner(t);
  const dataset = await alice.dataset([gone, one]);
  await gone.storage.stop();
  assert.equal(await alice.replicate(dataset, two), 'stored');
  await alice.assertWhole(dataset, two);
});

for (const [what, isLie] of [
  ['leaves', isLeaf],
  ['nodes', (cid: string) => !isLeaf(cid)],
] as const) {
  test(`of a vault that lies about ${what} nothing is kept; another one gives the copy`, async (t) => {
    const liar = await vaultOf(t, { openBlocks: lying(isLie) });
    const [honest, target] = [await vaultOf(t), await vaultOf(t)];
    const alice = await startOwner(t);
    const dataset = await alice.dataset([liar]);
    const refused = { code: 'CIPHERTEXT_INVALID' };
    await assert.rejects(alice.replicate(dataset, target), refused);
    assert.deepEqual(await blockFiles(target), [], 'nothing of it was kept');
    alice.custody.markStored(dataset.id, honest.address);
    await alice.putInto(dataset, honest);
    assert.equal(await alice.replicate(dataset, target), 'stored');
    await alice.assertWhole(dataset, target);
  });
}

test('a copy that broke off goes on where it was, and the rest alone is read', async (t) => {
  const count = { bytes: 0 };
  const source = await vaultOf(t, { openBlocks: counting(count) });
  let room = 3 * MIB;
  const target = await vaultOf(t, {
    async openBlocks(options) {
      const blocks = await openFsBlockstore(options);
      return {
        ...blocks,
        async put(cid, block) {
          if (room <= 0) throw new AppError('DISK_FULL', 'no space left on device');
          room -= block.length;
          return await blocks.put(cid, block);
        },
      };
    },
  });
  const alice = await startOwner(t);
  const dataset = await alice.dataset([source]);
  await assert.rejects(alice.replicate(dataset, target), { code: 'DISK_FULL' });
  assert.equal(alice.stateOf(dataset, target), 'coming');
  count.bytes = 0;
  room = Number.POSITIVE_INFINITY;
  assert.equal(await alice.replicate(dataset, target), 'stored');
  assert.equal(count.bytes, dataset.body.length - 3 * MIB);
  await alice.assertWhole(dataset, target);
});

test('an owner who leaves ends the copying, and may come back', async (t) => {
  const release = Promise.withResolvers<void>();
  const reached = Promise.withResolvers<void>();
  const source = await vaultOf(t);
  const target = await vaultOf(t, {
    async openBlocks(options) {
      const blocks = await openFsBlockstore(options);
      return {
        ...blocks,
        async put(cid, block) {
          reached.resolve();
          await release.promise;
          return await blocks.put(cid, block);
        },
      };
    },
  });
  const alice = await startOwner(t);
  const dataset = await alice.dataset([source]);
  alice.custody.nameReplica(dataset.id, target.address);
  const leaving = new AbortController();
  const { signal } = leaving;
  const copying = async () => {
    const told = alice.bionfs(target).replicate(alice.messageOf(dataset), { signal });
    for await (const { isStored } of told) assert.equal(isStored, false);
  };
  const left = fromWhenTheHeadIsKnown(copying);
  await reached.promise;
  leaving.abort();
  await assert.rejects(left, { code: 'CANCELED' });
  release.resolve();
  await eventually(() => alice.replicate(dataset, target));
  await alice.assertWhole(dataset, target);
});

/** The first head is on its way to the vaults when a custodian starts. */
async function fromWhenTheHeadIsKnown(work: () => Promise<void>): Promise<void> {
  for (;;) {
    try {
      return await work();
    } catch (error) {
      if (AppError.from(error).code !== 'CUSTODIAN_OFFLINE') throw error;
    }
  }
}
