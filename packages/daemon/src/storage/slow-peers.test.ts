/**
 * Slow readers, slow writers and slow disks: what waits for them waits at its source, and memory stays
 * the same. Counted in blocks, which is exact; over TLS.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { encodeDocument } from '@helixmesh/protocol/sealing';
import { openFsBlockstore } from '@helixmesh/vault/node';
import { owner, sealedObject } from '@helixmesh/vault/testing/sealed-object';
import {
  type Bench,
  bytesOf,
  inPieces,
  isError,
  messagesOf,
  put,
  startVault,
  wire,
} from './testing/bench.ts';

const MIB = 2 ** 20;
const object = await sealedObject(20 * MIB);
const { body } = object;
/** What the connection, both ends of it and one block may hold of a body of 20 MiB. */
const ON_ITS_WAY = 8 * MIB;

/** A vault that counts the bytes of its blocks, and whose disk can be made to wait. */
async function countingVault() {
  const count = { read: 0, kept: 0 };
  let disk = Promise.resolve();
  const vault = await startVault({
    async openBlocks(options) {
      const blocks = await openFsBlockstore(options);
      return {
        ...blocks,
        async read(cid, range) {
          count.read += range.end - range.start;
          return await blocks.read(cid, range);
        },
        async put(cid, block) {
          await disk;
          const outcome = await blocks.put(cid, block);
          count.kept += block.length;
          return outcome;
        },
      };
    },
  });
  return {
    vault,
    count,
    /** Every block waits from now on, until what is answered is called. */
    stopDisk(): () => void {
      const { promise, resolve } = Promise.withResolvers<void>();
      disk = promise;
      return resolve;
    },
  };
}

/** Time for whatever can go on to go on: many answers of the same node, one after the other. */
async function meanwhile(vault: Bench): Promise<void> {
  const nobody = vault.nobody();
  for (let i = 0; i < 40; i += 1) await nobody.discover({});
}

test('a reader who stalls is not read ahead for, and gets the rest when they go on', async () => {
  const { vault, count } = await countingVault();
  const mine = await vault.login(owner);
  await put(mine, object);
  const { stateId } = await mine.open({ objectId: object.id });
  const reading = mine.read({ stateId, range: wire(0, body.length) })[Symbol.asyncIterator]();
  const first = await reading.next();
  assert.ok(first.done !== true);
  await meanwhile(vault);
  assert.ok(count.read <= ON_ITS_WAY, `${count.read} bytes were read ahead`);
  const rest = await bytesOf({ [Symbol.asyncIterator]: () => reading });
  const bytes = Buffer.concat([first.value.data, rest]);
  assert.ok(bytes.equals(body));
  assert.equal(count.read, body.length);
});

test('readers who leave make room for others', async () => {
  const { vault } = await countingVault();
  const mine = await vault.login(owner);
  await put(mine, object);
  const { stateId } = await mine.open({ objectId: object.id });
  const range = wire(0, body.length);
  // More than may read at once, each with more than fits on the way.
  for (let left = 0; left < 17; ) {
    try {
      for await (const _ of mine.read({ stateId, range })) break;
      left += 1;
    } catch (error) {
      // The vault has not seen yet that the others are gone.
      isError('BUSY', /read/)(error);
    }
  }
});

test('a disk that stalls holds the writer back', async () => {
  const { vault, stopDisk } = await countingVault();
  const mine = await vault.login(owner);
  const goOn = stopDisk();
  let sent = 0;
  function* counted() {
    for (const piece of inPieces(body)) {
      sent += piece.length;
      yield piece;
    }
  }
  const writing = put(mine, object, counted());
  await meanwhile(vault);
  assert.ok(sent <= ON_ITS_WAY, `${sent} bytes were taken from the writer`);
  assert.ok(sent > 0);
  goOn();
  assert.equal(await writing, object.id);
  assert.equal(sent, body.length);
});

test('what a slow writer has sent is on the disk, all but the last blocks', async () => {
  const { vault, count } = await countingVault();
  const mine = await vault.login(owner);
  let sent = 0;
  async function* slowly() {
    for (const piece of inPieces(body, MIB)) {
      yield piece;
      sent += piece.length;
      // The next MiB is given when what came two of them before has been kept.
      while (count.kept < sent - 3 * MIB) await meanwhile(vault);
    }
  }
  assert.equal(await put(mine, object, slowly()), object.id);
  assert.ok(count.kept >= body.length);
});

test('a large body that is refused at once is not taken to its end', async () => {
  const { vault } = await countingVault();
  const mine = await vault.login(owner);
  let sent = 0;
  function* counted() {
    for (const piece of inPieces(body)) {
      sent += piece.length;
      yield piece;
    }
  }
  const unknown = new Uint8Array(16);
  await assert.rejects(mine.write(messagesOf(unknown, counted())), isError('LEASE_EXPIRED'));
  assert.ok(sent < body.length, `${sent} bytes were taken from the writer`);
});

test('as many bodies as one key may read at once do, and no more', async () => {
  const { vault } = await countingVault();
  const mine = await vault.login(owner);
  await put(mine, object);
  const { stateId } = await mine.open({ objectId: object.id });
  const start = () => mine.read({ stateId, range: wire(0, body.length) })[Symbol.asyncIterator]();
  const readings = Array.from({ length: 16 }, start);
  await Promise.all(readings.map((reading) => reading.next()));
  await assert.rejects(start().next(), isError('BUSY', /read/));
  await Promise.all(readings.map((reading) => reading.return?.(undefined)));
});

test('as many bodies as one key may write at once come in, and no more', async () => {
  const { vault, stopDisk } = await countingVault();
  const mine = await vault.login(owner);
  const objects = await Promise.all([1, 2, 3, 4, 5].map((i) => sealedObject(i * MIB)));
  const goOn = stopDisk();
  const first = objects.slice(0, 4).map((each) => put(mine, each));
  await meanwhile(vault);
  const [last] = objects.slice(-1);
  assert.ok(last !== undefined);
  const { stateId } = await mine.openPut({ manifest: encodeDocument(last.signed) });
  const fifth = mine.write(messagesOf(stateId, inPieces(last.body)));
  await assert.rejects(fifth, isError('BUSY', /come in/));
  goOn();
  await Promise.all(first);
});
