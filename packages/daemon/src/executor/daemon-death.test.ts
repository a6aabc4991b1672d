import assert from 'node:assert/strict';
import { type StdioOptions, spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, existsSync, mkdirSync, openSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { probeSandbox } from '@helixmesh/pipelines';
import { recordProcess } from './leftover-process.ts';
import { sweepScratch } from './sweep.ts';
import { Bench, ISOLATIONS, processesWith, until } from './testing/bench.ts';

const ATTEMPT = fileURLToPath(new URL('./testing/one-attempt.ts', import.meta.url));
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

for (const isolation of ISOLATIONS) {
  test(`${isolation}: a descriptor that the daemon was started with is not there for a tool`, async (t) => {
    if (isolation === 'bubblewrap' && !(await probeSandbox()).available) {
      return t.skip('SKIPPED: bubblewrap does not work here');
    }
    await using bench = await Bench.create();
    const secrets = join(bench.root, 'secrets');
    mkdirSync(secrets);
    writeFileSync(join(secrets, 'reads'), 'ACGT');
    const folder = openSync(secrets, 'r');
    t.after(() => closeSync(folder));
    // The highest one is above the script's own.
    const stdio = Array.from({ length: 40 }, (_, fd) =>
      fd === 20 || fd === 39 ? folder : 'ignore',
    );
    const script = 'cat /dev/fd/20/reads /dev/fd/39/reads 2>/dev/null; ls -l /proc/*/fd; echo end';
    const args = ['--conditions=development', ATTEMPT, bench.root, isolation, script];
    const daemon = spawn(process.execPath, args, { stdio: stdio as StdioOptions });
    assert.deepEqual(await once(daemon, 'exit'), [0, null]);
    const text = readFileSync(join(bench.root, 'out.txt'), 'utf8');
    assert.match(text, /end\n$/);
    assert.doesNotMatch(text, /ACGT/);
    if (isolation === 'bubblewrap') assert.ok(!text.includes(secrets), 'nor of its neighbours');
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
