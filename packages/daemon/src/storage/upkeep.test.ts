import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { inChunks } from '@helixmesh/protocol/testing/bytes';
import { memoryVault, sealedObject, tombstoneOf } from '@helixmesh/vault/testing/sealed-object';
import type { Logger } from '../node/logger.ts';
import { temporaryFolder } from '../testing/temporary-folder.ts';
import { startUpkeep, type UpkeepOptions } from './upkeep.ts';

const object = await sealedObject(200_000);
const folder = temporaryFolder('upkeep');
const NOW = 2_000_000_000_000;
let vaults = 0;

/** Upkeep of a vault in memory; `said` resolves when something of that message was logged. */
async function upkeepOf(changes: Partial<UpkeepOptions> = {}) {
  const vault = await memoryVault();
  await vault.catalogue.put(object.signed, inChunks(object.body, 100_000));
  const waiting = new Map<string, () => void>();
  const seen: string[] = [];
  const log = (_facts: unknown, message = '') => {
    seen.push(message);
    waiting.get(message)?.();
  };
  const logger = { debug: log, info: log, warn: log, error: log } as unknown as Logger;
  const said = (message: string) =>
    new Promise<void>((resolve) => waiting.set(message, () => resolve()));
  vaults += 1;
  const scrubbedFile = join(folder, `${vaults}`);
  const { catalogue, blocks } = vault;
  const clock = { nowMs: NOW };
  const start = () =>
    startUpkeep({
      ...{ catalogue, blocks, logger, scrubbedFile, everyMs: 5, graceMs: 0 },
      now: () => clock.nowMs,
      ...changes,
    });
  return { vault, said, start, clock, seen, scrubbedFile };
}

test('what no object names is collected, again and again', async () => {
  const { vault, said, start } = await upkeepOf();
  await vault.catalogue.delete(await tombstoneOf(object));
  assert.ok(vault.held.size > 0);
  const upkeep = start();
  await said('collected');
  await said('collected');
  assert.equal(vault.held.size, 0);
  assert.equal(upkeep.trouble, undefined);
  await upkeep.stop();
});

test('blocks that objects need and that are lost are said', async () => {
  const { vault, said, start } = await upkeepOf();
  vault.held.delete(vault.catalogue.stat(object.id)?.bodyCid ?? ('' as never));
  const upkeep = start();
  await said('the vault needs its operator');
  assert.match(upkeep.trouble ?? '', /1 blocks that objects need are lost/);
  await upkeep.stop();
});

test('a scrub is made when one is due, over restarts too', async () => {
  const { said, start, seen, clock, scrubbedFile } = await upkeepOf({ scrubEveryMs: 1_000 });
  const first = start();
  await said('scrubbed');
  await first.stop();
  assert.equal(await readFile(scrubbedFile, 'utf8'), `${NOW}\n`);
  seen.length = 0;
  const second = start();
  await said('collected');
  await said('collected');
  assert.ok(!seen.includes('scrubbed'));
  clock.nowMs += 1_000;
  await said('scrubbed');
  await second.stop();
});

test('a vault that stops does not wait for a scrub to read everything', async () => {
  const { vault, start } = await upkeepOf();
  const reading = Promise.withResolvers<void>();
  const goOn = Promise.withResolvers<void>();
  let reads = 0;
  const get = vault.blocks.get;
  vault.blocks.get = async (cid) => {
    reads += 1;
    reading.resolve();
    await goOn.promise;
    return await get(cid);
  };
  const upkeep = start();
  await reading.promise;
  const stopped = upkeep.stop();
  goOn.resolve();
  await stopped;
  assert.equal(reads, 1);
});
