import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { temporaryFolder } from '../testing/temporary-folder.ts';
import {
  isAlive,
  isThisBoot,
  type ProcessRecord,
  readProcessRecord,
  writeProcessRecord,
} from './process-record.ts';

const folder = temporaryFolder('record');

async function recordOf(pid: number): Promise<ProcessRecord> {
  const path = join(folder, `${pid}.json`);
  await writeProcessRecord(path, pid);
  const record = await readProcessRecord(path);
  assert.ok(record !== null);
  return record;
}

test('a process is known by its record until it ends', async () => {
  const child = spawn('sleep', ['1000']);
  const record = await recordOf(child.pid ?? 0);
  assert.equal(await isAlive(record), true);
  child.kill('SIGKILL');
  await once(child, 'exit');
  assert.equal(await isAlive(record), false);
});

test('a recycled pid is another process', async () => {
  const record = await recordOf(process.pid);
  assert.equal(await isAlive(record), true);
  assert.equal(await isAlive({ ...record, startTicks: '1' }), false);
});

test('the same pid and start in another boot is another process', async () => {
  const record = await recordOf(process.pid);
  const other = { ...record, bootId: '00000000-0000-0000-0000-000000000000' };
  assert.equal(await isThisBoot(record), true);
  assert.equal(await isThisBoot(other), false);
  assert.equal(await isAlive(other), false);
  assert.equal(await isAlive({ ...record, bootId: null }), false);
});

test('an absent, torn or strange file is no record', async () => {
  const path = join(folder, 'strange.json');
  assert.equal(await readProcessRecord(path), null);
  const fields = '"startTicks":"1","bootId":"b"';
  const texts = ['', '{"pid":12,"sta', 'null', '[]', `{"pid":0,${fields}}`, `{"pid":-1,${fields}}`];
  for (const text of [...texts, `{"pid":"12",${fields}}`, '{"pid":12,"startTicks":"1"}']) {
    writeFileSync(path, text);
    assert.equal(await readProcessRecord(path), null, text);
  }
});

test('a record is written whole, for its owner alone, and leaves nothing beside it', async () => {
  await recordOf(process.pid);
  assert.equal(statSync(join(folder, `${process.pid}.json`)).mode & 0o777, 0o600);
  assert.deepEqual(
    readdirSync(folder).filter((name) => !name.endsWith('.json')),
    [],
  );
});
