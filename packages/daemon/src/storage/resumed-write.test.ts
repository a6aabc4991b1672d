/** Bodies that break off and go on, over TLS and over restarts of the vault. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { AppError } from '@helixmesh/protocol';
import { encodeDocument } from '@helixmesh/protocol/sealing';
import { BLOCK_BYTES_MAX } from '@helixmesh/vault';
import { openFsBlockstore } from '@helixmesh/vault/node';
import { owner, sealedObject } from '@helixmesh/vault/testing/sealed-object';
import {
  bytesOf,
  type Caller,
  inPieces,
  isError,
  messagesOf,
  put,
  startVault,
  wire,
} from './testing/bench.ts';

const object = await sealedObject(3_300_000);
const { body } = object;
const manifest = encodeDocument(object.signed);

/** Sends the first bytes, and leaves when the vault has had time to keep whole blocks of them. */
async function breakOff(mine: Caller, bytes: number): Promise<void> {
  const { stateId, offset } = await mine.openPut({ manifest });
  const leaving = new AbortController();
  async function* brokenOff() {
    yield* inPieces(body.subarray(Number(offset), bytes));
    leaving.abort();
    yield new Uint8Array(1);
  }
  const { signal } = leaving;
  await assert.rejects(mine.write(messagesOf(stateId, brokenOff(), offset), { signal }));
}

/** Announces again, until the vault has noticed that the earlier writer is gone. */
async function announced(mine: Caller) {
  for (;;) {
    try {
      return await mine.openPut({ manifest });
    } catch (error) {
      isError('BUSY', /in already/)(error);
    }
  }
}

async function assertWhole(mine: Caller): Promise<void> {
  const { stateId } = await mine.open({ objectId: object.id });
  const range = wire(0, body.length);
  assert.deepEqual(await bytesOf(mine.read({ stateId, range })), body);
}

test('a writer who left goes on behind what is durable, after a restart of the vault too', async () => {
  const first = await startVault();
  const before = await first.login(owner);
  await breakOff(before, 2_500_000);
  const { offset: early } = await announced(before);
  assert.equal(Number(early) % BLOCK_BYTES_MAX, 0);
  await first.stop();
  const second = await startVault({ folder: first.folder });
  const mine = await second.login(owner);
  const { stateId, offset } = await mine.openPut({ manifest });
  const from = Number(offset);
  assert.ok(from >= BLOCK_BYTES_MAX && from <= 2 * BLOCK_BYTES_MAX, `${from} bytes are kept`);
  const { objectId } = await mine.write(messagesOf(stateId, inPieces(body.subarray(from)), offset));
  assert.equal(objectId, object.id);
  await assertWhole(mine);
});

test('a writer may begin anew all the same, and nowhere else', async () => {
  const vault = await startVault();
  const mine = await vault.login(owner);
  await breakOff(mine, 2_500_000);
  for (const wrong of [1n, BigInt(body.length), 2n ** 60n]) {
    const { stateId } = await announced(mine);
    const refused = isError('USAGE', /does not go on there/);
    await assert.rejects(mine.write(messagesOf(stateId, inPieces(body), wrong)), refused);
  }
  assert.equal(await put(mine, object), object.id);
  await assertWhole(mine);
});

test('a full disk is said, keeps what came, and harms no other object', async () => {
  const other = await sealedObject(100_000);
  let room = Number.POSITIVE_INFINITY;
  const vault = await startVault({
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
  const mine = await vault.login(owner);
  await put(mine, other);
  room = 2 * BLOCK_BYTES_MAX;
  await assert.rejects(put(mine, object), isError('DISK_FULL', /disk of this vault/));
  const { stateId } = await mine.open({ objectId: other.id });
  const range = wire(0, other.body.length);
  assert.deepEqual(await bytesOf(mine.read({ stateId, range })), other.body);
  room = Number.POSITIVE_INFINITY;
  const opened = await announced(mine);
  assert.equal(opened.offset, BigInt(2 * BLOCK_BYTES_MAX));
  const rest = inPieces(body.subarray(2 * BLOCK_BYTES_MAX));
  await mine.write(messagesOf(opened.stateId, rest, opened.offset));
  await assertWhole(mine);
});
