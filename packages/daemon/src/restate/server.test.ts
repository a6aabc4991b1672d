import assert from 'node:assert/strict';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { temporaryFolder } from '../testing/temporary-folder.ts';
import { engineRequest } from './engine-http.ts';
import { startRestateServer } from './server.ts';

const folder = temporaryFolder('engine');

test('a server that a killed daemon left behind gives way, whether it was recorded or not', async () => {
  const record = join(folder, 'server.pid');
  const recorded = await startRestateServer(folder);
  const unrecorded = await startRestateServer(folder);
  await recorded.exited;
  // As if the daemon had died between the start and the record.
  await rm(record);
  const last = await startRestateServer(folder);
  await unrecorded.exited;
  const health = await engineRequest(last.admin, { method: 'GET', path: '/health' });
  assert.equal(health.status, 200);
  await last.stop();
});
