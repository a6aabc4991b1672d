import assert from 'node:assert/strict';
import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { test } from 'node:test';
import { Bench } from '../testing/bench.ts';
import { limitsOfTask } from './limits-of-task.ts';
import { holds, visibleTool } from './visible-tools.ts';

function place(path: string): string {
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, '');
  return path;
}

test('a tool of the system needs nothing more', () => {
  const { argv, readable } = visibleTool(['/bin/bash', '--norc', '/usr/bin/env'], []);
  assert.match(argv[0] ?? '', /^\/usr\/bin\/bash$|^\/bin\/bash$/);
  assert.ok(readable.every((path) => path.startsWith('/bin') || path.startsWith('/lib')));
});

test('a tool elsewhere brings its installation, but no folder of other things', async () => {
  await using bench = await Bench.create();
  const { root } = bench;
  const conda = place(join(root, 'conda/envs/x/bin/bwa'));
  assert.deepEqual(visibleTool([conda], []).readable, [join(root, 'conda/envs/x')]);
  // As ~/.local: beside the programs is the data folder.
  const local = place(join(root, 'local/bin/bwa'));
  place(join(root, 'local/lib/libx.so'));
  const data = join(root, 'local/share/helixmesh');
  assert.deepEqual(visibleTool([local], [data]).readable, [
    join(root, 'local/bin'),
    join(root, 'local/lib'),
  ]);
  const beside = place(join(root, 'data/bwa'));
  assert.deepEqual(visibleTool([beside], [join(root, 'data/store')]).readable, [beside]);
  assert.deepEqual(visibleTool([beside], []).readable, [join(root, 'data')]);
});

test('a link is started as what it leads to, and files among the arguments are shown', async () => {
  await using bench = await Bench.create();
  const tool = place(join(bench.root, 'opt/tool-1.2/bin/tool'));
  const jar = place(join(bench.root, 'jars/x.jar'));
  symlinkSync('tool-1.2', join(bench.root, 'opt/current'));
  const given = [join(bench.root, 'opt/current/bin/tool'), '-jar', jar, '/nowhere/at/all', '-x'];
  const { argv, readable } = visibleTool(given, []);
  assert.deepEqual(argv, [tool, ...given.slice(1)]);
  assert.deepEqual(readable, [join(bench.root, 'opt/tool-1.2'), jar]);
});

test('a folder holds itself and what is below, not its neighbours', () => {
  assert.ok(holds('/a', '/a') && holds('/a', '/a/b') && holds('/', '/a'));
  assert.ok(!holds('/a', '/ab') && !holds('/a/b', '/a'));
});

test('limits leave room above what a task states and grow by the factor', () => {
  const granted = { cores: 2, inputBytes: 1000, factor: 1 };
  const limits = limitsOfTask({ memoryMib: 1024 }, granted);
  assert.deepEqual(limits, {
    memoryBytes: 2560 * 2 ** 20,
    pids: 576,
    cores: 2,
    scratchBytes: 8 * 2 ** 30 + 8000,
  });
  const twice = limitsOfTask({ memoryMib: 1024 }, { ...granted, factor: 2 });
  assert.deepEqual([twice.memoryBytes, twice.cores], [5120 * 2 ** 20, 2]);
});
