/** Scrubbing that repairs from the other vaults of an object, over TLS and files. */
import assert from 'node:assert/strict';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { nodeCrypto } from '@helixmesh/protocol/node';
import { toHex } from '@helixmesh/protocol/sealing';
import { flipped } from '@helixmesh/protocol/testing/bytes';
import { cidOf } from '@helixmesh/vault';
import { openFsBlockstore } from '@helixmesh/vault/node';
import {
  blockFiles,
  damage,
  eventually,
  lose,
  startOwner,
  type Vault,
  vaultOf,
} from './testing/replica-bench.ts';

/** A scrub each time that the upkeep looks. */
const OFTEN = { upkeep: { everyMs: 100, scrubEveryMs: 0 } };

/** Name and digest of each block. */
async function filesOf(vault: Vault): Promise<string[]> {
  const files: string[] = [];
  for (const file of await blockFiles(vault)) {
    files.push(`${file.slice(-59)} ${toHex(nodeCrypto.sha256(await readFile(file)))}`);
  }
  return files;
}

test('every block that was damaged or lost comes back from another vault', async (t) => {
  const [one, two] = [await vaultOf(t), await vaultOf(t, OFTEN)];
  const alice = await startOwner(t);
  const dataset = await alice.dataset([one, two], ['MX']);
  const before = await filesOf(two);
  assert.equal(before.length, 8, 'six leaves, a node, and the list of tags');
  for (const [at, file] of (await blockFiles(two)).entries()) {
    await (at % 2 === 0 ? damage(file) : lose(file));
  }
  await eventually(async () => assert.deepEqual(await filesOf(two), before));
  await alice.assertWhole(dataset, two);
  await eventually(async () => assert.equal(alice.stateOf(dataset, two), 'stored'));
  assert.equal((await readdir(join(two.folder, 'quarantine'))).length, 4);
});

test('what nobody has is said to the owner and the operator, and mended when it can be', async (t) => {
  const [one, two] = [await vaultOf(t), await vaultOf(t, OFTEN)];
  const alice = await startOwner(t);
  const dataset = await alice.dataset([two]);
  const [first = ''] = await blockFiles(two);
  await lose(first);
  await eventually(async () => {
    const { lostBlocks } = await alice.bionfs(two).stat({ objectId: dataset.id });
    assert.equal(lostBlocks, 1);
  });
  await eventually(async () => {
    const health = two.storage.health();
    assert.match(health.status === 'failing' ? health.why : '', /1 blocks that objects need/);
  });
  await eventually(async () => assert.equal(alice.stateOf(dataset, two), 'damaged'));
  await alice.putInto(dataset, one);
  await eventually(async () => assert.equal(alice.stateOf(dataset, two), 'stored'));
  await alice.assertWhole(dataset, two);
  await eventually(async () => assert.deepEqual(two.storage.health(), { status: 'ok' }));
});

test('a vault that lies repairs nothing', async (t) => {
  const openBlocks: typeof openFsBlockstore = async (options) => {
    const blocks = await openFsBlockstore(options);
    const read = async (...asked: Parameters<typeof blocks.read>) => {
      const bytes = await blocks.read(...asked);
      return bytes && flipped(bytes, 20);
    };
    return { ...blocks, read };
  };
  const [liar, two] = [await vaultOf(t, { openBlocks }), await vaultOf(t, OFTEN)];
  const alice = await startOwner(t);
  const dataset = await alice.dataset([liar, two]);
  const leaf = cidOf(nodeCrypto, 'raw', dataset.body.subarray(0, 2 ** 20));
  const first = (await blockFiles(two)).find((file) => file.endsWith(leaf)) ?? assert.fail();
  await lose(first);
  await eventually(async () => {
    const { lostBlocks } = await alice.bionfs(two).stat({ objectId: dataset.id });
    assert.equal(lostBlocks, 1);
  });
  assert.equal((await blockFiles(two)).includes(first), false);
});
