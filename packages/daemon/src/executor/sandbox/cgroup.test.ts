import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmdirSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { sweepScratch } from '../sweep.ts';
import { Bench } from '../testing/bench.ts';
import { openCgroup, openCgroupIn, probeCgroups } from './cgroup.ts';
import { findParents, hierarchies } from './cgroup-parents.ts';
import { isGroupFolder, parseHierarchies, planGroup } from './cgroup-plan.ts';

const LIMITS = { memoryBytes: 1 << 26, pids: 16, cores: 2 };
const needsCgroups = { skip: probeCgroups().parents === null && 'SKIPPED: no cgroups here' };

test('hierarchies of both versions are found, co-mounted ones and those of a container too', () => {
  const mountinfo = [
    '30 24 0:26 / /sys/fs/cgroup/unified rw - cgroup2 cgroup2 rw,nsdelegate',
    '31 24 0:27 /docker/abc /sys/fs/cgroup/memory rw - cgroup cgroup rw,memory',
    '32 24 0:28 / /sys/fs/cgroup/cpu,cpuacct rw - cgroup cgroup rw,cpu,cpuacct',
    '33 24 0:29 / /sys/fs/cgroup/systemd rw - cgroup cgroup rw,name=systemd',
    '34 24 0:30 / /sys rw - sysfs sysfs rw',
  ].join('\n');
  const cgroup = '5:memory:/docker/abc/x\n4:cpu,cpuacct:/y\n1:name=systemd:/z\n0::/user.slice\n';
  assert.deepEqual(parseHierarchies(mountinfo, cgroup), [
    {
      version: 2,
      controllers: [],
      own: '/sys/fs/cgroup/unified/user.slice',
      mountPoint: '/sys/fs/cgroup/unified',
    },
    {
      version: 1,
      controllers: ['memory'],
      own: '/sys/fs/cgroup/memory/x',
      mountPoint: '/sys/fs/cgroup/memory',
    },
    {
      version: 1,
      controllers: ['cpu', 'cpuacct'],
      own: '/sys/fs/cgroup/cpu,cpuacct/y',
      mountPoint: '/sys/fs/cgroup/cpu,cpuacct',
    },
    {
      version: 1,
      controllers: ['name=systemd'],
      own: '/sys/fs/cgroup/systemd/z',
      mountPoint: '/sys/fs/cgroup/systemd',
    },
  ]);
});

test('version 2 has one folder, version 1 one for each controller', () => {
  const two = planGroup({ version: 2, folder: '/g' }, 'helixmesh-a', LIMITS);
  assert.deepEqual(two.folders, ['/g/helixmesh-a']);
  assert.deepEqual(
    two.writes.map(({ path, value }) => `${path.slice('/g/helixmesh-a/'.length)}=${value}`),
    [
      'memory.max=67108864',
      'memory.swap.max=0',
      'memory.oom.group=1',
      'pids.max=16',
      'cpu.max=200000 100000',
    ],
  );
  const folders = { memory: '/m', pids: '/p', cpu: '/c' };
  const one = planGroup({ version: 1, folders }, 'helixmesh-a', LIMITS);
  assert.deepEqual(one.folders, ['/m/helixmesh-a', '/p/helixmesh-a', '/c/helixmesh-a']);
  assert.ok(one.writes.some(({ path }) => path === '/c/helixmesh-a/cpu.cfs_quota_us'));
});

test('only folders of ours below the mounted cgroups are ever ended', () => {
  const roots = ['/sys/fs/cgroup'];
  assert.ok(isGroupFolder('/sys/fs/cgroup/memory/x/helixmesh-att_1', roots));
  for (const path of [
    '/sys/fs/cgroup/memory/x/other',
    '/sys/fs/cgroup',
    '/home/helixmesh-x',
    '/sys/fs/cgroup/../helixmesh-x',
    '/sys/fs/cgroup/../../tmp/helixmesh-x',
  ]) {
    assert.ok(!isGroupFolder(path, roots), path);
  }
});

test('a version 1 group that an administrator has given to a user is used', async () => {
  await using bench = await Bench.create();
  const mountPoint = bench.root;
  const own = join(mountPoint, 'not/mine');
  const of = [{ version: 1, controllers: ['memory', 'pids', 'cpu'], own, mountPoint }] as const;
  assert.match(findParents(of).problem ?? '', /cgroups of memory, pids, cpu are not yours/);
  const given = join(mountPoint, 'helixmesh');
  mkdirSync(given);
  const folders = { memory: given, pids: given, cpu: given };
  assert.deepEqual(findParents(of).parents, { version: 1, folders });
});

test('a version 2 group that is not ours, lacks controllers or is shared is not used', async () => {
  await using bench = await Bench.create();
  const own = join(bench.root, 'group');
  const found = () => findParents([{ version: 2, controllers: [], own, mountPoint: own }]);
  assert.match(found().problem ?? '', /not yours to write/);
  mkdirSync(own);
  writeFileSync(join(own, 'cgroup.controllers'), 'memory pids');
  assert.match(found().problem ?? '', /lacks the controllers cpu/);
  writeFileSync(join(own, 'cgroup.controllers'), 'cpu memory pids');
  writeFileSync(join(own, 'cgroup.type'), 'domain');
  writeFileSync(join(own, 'cgroup.subtree_control'), '');
  writeFileSync(join(own, 'cgroup.procs'), `${process.pid}\n`);
  assert.deepEqual(found().parents, { version: 2, folder: own });
  writeFileSync(join(own, 'cgroup.procs'), `${process.pid}\n1\n999999\n`);
  assert.match(found().problem ?? '', /other programs share/);
  assert.match(found().mend ?? '', /systemd-run/);
  const leaf = join(own, 'helixmesh-node');
  writeFileSync(join(own, 'cgroup.subtree_control'), 'cpu memory pids');
  const moved = findParents([{ version: 2, controllers: [], own: leaf, mountPoint: own }]);
  assert.deepEqual(moved.parents, { version: 2, folder: own });
  assert.match(findParents([]).problem ?? '', /no cgroups/);
});

function joining(join: readonly string[], script: string): ChildProcess {
  const [file = '', ...args] = [...join, '/bin/bash', '-c', script];
  return spawn(file, args, { stdio: ['ignore', 'pipe', 'ignore'], detached: true });
}

test(
  'a process is limited from its first instruction and ended with its group',
  needsCgroups,
  async () => {
    await using bench = await Bench.create();
    const cgroup = openCgroup(bench.root, LIMITS);
    assert.ok(cgroup);
    const child = joining(cgroup.joinCommand, 'cat /proc/self/cgroup; trap "" TERM; sleep 600');
    const ended = once(child, 'exit');
    const [text] = await once(child.stdout as NonNullable<typeof child.stdout>, 'data');
    const lines = String(text)
      .split('\n')
      .filter((line) => line.includes('/helixmesh-'));
    assert.ok(lines.length >= 1, String(text));
    await cgroup.close();
    assert.deepEqual(await ended, [null, 'SIGKILL']);
  },
);

test('a process that cannot join does not become the tool', needsCgroups, async () => {
  await using bench = await Bench.create();
  const cgroup = openCgroup(bench.root, LIMITS);
  assert.ok(cgroup);
  await cgroup.close();
  const child = joining(cgroup.joinCommand, 'echo ran');
  let printed = '';
  child.stdout?.on('data', (chunk) => {
    printed += chunk;
  });
  assert.deepEqual(await once(child, 'close'), [125, null]);
  assert.equal(printed, '');
});

test('where limits cannot be set there is no group, and nothing of it is left', async () => {
  await using bench = await Bench.create();
  const folder = join(bench.root, 'no-cgroups');
  mkdirSync(folder);
  assert.equal(openCgroupIn({ version: 2, folder }, bench.root, LIMITS), null);
  assert.deepEqual(readdirSync(folder), []);
});

test('the next daemon ends what is left in the groups of a dead one', needsCgroups, async () => {
  await using bench = await Bench.create();
  const root = join(bench.scratchRoot, 'att_0000000000000001');
  mkdirSync(root, { recursive: true });
  const cgroup = openCgroup(root, LIMITS);
  assert.ok(cgroup);
  const child = joining(cgroup.joinCommand, 'echo up; setsid sleep 600 & sleep 600');
  const ended = once(child, 'exit');
  await once(child.stdout as NonNullable<typeof child.stdout>, 'data');
  const record = readdirSync(root).find((name) => name.startsWith('cgroup-')) ?? '';
  const folders: string[] = JSON.parse(readFileSync(join(root, record), 'utf8'));
  assert.ok(folders.every((folder) => existsSync(folder)));
  assert.equal(await sweepScratch(bench.scratchRoot), 1);
  assert.deepEqual(await ended, [null, 'SIGKILL']);
  assert.ok(!folders.some((folder) => existsSync(folder)));
});

test('a version 2 group is ended by the kernel at once', async (t) => {
  // Without controllers, for on many machines version 1 has them: only joining and ending is shown.
  const own = hierarchies().find(({ version }) => version === 2)?.own;
  const folder = join(own ?? '', `helixmesh-test-${process.pid}`);
  try {
    mkdirSync(folder);
  } catch {
    return t.skip('SKIPPED: no cgroups of version 2 to write');
  }
  t.after(() => existsSync(folder) && rmdirSync(folder));
  await using bench = await Bench.create();
  const root = join(bench.scratchRoot, 'att_0000000000000002');
  mkdirSync(root, { recursive: true });
  writeFileSync(join(root, 'cgroup-00.json'), JSON.stringify([folder]));
  const { joinFiles } = planGroup({ version: 2, folder: own ?? '' }, 'x', LIMITS);
  assert.match(joinFiles[0] ?? '', /cgroup\.procs$/);
  const script = `echo 0 > ${folder}/cgroup.procs && echo in; setsid sleep 600 & sleep 600`;
  const child = joining(['/bin/sh', '-c', 'exec "$@"', 'sh'], script);
  const ended = once(child, 'exit');
  await once(child.stdout as NonNullable<typeof child.stdout>, 'data');
  await sweepScratch(bench.scratchRoot);
  assert.deepEqual(await ended, [null, 'SIGKILL']);
  assert.ok(!existsSync(folder));
});
