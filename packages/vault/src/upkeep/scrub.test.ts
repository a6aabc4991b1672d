import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { ByteSource } from '@helixmesh/protocol/sealing';
import { collect, flipped, inChunks } from '@helixmesh/protocol/testing/bytes';
import type { Cid } from '../blocks/cid.ts';
import type { MemoryBlock } from '../blocks/memory-blockstore.ts';
import { putRaw } from '../testing/blockstore-compliance.ts';
import { someBytes } from '../testing/bytes.ts';
import { memoryVault, sealedObject } from '../testing/sealed-object.ts';
import { type Replica, scrub } from './scrub.ts';

const object = await sealedObject(1_200_000);
const root = object.signed.document.bodyCid as Cid;

async function filledVault() {
  const vault = await memoryVault();
  await vault.catalogue.put(object.signed, inChunks(object.body, 50_000));
  const copy = new Map([...vault.held].map(([cid, { block }]) => [cid, block]));
  const replica: Replica = { get: async (cid) => copy.get(cid) };
  return { ...vault, copy, replica };
}

function damage(held: Map<Cid, MemoryBlock>, cid: Cid): void {
  const block = held.get(cid) as MemoryBlock;
  held.set(cid, { ...block, block: flipped(block.block, 12) });
}

async function isWhole({ catalogue }: Awaited<ReturnType<typeof filledVault>>): Promise<boolean> {
  const opened = await catalogue.open(object.id);
  const source = opened?.read({ start: 0, end: object.body.length }) as ByteSource;
  return Buffer.from(await collect(source)).equals(object.body);
}

test('a vault without damage is left as it is', async () => {
  const vault = await filledVault();
  const { catalogue, blocks, replica, held } = vault;
  const report = await scrub({ catalogue, blocks, replicas: [replica] });
  const checkedBytes = held.values().reduce((sum, { block }) => sum + block.length, 0);
  const untouched = { damaged: [], repaired: [], lost: [], lacking: new Map() };
  assert.deepEqual(report, { checkedBlocks: held.size, checkedBytes, ...untouched });
});

test('every block, leaf or node, damaged or missing, is repaired from a replica', async () => {
  const vault = await filledVault();
  const { catalogue, blocks, replica, held, copy } = vault;
  assert.equal(held.size, 4);
  for (const cid of copy.keys()) {
    damage(held, cid);
    const report = await scrub({ catalogue, blocks, replicas: [replica] });
    assert.deepEqual([report.damaged, report.repaired, report.lost], [[cid], [cid], []]);
    held.delete(cid);
    const again = await scrub({ catalogue, blocks, replicas: [replica] });
    assert.deepEqual([again.damaged, again.repaired, again.lost], [[], [cid], []]);
    assert.ok(await isWhole(vault));
  }
  for (const cid of copy.keys()) damage(held, cid);
  const report = await scrub({ catalogue, blocks, replicas: [replica] });
  assert.deepEqual(new Set(report.repaired), new Set(copy.keys()));
  assert.ok(await isWhole(vault));
});

test('a replica that lies, fails or has nothing is passed over, and what nobody has is lost', async () => {
  const vault = await filledVault();
  const { catalogue, blocks, replica, held } = vault;
  const liar: Replica = { get: async () => someBytes(100) };
  const gone: Replica = { get: async () => assert.fail('unreachable') };
  const empty: Replica = { get: async () => undefined };
  damage(held, root);
  const lost = await scrub({ catalogue, blocks, replicas: [liar, gone, empty] });
  assert.deepEqual([lost.damaged, lost.repaired, lost.lost], [[root], [], [root]]);
  assert.equal(await blocks.has(root), false);
  const found = await scrub({ catalogue, blocks, replicas: [liar, gone, empty, replica] });
  assert.deepEqual([found.damaged, found.repaired, found.lost], [[], [root], []]);
  assert.ok(await isWhole(vault));
});

test('a damaged block that no object needs goes into quarantine and is not fetched', async () => {
  const vault = await filledVault();
  const { catalogue, blocks, held } = vault;
  const cid = await putRaw(blocks, someBytes(50));
  damage(held, cid);
  const never: Replica = { get: async () => assert.fail('nobody needs it') };
  const report = await scrub({ catalogue, blocks, replicas: [never] });
  assert.deepEqual([report.damaged, report.repaired, report.lost], [[cid], [], []]);
});
