import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setImmediate } from 'node:timers/promises';
import { nodeCrypto } from '@helixmesh/protocol/node';
import { inChunks } from '@helixmesh/protocol/testing/bytes';
import type { Blockstore } from '../blocks/blockstore.ts';
import { type Cid, cidOf } from '../blocks/cid.ts';
import { memoryBlockstore } from '../blocks/memory-blockstore.ts';
import { BLOCK_BYTES_MAX, LEAVES_IN_FLIGHT_MAX } from '../limits.ts';
import { sealedObject } from '../testing/sealed-object.ts';
import { keepBody } from './keep-body.ts';
import { makePins } from './pins.ts';

const LEAVES = 7;
const { signed, body } = await sealedObject(LEAVES * BLOCK_BYTES_MAX - 200_000);
const leaves = Array.from({ length: LEAVES }, (_, i) =>
  cidOf(nodeCrypto, 'raw', body.subarray(i * BLOCK_BYTES_MAX, (i + 1) * BLOCK_BYTES_MAX)),
);

interface Disk {
  readonly blocks: Blockstore;
  /** Leaves whose writing has not ended. */
  readonly open: Set<Cid>;
  /** Most of them at once. */
  most(): number;
}

/** A disk whose later writes end first; with `broken` the write of that leaf fails. */
function diskOf(broken?: Cid): Disk {
  const options = { crypto: nodeCrypto, now: () => 0, capacityBytes: 2 ** 30 };
  const memory = memoryBlockstore(options);
  const open = new Set<Cid>();
  let most = 0;
  const put = async (cid: Cid, block: Uint8Array) => {
    open.add(cid);
    most = Math.max(most, open.size);
    const place = leaves.indexOf(cid);
    for (let i = place; i < LEAVES; i += 1) await setImmediate();
    open.delete(cid);
    if (cid === broken) assert.fail('the disk is broken');
    return await memory.put(cid, block);
  };
  return { blocks: { ...memory, put }, open, most: () => most };
}

function keep({ blocks }: Disk, onLeaf: (leaf: Cid) => Promise<void>) {
  const keeper = { crypto: nodeCrypto, blocks, pin: makePins().hold(), onLeaf };
  return keepBody(keeper, signed.document, inChunks(body, 70_000));
}

test('leaves are written several at once, and told of in order', async () => {
  const disk = diskOf();
  const told: Cid[] = [];
  await keep(disk, async (leaf) => {
    assert.ok(await disk.blocks.has(leaf));
    told.push(leaf);
  });
  assert.deepEqual(told, leaves);
  // The list of nonces and tags is a leaf too.
  assert.ok(disk.most() > 1 && disk.most() <= LEAVES_IN_FLIGHT_MAX + 1, `${disk.most()}`);
});

test('after a leaf that could not be written none is told of, and no write goes on', async () => {
  for (const broken of leaves) {
    const disk = diskOf(broken);
    const told: Cid[] = [];
    await assert.rejects(
      keep(disk, async (leaf) => {
        told.push(leaf);
      }),
      /the disk is broken/,
    );
    assert.equal(disk.open.size, 0);
    assert.deepEqual(told, leaves.slice(0, leaves.indexOf(broken)));
  }
});
