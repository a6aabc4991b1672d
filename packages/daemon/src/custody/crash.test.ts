/**
 * What is left of a custody whose process is killed. SIGKILL takes the process, not the machine: what
 * SQLite and fsync promise for a loss of power is not shown here.
 */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import type { Digest } from '@helixmesh/protocol';
import { nodeCrypto } from '@helixmesh/protocol/node';
import { makeX25519KeyPair, openHeader, toHex } from '@helixmesh/protocol/sealing';
import { network, START_MS, sealedDataset, walletNamed } from '../testing/sealed-dataset.ts';
import { temporaryFolder } from '../testing/temporary-folder.ts';
import { openCustody } from './custody.ts';

const PROCESS = fileURLToPath(new URL('./testing/custody-process.ts', import.meta.url));
type SealedDataset = Awaited<ReturnType<typeof sealedDataset>>;
/** Each is a process of its own, some half a second. */
const KILLS = 12;
const root = temporaryFolder('custody-crash');
const newFolder = () => mkdtempSync(join(root, 'data-'));
const me = makeX25519KeyPair(nodeCrypto);

const open = (folder: string) =>
  openCustody({ folder, crypto: nodeCrypto, network, now: () => START_MS });

/** A backup of another machine with two datasets in it. */
async function backupFile() {
  const custody = await open(newFolder());
  const owner = walletNamed('owner');
  const datasets = [
    await sealedDataset(owner, custody.publicKey),
    await sealedDataset(owner, custody.publicKey),
  ];
  for (const dataset of datasets) custody.addDataset(dataset);
  const path = join(root, 'keys.backup');
  writeFileSync(path, await custody.backup('a passphrase'));
  custody.close();
  return { path, datasets };
}

/** What the process has said until it ended, line by line as words. */
function run(folder: string, backup: string, killAt: number) {
  const args = ['--conditions=development', '--disable-warning=ExperimentalWarning', PROCESS];
  const child = spawnSync(process.execPath, [...args, folder, backup, String(killAt)], {
    encoding: 'utf8',
  });
  const wasKilled = child.signal === 'SIGKILL';
  if (!wasKilled) assert.equal(child.status, 0, child.stderr);
  return { wasKilled, said: child.stdout.split('\n').map((line) => line.split(' ')) };
}

/** Everything that was said holds. */
async function check(folder: string, said: readonly (readonly string[])[]): Promise<void> {
  const custody = await open(folder);
  for (const [what, id = '', key] of said) {
    const digest = id as Digest;
    if (what === 'key') assert.equal(toHex(custody.publicKey), id);
    if (what === 'added') {
      const state = custody.getDataset(digest)?.state;
      if (state === 'shredded') {
        assert.throws(() => custody.openOwn(digest, me.publicKey), { code: 'KEY_NOT_HELD' });
        continue;
      }
      const { header } = custody.openOwn(digest, me.publicKey);
      const [dataKey = assert.fail()] = openHeader(nodeCrypto, header, me).dataKeys;
      assert.equal(toHex(dataKey), key);
    }
    if (what === 'shredded') assert.equal(custody.getDataset(digest)?.state, 'shredded');
    if (what === 'stored') assert.notEqual(custody.getDataset(digest)?.state, 'pending');
    if (what === 'granted') assert.ok(custody.listGrants().some((grant) => grant.id === id));
    if (what === 'head') assert.ok(custody.headOwners().length === 1);
    if (what === 'released') {
      assert.ok(custody.accessLog({ dataset: digest }).some((one) => one.outcome === 'released'));
    }
  }
  custody.close();
}

/** How many of those datasets are here, each with its keys. */
async function restored(folder: string, datasets: readonly SealedDataset[]): Promise<number> {
  const custody = await open(folder);
  const here = datasets.filter(({ id }) => custody.getDataset(id) !== undefined);
  for (const { id, keys } of here) {
    const { header } = custody.openOwn(id, me.publicKey);
    assert.deepEqual(openHeader(nodeCrypto, header, me).dataKeys, keys);
  }
  custody.close();
  return here.length;
}

test('killed in the midst of anything, a custody has every key that was said to be in it, and goes on', async (t) => {
  const backup = await backupFile();
  const whole = run(newFolder(), backup.path, 0);
  const asked = Number(whole.said.find(([what]) => what === 'asked')?.[1]);
  assert.ok(asked > KILLS, `${asked} calls of its ports`);
  // Each process goes on where the one before it was killed, and is killed later than that one. What
  // goes on asks less often than what begins, so the last ones begin.
  let folder = newFolder();
  let all: (readonly string[])[] = [];
  const points: string[] = [];
  for (let kill = 0; kill < KILLS; kill += 1) {
    const share = (0.99 * kill) / (KILLS - 1);
    if (share > 0.8) [folder, all] = [newFolder(), []];
    const killAt = 1 + Math.floor(share * asked);
    const { said, wasKilled } = run(folder, backup.path, killAt);
    assert.ok(wasKilled, `at call ${killAt}`);
    points.push(said.at(-2)?.[0] ?? 'nothing');
    all.push(...said);
    await check(folder, all);
    const count = await restored(folder, backup.datasets);
    assert.ok(count === 0 || count === backup.datasets.length, `${count} of a restore`);
  }
  all.push(...run(folder, backup.path, 0).said);
  await check(folder, all);
  assert.equal(await restored(folder, backup.datasets), backup.datasets.length);
  t.diagnostic(`${asked} points, killed after: ${points.join(', ')}`);
  assert.ok(new Set(points).size >= 4, 'the kills are spread over the effects');
  const left = readdirSync(join(folder, 'identity')).filter((name) => !name.includes('.key.'));
  assert.deepEqual(left, ['encryption.key']);
});
