import assert from 'node:assert/strict';
import { test } from 'node:test';
import { nodeCrypto } from '@helixmesh/protocol/node';
import { type ByteSource, documentId } from '@helixmesh/protocol/sealing';
import { collect, flipped, inChunks, isAppError } from '@helixmesh/protocol/testing/bytes';
import * as fc from 'fast-check';
import { BLOCK_BYTES_MAX } from '../limits.ts';
import { memoryVault, owner, sealedObject } from '../testing/sealed-object.ts';
import { collectGarbage } from '../upkeep/collect.ts';
import { openCatalogue } from './catalogue.ts';
import { memoryPartialStore } from './partial-store.ts';

const object = await sealedObject(3_300_000);
const { signed, body } = object;

async function vaultOf() {
  let nowMs = () => 0;
  const partials = memoryPartialStore(() => nowMs());
  const vault = await memoryVault({ partials });
  nowMs = () => vault.clock.nowMs;
  /** What another process opens of it. */
  const reopen = () => openCatalogue(vault.options);
  return { ...vault, partials, reopen };
}

/** The bytes from `from` on, until `upTo` of the body were given: then the sender is gone. */
async function* until(from: number, upTo: number, bytes = body): AsyncGenerator<Uint8Array> {
  yield* inChunks(bytes.subarray(from, upTo), 70_000);
  if (upTo < bytes.length) assert.fail('gone');
}

test('wherever a body breaks off, however often, the rest makes it whole', async () => {
  const breaks = fc.array(fc.integer({ min: 0, max: body.length - 1 }), { maxLength: 5 });
  await fc.assert(
    fc.asyncProperty(breaks, async (points) => {
      const { reopen } = await vaultOf();
      let sent = 0;
      for (const upTo of points) {
        const catalogue = await reopen();
        const from = await catalogue.heldBytes(signed);
        sent += Math.max(0, upTo - from);
        await assert.rejects(
          catalogue.put(signed, until(from, Math.max(from, upTo)), from),
          /gone/,
        );
        assert.equal(catalogue.stat(object.id), undefined);
      }
      const catalogue = await reopen();
      const from = await catalogue.heldBytes(signed);
      const furthest = Math.max(0, ...points);
      assert.ok(from > furthest - BLOCK_BYTES_MAX - 70_000, 'all but the last block was kept');
      const outcome = await catalogue.put(signed, until(from, body.length), from);
      assert.equal(outcome.status, 'stored');
      assert.ok(sent <= body.length + points.length * (BLOCK_BYTES_MAX + 70_000));
      const opened = await catalogue.open(object.id);
      assert.deepEqual(
        await collect((opened ?? assert.fail()).read({ start: 0, end: body.length })),
        body,
      );
      assert.deepEqual(await collect((opened ?? assert.fail()).tags()), object.tags);
      assert.equal(catalogue.used(owner.address).bytes, body.length);
    }),
    { numRuns: 25 },
  );
});

test('a body of which all is here but its record needs no more bytes', async () => {
  const vault = await vaultOf();
  const records = { ...vault.options.records, write: () => assert.fail('gone') };
  const dying = await openCatalogue({ ...vault.options, records });
  await assert.rejects(dying.put(signed, inChunks(body, 100_000)), /gone/);
  assert.equal(await vault.catalogue.heldBytes(signed), body.length);
  const outcome = await vault.catalogue.put(signed, inChunks(body.subarray(0, 0), 1), body.length);
  assert.equal(outcome.status, 'stored');
  assert.equal(await vault.catalogue.heldBytes(signed), 0, 'what was noted is deleted');
});

test('what came of another body is not gone on with', async () => {
  const { catalogue } = await vaultOf();
  const wrong = flipped(body, 1_000_000);
  await assert.rejects(catalogue.put(signed, until(0, 2_500_000, wrong)), /gone/);
  const from = await catalogue.heldBytes(signed);
  assert.equal(from, 2 * BLOCK_BYTES_MAX);
  const rest = until(from, body.length);
  await assert.rejects(catalogue.put(signed, rest, from), isAppError('CIPHERTEXT_INVALID'));
  assert.equal(await catalogue.heldBytes(signed), 0);
  assert.equal((await catalogue.put(signed, until(0, body.length))).status, 'stored');
});

test('a kept block that was damaged or lost is asked for again', async () => {
  for (const change of ['flip', 'drop']) {
    const { catalogue, held, partials } = await vaultOf();
    await assert.rejects(catalogue.put(signed, until(0, 3_200_000)), /gone/);
    const [, second] = await partials.read(documentId(nodeCrypto, signed.document));
    const { block } = held.get(second as never) ?? assert.fail();
    assert.equal(await catalogue.heldBytes(signed), 3 * BLOCK_BYTES_MAX);
    if (change === 'flip') held.set(second as never, { block: flipped(block, 5), putAtMs: 0 });
    else held.delete(second as never);
    const from = 3 * BLOCK_BYTES_MAX;
    const late: ByteSource = until(from, body.length);
    await assert.rejects(catalogue.put(signed, late, from), isAppError('LEASE_EXPIRED'));
    assert.equal(await catalogue.heldBytes(signed), BLOCK_BYTES_MAX);
    const again = until(BLOCK_BYTES_MAX, body.length);
    assert.equal((await catalogue.put(signed, again, BLOCK_BYTES_MAX)).status, 'stored');
  }
});

test('bodies that broke off are forgotten with their blocks, after the grace period', async () => {
  const { catalogue, blocks, held, clock } = await vaultOf();
  await assert.rejects(catalogue.put(signed, until(0, 2_500_000)), /gone/);
  const collected = () =>
    collectGarbage({ catalogue, blocks, now: () => clock.nowMs, graceMs: 1_000 });
  await collected();
  assert.equal(await catalogue.heldBytes(signed), 2 * BLOCK_BYTES_MAX);
  clock.nowMs += 900;
  const late = until(2 * BLOCK_BYTES_MAX, 3_200_000);
  await assert.rejects(catalogue.put(signed, late, 2 * BLOCK_BYTES_MAX), /gone/);
  clock.nowMs += 900;
  await collected();
  assert.equal(await catalogue.heldBytes(signed), 3 * BLOCK_BYTES_MAX, 'the old ones stay too');
  clock.nowMs += 200;
  await collected();
  assert.deepEqual([held.size, await catalogue.heldBytes(signed)], [0, 0]);
});
