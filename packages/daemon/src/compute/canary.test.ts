/** A canary as both ends run it, with real tools. */
import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { nodeCrypto } from '@helixmesh/protocol/node';
import { networkId } from '@helixmesh/protocol/sealing';
import { CANARY_GENOME } from '../coordination/limits.ts';
import { temporaryFolder } from '../testing/temporary-folder.ts';
import { type CanaryRun, lackingForCanary, runCanary } from './canary.ts';

const LONG = { timeout: 480_000 };
const LOOK_MS = 20;
const root = temporaryFolder('canary');
const network = networkId(nodeCrypto, { name: 'test' });

function run(name: string, change: Partial<CanaryRun> = {}) {
  const folder = join(root, name);
  const digest = runCanary({
    ...{ folder, network, crypto: nodeCrypto },
    genome: { seed: 7, ...CANARY_GENOME },
    config: { cores: 1, limitsFactor: 1 },
    signal: new AbortController().signal,
    ...change,
  });
  return { folder, digest };
}

test(
  'two machines have the same answer to a canary, and another one to another',
  LONG,
  async () => {
    assert.equal(await lackingForCanary(), null);
    const one = run('one');
    const digest = await one.digest;
    assert.equal(existsSync(one.folder), false);
    const config = { cores: 2, limitsFactor: 2 };
    assert.equal(await run('two', { config }).digest, digest);
    const genome = { seed: 8, ...CANARY_GENOME };
    assert.notEqual(await run('three', { genome }).digest, digest);
  },
);

test('a canary that is cut off leaves nothing', LONG, async () => {
  const cut = new AbortController();
  const { folder, digest } = run('four', { signal: cut.signal });
  const refused = assert.rejects(digest, { code: 'CANCELED' });
  while (!existsSync(join(folder, 'reads'))) await delay(LOOK_MS);
  cut.abort();
  await refused;
  assert.equal(existsSync(folder), false);
});
