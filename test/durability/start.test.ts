import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { nodePaths } from '@helixmesh/daemon/data-folder';
import { ERROR_TABLE } from '@helixmesh/protocol';
import { cleanUp, runCli, startDaemon } from '../support/daemon.ts';

/** A start that fails must end: a process that stays without a node in it is restarted by nobody. */
const ENDS = { timeout: 60_000 };

async function dataFolder(t: TestContext): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'hm-start-'));
  t.after(() => rm(folder, { recursive: true, force: true, maxRetries: 5 }));
  return join(folder, 'data');
}

test('a second node on a data folder says who is there and ends', ENDS, async (t) => {
  const dataDir = await dataFolder(t);
  const daemon = await startDaemon({ dataDir });
  t.after(() => cleanUp(dataDir, daemon));
  const second = await runCli(dataDir, ['up']);
  assert.equal(second.code, ERROR_TABLE.DATA_IN_USE.exit, second.stderr);
  assert.match(second.stderr, new RegExp(`process ${daemon.pid} `));
  assert.equal((await daemon.client.call('getHealth', { params: {} })).pid, daemon.pid);
});

test(
  'a node whose engine cannot start ends, and leaves the data folder to the next',
  ENDS,
  async (t) => {
    const dataDir = await dataFolder(t);
    const daemon = await startDaemon({ dataDir });
    await daemon.terminate();
    const { restateDir, lockFile } = nodePaths(dataDir);
    await rm(restateDir, { recursive: true });
    await writeFile(restateDir, 'no folder');
    const failed = await runCli(dataDir, ['up']);
    assert.notEqual(failed.code, 0);
    assert.match(failed.stderr, /^error: /);
    await rm(restateDir);
    await assert.rejects(rm(`${lockFile}.holder`), { code: 'ENOENT' });
    const next = await startDaemon({ dataDir });
    await cleanUp(dataDir, next);
  },
);
