import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { processStart } from '../restate/stale-process.ts';
import { lockDataFolder } from './lock.ts';

const lockFile = () => join(mkdtempSync(join(tmpdir(), 'helixmesh-lock-')), 'node.lock');

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
  const pid = child.pid ?? 0;
  writeFileSync(file, JSON.stringify({ pid, start: await processStart(pid) }));
  await assert.rejects(lockDataFolder(file), { code: 'DATA_IN_USE' });
  child.kill('SIGKILL');
  await once(child, 'exit');
  assert.equal((await lockDataFolder(file)).wasHeld, true);
});

test('a recycled process number is no holder', async () => {
  const file = lockFile();
  writeFileSync(file, JSON.stringify({ pid: process.pid, start: '1' }));
  assert.equal((await lockDataFolder(file)).wasHeld, true);
});
