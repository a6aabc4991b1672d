import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { temporaryFolder } from '../testing/temporary-folder.ts';
import { lockDataFolder } from './lock.ts';

const root = temporaryFolder('lock');
const lockFile = () => join(mkdtempSync(join(root, 'data-')), 'node.lock');

/** A process that takes the lock, says so or that it could not, and holds it until it is killed. */
function holder(file: string) {
  const script = `
    const { lockDataFolder } = await import(${JSON.stringify(import.meta.resolve('./lock.ts'))});
    try { await lockDataFolder(process.argv[1]); console.log('held'); }
    catch (error) { console.log(error.code); }
    setInterval(() => {}, 1000);`;
  const options = ['--conditions=development', '--disable-warning=ExperimentalWarning'];
  const args = [...options, '--input-type=module', '-e', script, file];
  const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit'] });
  const said = once(child.stdout, 'data').then(([text]) => String(text).trim());
  return { child, said };
}

test('a data folder has one holder at a time', async () => {
  const file = lockFile();
  const lock = await lockDataFolder(file);
  assert.equal(lock.wasHeld, false);
  await assert.rejects(lockDataFolder(file), { code: 'DATA_IN_USE', message: /^process \d+ runs/ });
  await lock.release();
  const again = await lockDataFolder(file);
  assert.equal(again.wasHeld, false, 'it was released in order');
  await again.release();
});

test('of several that start at once one gets the lock; when it is killed the next one knows', async (t) => {
  const file = lockFile();
  const holders = [1, 2, 3].map(() => holder(file));
  t.after(() => holders.map(({ child }) => child.kill('SIGKILL')));
  const said = await Promise.all(holders.map((each) => each.said));
  assert.deepEqual(said.toSorted(), ['DATA_IN_USE', 'DATA_IN_USE', 'held']);
  await assert.rejects(lockDataFolder(file), { code: 'DATA_IN_USE' });
  const winner = holders[said.indexOf('held')]?.child;
  winner?.kill('SIGKILL');
  if (winner !== undefined) await once(winner, 'exit');
  const lock = await lockDataFolder(file);
  assert.equal(lock.wasHeld, true);
  await lock.release();
});

test('a torn record of the holder still tells that it did not end in order', async () => {
  const file = lockFile();
  writeFileSync(`${file}.holder`, '{"pid":1');
  const lock = await lockDataFolder(file);
  assert.equal(lock.wasHeld, true);
  await lock.release();
});
