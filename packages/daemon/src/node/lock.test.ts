import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { writeProcessRecord } from '../supervision/process-record.ts';
import { temporaryFolder } from '../testing/temporary-folder.ts';
import { lockDataFolder } from './lock.ts';

const root = temporaryFolder('lock');
const lockFile = () => join(mkdtempSync(join(root, 'data-')), 'node.lock');

test('a data folder has one holder at a time', async () => {
  const file = lockFile();
  const lock = await lockDataFolder(file);
  assert.equal(lock.wasHeld, false);
  await assert.rejects(lockDataFolder(file), { code: 'DATA_IN_USE' });
  await lock.release();
  const again = await lockDataFolder(file);
  assert.equal(again.wasHeld, false, 'it was released in order');
});

test('the lock of a killed process is taken over, and the new holder knows', async () => {
  const file = lockFile();
  const child = spawn('sleep', ['1000']);
  await writeProcessRecord(file, child.pid ?? 0);
  await assert.rejects(lockDataFolder(file), { code: 'DATA_IN_USE' });
  child.kill('SIGKILL');
  await once(child, 'exit');
  assert.equal((await lockDataFolder(file)).wasHeld, true);
});

test('a recycled process number is no holder, nor is the same one of another boot', async () => {
  for (const change of [{ startTicks: '1' }, { bootId: 'another' }]) {
    const file = lockFile();
    await writeProcessRecord(file, process.pid);
    const record = JSON.parse(readFileSync(file, 'utf8'));
    writeFileSync(file, JSON.stringify({ ...record, ...change }));
    assert.equal((await lockDataFolder(file)).wasHeld, true);
  }
});

test('a torn lock holds nobody off, and tells that its holder did not end in order', async () => {
  const file = lockFile();
  writeFileSync(file, '{"pid":1');
  assert.equal((await lockDataFolder(file)).wasHeld, true);
});
