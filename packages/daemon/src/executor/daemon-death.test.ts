import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { probeSandbox } from '@helixmesh/pipelines';
import { recordProcess } from './leftover-process.ts';
import { sweepScratch } from './sweep.ts';
import { Bench, ISOLATIONS, processesWith, until } from './testing/bench.ts';

const DAEMON = fileURLToPath(new URL('./testing/daemon.ts', import.meta.url));

for (const isolation of ISOLATIONS) {
  test(`${isolation}: kill -9 of the daemon leaves no tool behind`, async (t) => {
    if (isolation === 'bubblewrap' && !(await probeSandbox()).available) {
      return t.skip('SKIPPED: bubblewrap does not work here');
    }
    await using bench = await Bench.create();
    const mark = `helixmesh-orphan-${isolation}-${process.pid}`;
    const args = ['--conditions=development', DAEMON, bench.root, isolation, mark];
    const daemon = spawn(process.execPath, args, { stdio: 'ignore' });
    await until(async () => (await processesWith(mark)).length >= 3);
    daemon.kill('SIGKILL');
    await once(daemon, 'exit');
    await until(async () => (await processesWith(mark)).length === 0);
    assert.equal(await sweepScratch(bench.scratchRoot), 1);
    assert.deepEqual(await bench.scratch(), []);
  });
}

test('sweeping kills a recorded process group and spares a recycled pid', async (t) => {
  if (!existsSync('/proc/self/stat')) return;
  await using bench = await Bench.create();
  const folder = join(bench.scratchRoot, 'att_0000000000000001');
  const other = join(bench.scratchRoot, 'att_0000000000000002');
  for (const path of [folder, other]) mkdirSync(path, { recursive: true });
  const left = spawn('sleep', ['600'], { detached: true, cwd: folder, stdio: 'ignore' });
  const innocent = spawn('sleep', ['600'], { detached: true, stdio: 'ignore' });
  t.after(() => [left, innocent].map((child) => child.kill('SIGKILL')));
  await recordProcess(folder, left.pid ?? 0);
  await recordProcess(other, innocent.pid ?? 0);
  // As if the pid had belonged to an earlier process of this boot.
  const path = join(other, `process-${innocent.pid}.json`);
  const record = JSON.parse(readFileSync(path, 'utf8'));
  writeFileSync(path, JSON.stringify({ ...record, startTicks: '1' }));
  const ended = once(left, 'exit');
  assert.equal(await sweepScratch(bench.scratchRoot), 2);
  assert.deepEqual(await ended, [null, 'SIGKILL']);
  assert.equal(innocent.exitCode ?? innocent.signalCode, null, 'the innocent process lives');
  assert.deepEqual(await bench.scratch(), []);
});

test('sweeping a folder that was never made finds nothing', async () => {
  await using bench = await Bench.create();
  assert.equal(await sweepScratch(bench.scratchRoot), 0);
});
