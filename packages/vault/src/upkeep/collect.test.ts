import assert from 'node:assert/strict';
import { test } from 'node:test';
import { nodeCrypto } from '@helixmesh/protocol/node';
import { documentId, signDocument } from '@helixmesh/protocol/sealing';
import { collect, flipped, inChunks } from '@helixmesh/protocol/testing/bytes';
import * as fc from 'fast-check';
import type { Cid } from '../blocks/cid.ts';
import type { MemoryBlock } from '../blocks/memory-blockstore.ts';
import { openCatalogue } from '../objects/catalogue.ts';
import { putRaw } from '../testing/blockstore-compliance.ts';
import { all, someBytes } from '../testing/bytes.ts';
import { memoryVault, owner, sealedObject, tombstoneOf } from '../testing/sealed-object.ts';
import { collectGarbage } from './collect.ts';

const GRACE_MS = 60_000;
const large = await sealedObject(1_200_000);
const shared = await sealedObject(100);
/** Another object with the same body. */
const twin = await (async () => {
  const manifest = { ...shared.signed.document, nonce: 'ff'.repeat(16) };
  const id = documentId(nodeCrypto, manifest);
  return { ...shared, id, signed: await signDocument(owner, manifest) };
})();

type Vault = Awaited<ReturnType<typeof memoryVault>>;

function gc({ catalogue, blocks, clock }: Vault, graceMs = GRACE_MS) {
  return collectGarbage({ catalogue, blocks, now: () => clock.nowMs, graceMs });
}

test('what no object names is swept after the grace period, and nothing else', async () => {
  const vault = await memoryVault();
  const { catalogue, blocks, clock, held } = vault;
  await catalogue.put(large.signed, inChunks(large.body, 50_000));
  const needed = held.size;
  await putRaw(blocks, someBytes(500));
  assert.deepEqual(await gc(vault), { status: 'collected', blocks: 0, bytes: 0 });
  clock.nowMs += GRACE_MS;
  assert.deepEqual(await gc(vault), { status: 'collected', blocks: 1, bytes: 500 });
  assert.equal(held.size, needed);
  await catalogue.delete(await tombstoneOf(large));
  const bytes = held.values().reduce((sum, { block }) => sum + block.length, 0);
  assert.deepEqual(await gc(vault), { status: 'collected', blocks: needed, bytes });
  assert.equal(held.size, 0);
});

test('a body that comes in stays however long it takes, and goes once it broke off', async () => {
  const vault = await memoryVault();
  const { catalogue, clock, held } = vault;
  const half = Promise.withResolvers<void>();
  const more = Promise.withResolvers<void>();
  async function* slow() {
    yield large.body.subarray(0, 1_100_000);
    yield large.body.subarray(1_100_000, 1_150_000);
    half.resolve();
    await more.promise;
    assert.fail('the peer is gone');
  }
  const putting = catalogue.put(large.signed, slow());
  await half.promise;
  assert.ok(held.size > 0);
  clock.nowMs += 10 * GRACE_MS;
  assert.deepEqual(await gc(vault), { status: 'collected', blocks: 0, bytes: 0 });
  more.resolve();
  await assert.rejects(putting, /peer is gone/);
  const swept = await gc(vault);
  assert.equal(swept.status === 'collected' && swept.blocks > 0, true);
  assert.equal(held.size, 0);
});

test('a body of two objects stays until both are deleted', async () => {
  const vault = await memoryVault();
  const { catalogue, clock } = vault;
  for (const each of [shared, twin]) await catalogue.put(each.signed, inChunks(each.body, 1_000));
  await catalogue.delete(await tombstoneOf(shared));
  clock.nowMs += 2 * GRACE_MS;
  await gc(vault);
  const opened = await catalogue.open(twin.id);
  assert.ok(opened !== undefined);
  const whole = { start: 0, end: twin.body.length };
  assert.deepEqual(await collect(opened.read(whole)), twin.body);
});

test('while a record or a node cannot be read, nothing is swept', async () => {
  const vault = await memoryVault();
  const { catalogue, clock, held, kept, blocks } = vault;
  await catalogue.put(large.signed, inChunks(large.body, 50_000));
  await putRaw(blocks, someBytes(500));
  clock.nowMs += 2 * GRACE_MS;
  const root = large.signed.document.bodyCid as Cid;
  const node = held.get(root) as MemoryBlock;
  held.set(root, { ...node, block: flipped(node.block, 9) });
  assert.deepEqual(await gc(vault), { status: 'refused', reason: 'damaged_node' });
  held.delete(root);
  assert.deepEqual(await gc(vault), { status: 'refused', reason: 'damaged_node' });
  held.set(root, node);
  kept.set(large.id, flipped(kept.get(large.id) as Uint8Array, 30));
  const damaged = await openCatalogue(vault.options);
  const later = { ...vault, catalogue: damaged };
  assert.deepEqual(await gc(later), { status: 'refused', reason: 'damaged_record' });
  assert.equal((await all(blocks.list())).length, held.size);
});

/** A store each call of which waits until it is let on, in an order that is drawn. */
function shuffledVault(s: fc.Scheduler) {
  const at = <T>(name: string, work: () => Promise<T>) =>
    s.schedule(Promise.resolve(), name).then(work);
  return memoryVault().then(async (vault) => {
    const { blocks, records } = vault.options;
    const shuffled = {
      ...vault.options,
      blocks: {
        ...blocks,
        // The order of calls is the store's promise (B3): waiting comes after the effect.
        async put(cid: Cid, block: Uint8Array) {
          const answer = await blocks.put(cid, block);
          await s.schedule(Promise.resolve(), 'put');
          return answer;
        },
        async delete(cid: Cid) {
          const answer = await blocks.delete(cid);
          await s.schedule(Promise.resolve(), 'delete');
          return answer;
        },
        get: (cid: Cid) => at('get', () => blocks.get(cid)),
      },
      records: {
        ...records,
        write: (...args: Parameters<typeof records.write>) =>
          at('write', () => records.write(...args)),
      },
    };
    return { ...vault, blocks: shuffled.blocks, catalogue: await openCatalogue(shuffled) };
  });
}

test('no interleaving of puts, deletes and collections loses a block that an object needs', async () => {
  const pool = [large, shared, twin, await sealedObject(0)];
  const step = fc.tuple(fc.constantFrom('put', 'put', 'delete', 'gc'), fc.nat(pool.length - 1));
  await fc.assert(
    fc.asyncProperty(
      fc.scheduler(),
      fc.array(step, { minLength: 4, maxLength: 10 }),
      async (s, steps) => {
        const vault = await shuffledVault(s);
        const { catalogue, clock } = vault;
        const running = steps.map(async ([what, which]) => {
          const object = pool[which] as typeof large;
          await s.schedule(Promise.resolve(), what);
          clock.nowMs += 1_000;
          if (what === 'put') await catalogue.put(object.signed, inChunks(object.body, 700_000));
          else if (what === 'delete') await catalogue.delete(await tombstoneOf(object));
          else await sweep();
        });
        // No grace at all, and a clock that runs ahead: pins alone must hold.
        const sweep = () => gc(vault, -10_000_000);
        await s.waitFor(Promise.all(running));
        await s.waitFor(sweep());
        for (const { id, bodyBytes } of catalogue.list()) {
          const read = async () => {
            const opened = await catalogue.open(id);
            assert.ok(opened !== undefined);
            const bytes = await collect(opened.read({ start: 0, end: bodyBytes }));
            const tags = await collect(opened.tags());
            return { bytes, tags };
          };
          const { bytes, tags } = await s.waitFor(read());
          const object = pool.find((each) => each.id === id) as typeof large;
          assert.ok(
            Buffer.from(bytes).equals(object.body) && Buffer.from(tags).equals(object.tags),
          );
        }
        for (const facts of catalogue.list()) {
          await s.waitFor(catalogue.delete(await tombstoneOf(facts)));
        }
        await s.waitFor(sweep());
        assert.equal(vault.held.size, 0, 'what nothing names any more is swept');
      },
    ),
    { numRuns: 25 },
  );
});
