import assert from 'node:assert/strict';
import { existsSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { probeSandbox } from '@helixmesh/pipelines';
import type { Digest } from '@helixmesh/protocol';
import type { AttemptOutcome, AttemptRequest, FailedAttempt } from '../outcome.ts';
import { publishedPath } from '../publish.ts';
import { runAttempt } from '../run-attempt.ts';
import { Bench, OUT, processesWith, scriptTask, until } from '../testing/bench.ts';
import { probeCgroups } from './cgroup.ts';

const MIB = 2 ** 20;
/** A fork bomb would eat the machine that has no cgroups. */
const needsCgroups = { skip: probeCgroups().parents === null && 'SKIPPED: no cgroups here' };

async function bubblewrapIsHere(t: TestContext): Promise<boolean> {
  const { available } = await probeSandbox();
  if (!available) t.skip('SKIPPED: bubblewrap does not work here');
  return available;
}

function assertFailed(outcome: AttemptOutcome): asserts outcome is FailedAttempt {
  assert.equal(outcome.status, 'failed', JSON.stringify(outcome));
}

async function fails(bench: Bench, script: string, more: Partial<AttemptRequest>) {
  const outcome = await runAttempt(bench.request(scriptTask([script]), more));
  assertFailed(outcome);
  assert.ok(outcome.error.hint, 'it says what to do');
  assert.deepEqual(await bench.scratch(), []);
  return outcome.error;
}

/** What a script prints in the sandbox. */
async function printed(bench: Bench, script: string, more: Partial<AttemptRequest> = {}) {
  const request = bench.request(scriptTask([script]), { isolation: 'bubblewrap', ...more });
  const outcome = await runAttempt(request);
  assert.equal(outcome.status, 'complete', JSON.stringify(outcome));
  return readFileSync(publishedPath(bench.storeRoot, request.key, 'out.txt'), 'utf8');
}

for (const isolation of ['bubblewrap', 'process_group'] as const) {
  test(`${isolation}: a fork bomb is ended and told`, needsCgroups, async (t) => {
    if (isolation === 'bubblewrap' && !(await bubblewrapIsHere(t))) return;
    await using bench = await Bench.create();
    const mark = `helixmesh-bomb-${isolation}-${process.pid}`;
    // Where the limit failed, this many would do no harm, and what follows would.
    const hundred = 'for ((i = 0; i < 100; i++)); do sleep 3 & done; wait';
    const more = await fails(bench, hundred, { isolation, limits: { pids: 48 } });
    assert.equal(more.code, 'PROCESSES_EXCEEDED');
    // Each leaves its session as it is made, so no process group holds them.
    const script = `bomb() { setsid bash -c ': ${mark}; sleep 300' & bomb & bomb; }; bomb`;
    const error = await fails(bench, script, { isolation, limits: { pids: 48 } });
    assert.equal(error.code, 'PROCESSES_EXCEEDED');
    assert.deepEqual(error.details, { reason: 'pids', pids: 48 });
    assert.deepEqual(await processesWith(mark), []);
  });

  test(
    `${isolation}: a tool that wants too much memory is ended and told`,
    needsCgroups,
    async (t) => {
      if (isolation === 'bubblewrap' && !(await bubblewrapIsHere(t))) return;
      await using bench = await Bench.create();
      const script = 'head -c 300000000 /dev/zero | tail -c 250000000 | wc -c';
      const limits = { memoryBytes: 64 * MIB };
      const error = await fails(bench, script, { isolation, limits });
      assert.equal(error.code, 'MEMORY_EXCEEDED');
      assert.deepEqual(error.details, { reason: 'oom', limitMib: 64 });
      assert.match(await printedWith(bench, script, isolation), /^250000000$/m);
    },
  );

  test(`${isolation}: an endless output ends the attempt`, async (t) => {
    if (isolation === 'bubblewrap' && !(await bubblewrapIsHere(t))) return;
    await using bench = await Bench.create();
    const limits = { scratchBytes: 3 * MIB };
    for (const script of [
      'yes',
      'yes > another.txt',
      "trap '' XFSZ; yes", // Told EFBIG instead.
      'yes > "$TMPDIR/x"',
    ]) {
      const error = await fails(bench, script, { isolation, limits });
      assert.equal(error.code, 'SCRATCH_EXCEEDED', script);
      assert.deepEqual(error.details, { reason: 'disk', limitMib: 3 });
    }
  });

  test(`${isolation}: endless files, each of them small, end the attempt`, async (t) => {
    if (isolation === 'bubblewrap' && !(await bubblewrapIsHere(t))) return;
    await using bench = await Bench.create();
    const limits = { scratchBytes: 3 * MIB };
    const script =
      "trap '' TERM; mkdir -p a/b; for ((i = 0; ; i++)); do head -c 1000000 /dev/zero > a/b/$i; sleep 0.05; done";
    const error = await fails(bench, script, { isolation, limits });
    assert.equal(error.code, 'SCRATCH_EXCEEDED');
  });
}

async function printedWith(
  bench: Bench,
  script: string,
  isolation: 'bubblewrap' | 'process_group',
): Promise<string> {
  return printed(bench, script, { isolation, limits: { memoryBytes: 600 * MIB } });
}

test('a tool that leaves its session and outlives its command is ended', needsCgroups, async () => {
  await using bench = await Bench.create();
  const mark = `helixmesh-escape-${process.pid}`;
  const script = `setsid bash -c 'trap "" TERM HUP; : ${mark}; while :; do sleep 1; done' >/dev/null 2>&1 & until pgrep -f '[h]elixmesh-escape-' >/dev/null; do :; done; echo done`;
  const outcome = await runAttempt(
    bench.request(scriptTask([script]), { isolation: 'process_group' }),
  );
  assert.equal(outcome.status, 'complete', JSON.stringify(outcome));
  assert.deepEqual(await processesWith(mark), []);
});

test('a tool sees neither the data folder nor the home folder nor other places', async (t) => {
  if (!(await bubblewrapIsHere(t))) return;
  await using bench = await Bench.create();
  // As the node keeps them: beside the scratch folder, for its user only.
  const secrets = ['helixmesh.sqlite', 'store/aa/bb/patient.vcf', 'node.log'];
  for (const name of secrets) {
    mkdirSync(join(bench.root, name, '..'), { recursive: true });
    writeFileSync(join(bench.root, name), 'secret', { mode: 0o600 });
  }
  const source = join(bench.root, 'store/aa/bb/input.txt');
  writeFileSync(source, 'readable\n');
  const places = [...secrets.map((name) => join(bench.root, name)), '/etc/passwd', '/etc/shadow'];
  const folders = [homedir(), '/root', '/home', '/run', '/var', '/sys', '/boot', '/mnt', '/opt'];
  const script = [
    'cat in.txt',
    ...places.map((path) => `cat '${path}' 2>/dev/null && echo 'READ ${path}'`),
    ...folders.map((path) => `ls -A '${path}' 2>/dev/null && echo 'LISTED ${path}'`),
    `ls -A '${bench.root}'; ls '${bench.root}/store/aa/bb'; ls /`,
    // Nothing of the daemon: neither its processes nor its environment.
    'ls -d /proc/[0-9]* | wc -l | xargs test 10 -gt && echo few',
  ].join('; ');
  const spec = {
    ...scriptTask([script]),
    inputs: [{ kind: 'file', name: 'in.txt', digest: 'sha256:00' as Digest, location: source }],
  } as const;
  const request = bench.request(spec, { isolation: 'bubblewrap' });
  const outcome = await runAttempt(request);
  assert.equal(outcome.status, 'complete', JSON.stringify(outcome));
  const text = readFileSync(publishedPath(bench.storeRoot, request.key, 'out.txt'), 'utf8');
  assert.doesNotMatch(text, /READ|LISTED|secret/);
  const system = readdirSync('/').filter((name) => /^(usr|bin|s?bin|lib\w*|nix|gnu)$/.test(name));
  const top = ['dev', 'etc', 'proc', 'tmp', ...system].sort();
  assert.deepEqual(text.split('\n').slice(0, 4), ['readable', 'scratch', 'store', 'input.txt']);
  assert.deepEqual(text.trim().split('\n').slice(4, -1), top);
  assert.match(text, /\nfew\n$/);
});

test('a tool writes nowhere but in its scratch, and not in the settings of the kernel', async (t) => {
  if (!(await bubblewrapIsHere(t))) return;
  await using bench = await Bench.create();
  const places = ['/', '/usr', '/usr/bin', '/etc', '/dev', '/dev/shm', '/proc', '/proc/sys'];
  const text = await printed(
    bench,
    [
      ...places.map((path) => `( : > '${path}/helixmesh-x' ) 2>/dev/null && echo 'WROTE ${path}'`),
      // For root these would be a way out of the sandbox.
      'for f in $(find /proc/sys /proc/sysrq-trigger -type f -writable 2>/dev/null); do echo $f; done',
      'grep -c ^CapEff:.0*$ /proc/self/status; grep -c ^NoNewPrivs:.1$ /proc/self/status',
      // Where the bench is, the sandbox has a folder of its own.
      `: > '${bench.root}/helixmesh-x'; : > ../helixmesh-x`,
      'mount -o remount,rw / 2>/dev/null && echo REMOUNTED',
      'mknod disk b 8 0 2>/dev/null && echo MADE-DEVICE',
      'echo y > here && echo y > "$TMPDIR/here" && echo y > /tmp/here && cat here',
      `head -c ${65 * MIB} /dev/zero > /tmp/much 2>/dev/null || echo small`,
    ].join('; '),
  );
  assert.equal(text, '1\n1\ny\nsmall\n');
  assert.deepEqual(readdirSync(bench.root).sort(), ['scratch', 'store']);
});

test('a tool reaches no server of this machine', async (t) => {
  if (!(await bubblewrapIsHere(t))) return;
  await using bench = await Bench.create();
  let calls = 0;
  const server = createServer((socket) => {
    calls++;
    socket.destroy();
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  t.after(() => server.close());
  const address = server.address();
  const port = typeof address === 'object' ? address?.port : 0;
  const script = `( : < /dev/tcp/127.0.0.1/${port} ) 2>/dev/null && echo CONNECTED; echo end`;
  assert.equal(await printed(bench, script), 'end\n');
  assert.equal(calls, 0);
  await printed(bench, script.replace('echo end', 'echo own'), { isolation: 'process_group' });
  await until(async () => calls === 1, 5_000);
});

test('an output that leads outside by a link or a folder of links is refused', async () => {
  await using bench = await Bench.create();
  const secret = join(bench.root, 'secret.json');
  writeFileSync(secret, '{"secret":1}', { mode: 0o600 });
  const json = { name: 'sub/a.json', format: 'json', retention: 'result' } as const;
  for (const script of [
    `ln -sf '${secret}' sub/a.json`,
    `rmdir sub; ln -s '${bench.root}' sub; ln -s secret.json sub/a.json`,
    `rmdir sub; mkdir real; cp /dev/null real/a.json; echo {} > real/a.json; ln -s real sub`,
    'mkfifo sub/a.json',
    'mkdir -p sub/a.json/../../../../../..',
  ]) {
    const outcome = await runAttempt(bench.request(scriptTask([script], [OUT, json])));
    assertFailed(outcome);
    assert.match(outcome.error.message, /not a regular file|missing|exit status/, script);
  }
  assert.equal(readFileSync(secret, 'utf8'), '{"secret":1}');
  assert.equal(existsSync(bench.storeRoot), false);
});

test('a builtin does not follow the links that a tool has left', async () => {
  await using bench = await Bench.create();
  const builtinModule = new URL('../testing/builtins.ts', import.meta.url).href;
  const secret = join(bench.root, 'mine.txt');
  const input = join(bench.root, 'input.txt');
  for (const path of [secret, input]) writeFileSync(path, 'as it was');
  const location = { kind: 'file', name: 'in.txt', digest: 'sha256:00' as Digest } as const;
  for (const script of [
    `rm -f out.txt; ln -s '${secret}' out.txt`,
    `rm in.txt; ln -s '${secret}' in.txt`,
    'mkfifo pipe',
    'ln -s .. up',
  ]) {
    const spec = scriptTask([script]);
    const greet = { kind: 'builtin', name: 'greet', args: { name: 'Ada' } } as const;
    const commands = [...spec.commands.map((c) => ({ ...c, stdout: 'other.txt' })), greet];
    const inputs = [{ ...location, location: input }];
    const request = bench.request({ ...spec, commands, inputs }, { builtinModule });
    const outcome = await runAttempt(request);
    assertFailed(outcome);
    assert.match(outcome.error.message, /a tool left/, script);
  }
  assert.equal(readFileSync(secret, 'utf8'), 'as it was');
});

test('scratch that a tool has locked or nested endlessly is removed', async () => {
  await using bench = await Bench.create();
  // Deeper than the longest path that the kernel takes.
  const path = 'abcdefgh/'.repeat(100);
  const nest = `for i in 1 2 3 4 5 6; do mkdir -p ${path} && cd ${path}; done`;
  const script = `${nest}; mkdir locked; chmod 0 locked; echo done`;
  await runAttempt(bench.request(scriptTask([script])));
  assert.deepEqual(await bench.scratch(), []);
});

test('a tool that crashes leaves no core on the disk', async () => {
  await using bench = await Bench.create();
  const script = 'ulimit -c; ulimit -c unlimited 2>/dev/null; ulimit -c; umask';
  const request = bench.request(scriptTask([script]));
  const outcome = await runAttempt(request);
  assert.equal(outcome.status, 'complete', JSON.stringify(outcome));
  const path = publishedPath(bench.storeRoot, request.key, 'out.txt');
  assert.match(readFileSync(path, 'utf8'), /^0\n/);
  assert.equal(statSync(path).mode & 0o777, 0o400);
});
