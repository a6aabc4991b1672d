import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { probeSandbox } from '@helixmesh/pipelines';
import type { Digest } from '@helixmesh/protocol';
import { AttemptMeter } from './attempt-meter.ts';
import type { AttemptOutcome, FailedAttempt } from './outcome.ts';
import { publishedPath, readPublished } from './publish.ts';
import { runAttempt } from './run-attempt.ts';
import {
  Bench,
  builtinTask,
  ISOLATIONS,
  OUT,
  processesWith,
  scriptTask,
  until,
} from './testing/bench.ts';

const builtinModule = new URL('./testing/builtins.ts', import.meta.url).href;

function assertFailed(outcome: AttemptOutcome): asserts outcome is FailedAttempt {
  assert.equal(outcome.status, 'failed', JSON.stringify(outcome));
}

for (const isolation of ISOLATIONS) {
  const skip = async (t: { skip(reason: string): void }): Promise<boolean> => {
    if (isolation === 'process_group' || (await probeSandbox()).available) return false;
    t.skip('SKIPPED: bubblewrap does not work here');
    return true;
  };

  test(`${isolation}: a pipeline's output is published and scratch is gone`, async (t) => {
    if (await skip(t)) return;
    await using bench = await Bench.create();
    const source = join(bench.root, 'source.txt');
    writeFileSync(source, 'from a file\n');
    const spec = {
      ...scriptTask(['cat a/in.txt b.txt', 'cat; echo "{threads} $LC_ALL $TZ $SECRET"; umask']),
      inputs: [
        { kind: 'file', name: 'a/in.txt', digest: 'sha256:00' as Digest, location: source },
        { kind: 'text', name: 'b.txt', text: 'a text\n' },
      ],
    } as const;
    const pids: number[] = [];
    process.env['SECRET'] = 'leaked';
    const request = bench.request(spec, { isolation, onStarted: (pid) => pids.push(pid) });
    const outcome = await runAttempt(request);
    delete process.env['SECRET'];
    assert.equal(outcome.status, 'complete', JSON.stringify(outcome));
    const path = publishedPath(bench.storeRoot, request.key, 'out.txt');
    assert.equal(readFileSync(path, 'utf8'), 'from a file\na text\n2 C UTC \n0077\n');
    assert.equal(statSync(path).mode & 0o777, 0o400);
    assert.deepEqual(await readPublished(bench.storeRoot, request.key), outcome.result);
    assert.deepEqual(await bench.scratch(), []);
    assert.equal(pids.length, 1);
    assert.ok(outcome.wallMs > 0 && !outcome.wasPublished);
  });

  test(`${isolation}: the stage that failed first is the culprit`, async (t) => {
    if (await skip(t)) return;
    await using bench = await Bench.create();
    const endless = 'yes 0123456789';
    const cases: [string[], string, number][] = [
      [[endless, 'head -c 10 >&2; echo why >&2; exit 3', 'cat'], 'samtools', 3],
      [['echo why >&2; exit 4', 'cat; exit 5', 'cat; exit 6'], 'bwa', 4],
      // This one turns the closed pipe into an exit status of its own, as samtools does.
      [["trap '' PIPE; yes 2>/dev/null || exit 1", 'cat', 'echo why >&2; exit 7'], 'bcftools', 7],
    ];
    for (const [scripts, tool, exitCode] of cases) {
      const outcome = await runAttempt(bench.request(scriptTask(scripts), { isolation }));
      assertFailed(outcome);
      assert.equal(outcome.error.code, 'TOOL_FAILED');
      assert.deepEqual([outcome.failedStage, outcome.exitCode], [tool, exitCode]);
      assert.match(outcome.stderrTail, /why$/);
      assert.match(outcome.command, /^bwa -c .* \| samtools -c /);
      assert.ok(outcome.error.hint);
    }
    assert.deepEqual(await bench.scratch(), []);
    assert.equal(await readPublished(bench.storeRoot, bench.request(scriptTask(['x'])).key), null);
  });

  test(`${isolation}: a tool killed by a signal has crashed and may be tried again`, async (t) => {
    if (await skip(t)) return;
    await using bench = await Bench.create();
    const mark = `helixmesh-kill-${isolation}-${process.pid}`;
    const running = runAttempt(
      bench.request(scriptTask(['yes', `exec -a ${mark} sleep 600`]), { isolation }),
    );
    const [pid = 0] =
      (await until(async () => {
        const pids = await processesNamed(mark);
        return pids.length > 0 && pids;
      })) || [];
    process.kill(pid, 'SIGKILL');
    const outcome = await running;
    assertFailed(outcome);
    assert.equal(outcome.error.code, 'TOOL_CRASHED');
    assert.deepEqual([outcome.failedStage, outcome.signal], ['samtools', 'SIGKILL']);
    assert.deepEqual(await bench.scratch(), []);
  });

  test(`${isolation}: abort ends even a tool that ignores SIGTERM`, async (t) => {
    if (await skip(t)) return;
    await using bench = await Bench.create();
    const mark = `helixmesh-stubborn-${isolation}-${process.pid}`;
    const controller = new AbortController();
    // With its pipes closed nothing but its process tells that it is still there.
    const close = isolation === 'bubblewrap' ? 'exec 2>&-' : ':';
    const script = `trap '' TERM HUP INT; : ${mark}; ${close}; while :; do sleep 1; done`;
    const spec = scriptTask([script, `: ${mark}; sleep 600 & cat`]);
    const running = runAttempt(bench.request(spec, { isolation, signal: controller.signal }));
    await until(async () => (await processesWith(mark)).length >= 2);
    controller.abort();
    assert.deepEqual(await running, { status: 'canceled' });
    await until(async () => (await processesWith(mark)).length === 0);
    assert.deepEqual(await bench.scratch(), []);
  });

  test(`${isolation}: endless standard error is bounded and its end is kept`, async (t) => {
    if (await skip(t)) return;
    await using bench = await Bench.create();
    const script = `head -c 50000000 /dev/zero | tr '\\0' 'x' >&2; printf '\\n\\xff\\xfe end\\n' >&2; exit 9`;
    const outcome = await runAttempt(bench.request(scriptTask([script]), { isolation }));
    assertFailed(outcome);
    assert.equal(outcome.exitCode, 9);
    assert.ok(Buffer.byteLength(outcome.stderrTail) <= 8192);
    assert.match(outcome.stderrTail, /x\n\uFFFD\uFFFD end$/);
  });

  test(`${isolation}: a process left in the background does not hold the attempt`, async (t) => {
    if (await skip(t)) return;
    await using bench = await Bench.create();
    const mark = `helixmesh-left-${isolation}-${process.pid}`;
    const script = `( exec -a ${mark} sleep 600 ) >/dev/null & echo done`;
    const outcome = await runAttempt(bench.request(scriptTask([script]), { isolation }));
    assert.equal(outcome.status, 'complete', JSON.stringify(outcome));
    assert.deepEqual(await processesNamed(mark), []);
  });
}

async function processesNamed(mark: string): Promise<number[]> {
  const pids = await processesWith(mark);
  // The shells around it hold the mark in their script; the tool itself begins with it.
  return pids.filter((pid) => {
    try {
      return readFileSync(`/proc/${pid}/cmdline`, 'utf8').startsWith(mark);
    } catch {
      return false;
    }
  });
}

test('a sandboxed tool reaches no network and writes nowhere but in its scratch', async (t) => {
  if (!(await probeSandbox()).available) return t.skip('SKIPPED: bubblewrap does not work here');
  await using bench = await Bench.create();
  const source = join(bench.root, 'source.txt');
  writeFileSync(source, 'as it was');
  const script = [
    `( echo x > ${source} ) 2>/dev/null || echo read-only`,
    '( echo x > in.txt ) 2>/dev/null || echo input-read-only',
    "grep -c : /proc/net/dev; grep -v -e lo: -e '|' /proc/net/dev | wc -l",
    'echo x > "$TMPDIR/y" && echo tmp',
  ].join('; ');
  const spec = {
    ...scriptTask([script]),
    inputs: [{ kind: 'file', name: 'in.txt', digest: 'sha256:00' as Digest, location: source }],
  } as const;
  const request = bench.request(spec, { isolation: 'bubblewrap' });
  const outcome = await runAttempt(request);
  assert.equal(outcome.status, 'complete', JSON.stringify(outcome));
  const text = readFileSync(publishedPath(bench.storeRoot, request.key, 'out.txt'), 'utf8');
  assert.equal(text, 'read-only\ninput-read-only\n1\n0\ntmp\n');
  assert.equal(readFileSync(source, 'utf8'), 'as it was');
});

test('an output that is missing, empty or a link is refused', async () => {
  await using bench = await Bench.create();
  const json = { name: 'a.json', format: 'json', retention: 'result' } as const;
  const cases: [string, RegExp][] = [
    [':', /a\.json is missing/],
    [': > a.json', /a\.json is empty/],
    ['ln -s /etc/hostname a.json', /not a regular file/],
    ['mkdir a.json', /not a regular file/],
  ];
  for (const [script, problem] of cases) {
    const outcome = await runAttempt(bench.request(scriptTask([script], [OUT, json])));
    assertFailed(outcome);
    assert.equal(outcome.error.code, 'TOOL_FAILED');
    assert.match(outcome.error.message, problem);
  }
  const outcome = await runAttempt(bench.request(scriptTask([':'])));
  assert.equal(outcome.status, 'complete', 'an empty text is allowed');
});

test('a name that leaves the folder is refused before anything runs', async () => {
  await using bench = await Bench.create();
  const { key } = bench.request(scriptTask([':']));
  for (const name of ['../x', '/etc/x', 'a/../../x', 'a//b', './a', '', 'a/', 'result.json']) {
    const output = { name, format: 'text', retention: 'result' } as const;
    const spec = scriptTask(['touch ../ran'], [output]);
    const outcome = await runAttempt(bench.request(spec, { key }));
    assertFailed(outcome);
    assert.match(outcome.error.code, /^(INTERNAL|USAGE)$/);
  }
  const input = { kind: 'text', name: '../x', text: 'x' } as const;
  const spec = { ...scriptTask([':']), inputs: [input] };
  assertFailed(await runAttempt(bench.request(spec, { key })));
  assert.deepEqual(readdirSync(bench.root), []);
  assert.throws(() => publishedPath(bench.storeRoot, key, '../x'), { code: 'INTERNAL' });
});

test('another version of a tool, or none, is refused', async () => {
  await using bench = await Bench.create();
  const spec = scriptTask([':']);
  const bash = { argv: ['/bin/bash'], version: '2' };
  const other = await runAttempt(bench.request(spec, { tools: { bwa: bash } }));
  assertFailed(other);
  assert.equal(other.error.code, 'TOOL_VERSION');
  const none = await runAttempt(bench.request(spec, { tools: {} }));
  assertFailed(none);
  assert.equal(none.error.code, 'TOOL_MISSING');
  assert.match(none.error.hint ?? '', /apt-get install -y bwa/);
  const gone = { argv: [join(bench.root, 'gone')], version: '1' };
  const vanished = await runAttempt(bench.request(spec, { tools: { bwa: gone } }));
  assertFailed(vanished);
  assert.equal(vanished.error.code, 'TOOL_MISSING');
});

test('an input that is gone is named', async () => {
  await using bench = await Bench.create();
  const location = join(bench.root, 'gone.fq');
  const input = { kind: 'file', name: 'r1.fq', digest: 'sha256:00' as Digest, location } as const;
  const outcome = await runAttempt(bench.request({ ...scriptTask([':']), inputs: [input] }));
  assertFailed(outcome);
  assert.equal(outcome.error.code, 'INPUT_NOT_FOUND');
  assert.match(outcome.error.message, /r1\.fq/);
});

test('a full disk is told from other failures', async (t) => {
  await using bench = await Bench.create();
  mkdirSync(bench.scratchRoot);
  try {
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=2m', 'none', bench.root], {
      stdio: 'ignore',
    });
  } catch {
    return t.skip('SKIPPED: mounting a small tmpfs needs root');
  }
  try {
    for (const script of ['head -c 9000000 /dev/zero', 'head -c 9000000 /dev/zero 2>/dev/null']) {
      const outcome = await runAttempt(bench.request(scriptTask([script])));
      assertFailed(outcome);
      assert.equal(outcome.error.code, 'DISK_FULL', JSON.stringify(outcome));
      assert.deepEqual(await bench.scratch(), []);
    }
  } finally {
    execFileSync('umount', [bench.root]);
  }
});

test('of two attempts that publish one key the first stands', async () => {
  await using bench = await Bench.create();
  const spec = scriptTask(['echo same; date +%N > /dev/null']);
  const requests = Array.from({ length: 4 }, () => bench.request(spec));
  const outcomes = await Promise.all(requests.map(runAttempt));
  const complete = outcomes.filter((outcome) => outcome.status === 'complete');
  assert.equal(complete.length, 4, JSON.stringify(outcomes));
  assert.equal(complete.filter(({ wasPublished }) => !wasPublished).length, 1);
  for (const { result } of complete) assert.deepEqual(result, complete[0]?.result);
  assert.deepEqual(await bench.scratch(), []);
});

test('a stage that is killed takes with it a stage that would be busy for long', async () => {
  await using bench = await Bench.create();
  const outcome = await runAttempt(bench.request(scriptTask(['kill -KILL $$', 'sleep 600'])));
  assertFailed(outcome);
  assert.equal(outcome.error.code, 'TOOL_CRASHED');
  assert.equal(outcome.failedStage, 'bwa');
});

test('what was published before the daemon died is taken as it stands; deleted outputs are made again', async () => {
  await using bench = await Bench.create();
  const spec = scriptTask(['echo same']);
  const first = await runAttempt(bench.request(spec));
  assert.equal(first.status, 'complete', JSON.stringify(first));
  const pids: number[] = [];
  const onStarted = (pid: number) => pids.push(pid);
  const again = await runAttempt(bench.request(spec, { onStarted }));
  assert.equal(again.status, 'complete', JSON.stringify(again));
  assert.deepEqual([again.result, again.wasPublished, pids], [first.result, true, []]);

  const request = bench.request(spec, { onStarted });
  rmSync(publishedPath(bench.storeRoot, request.key, 'out.txt'));
  const restored = await runAttempt(request);
  assert.equal(restored.status, 'complete', JSON.stringify(restored));
  assert.equal(pids.length, 1);
  assert.ok(existsSync(publishedPath(bench.storeRoot, request.key, 'out.txt')));
});

test('a damaged folder in the store is replaced', async () => {
  await using bench = await Bench.create();
  const request = bench.request(scriptTask(['echo good']));
  const path = publishedPath(bench.storeRoot, request.key, 'out.txt');
  mkdirSync(join(path, '..'), { recursive: true });
  writeFileSync(path, 'half');
  assert.equal(await readPublished(bench.storeRoot, request.key), null);
  const outcome = await runAttempt(request);
  assert.equal(outcome.status, 'complete', JSON.stringify(outcome));
  assert.equal(readFileSync(path, 'utf8'), 'good\n');
});

test('an index takes the digest of what it indexes', async () => {
  await using bench = await Bench.create();
  const outputs = [OUT, { name: 'out.txt.tbi', format: 'index', retention: 'result' } as const];
  const spec = scriptTask(['echo data; date +%N > out.txt.tbi'], outputs);
  const outcome = await runAttempt(bench.request(spec));
  assert.equal(outcome.status, 'complete', JSON.stringify(outcome));
  const { outputs: records } = outcome.result;
  assert.equal(records['out.txt.tbi']?.digest, records['out.txt']?.digest);
});

test('a large output is digested in a worker to the same digest as a link to it', async () => {
  await using bench = await Bench.create();
  const spec = scriptTask(['head -c 3000000 /dev/zero']);
  const outcome = await runAttempt(bench.request(spec));
  assert.equal(outcome.status, 'complete', JSON.stringify(outcome));
  // sha256 of three million zero bytes.
  const expected = execFileSync('bash', ['-c', 'head -c 3000000 /dev/zero | sha256sum'], {
    encoding: 'utf8',
  }).slice(0, 64);
  assert.deepEqual(outcome.result.outputs['out.txt'], {
    digest: `sha256:${expected}`,
    sizeBytes: 3_000_000,
  });
});

test('a builtin works in the folder, its end is told and its errors keep their code', async () => {
  await using bench = await Bench.create();
  const spec = builtinTask('greet', { name: 'Ada' });
  const meter = new AttemptMeter(spec);
  const request = bench.request(spec, { builtinModule, meter });
  const outcome = await runAttempt(request);
  assert.equal(outcome.status, 'complete', JSON.stringify(outcome));
  const path = publishedPath(bench.storeRoot, request.key, 'out.txt');
  assert.equal(readFileSync(path, 'utf8'), 'hello Ada true\n');
  assert.equal(await meter.fraction(), 0.99);

  const refused = await runAttempt(bench.request(builtinTask('refuse'), { builtinModule }));
  assertFailed(refused);
  const { code, hint, details } = refused.error;
  assert.deepEqual([code, hint, details], ['INPUT_TRUNCATED', 'Copy it.', { lines: 3 }]);
  assert.equal(refused.failedStage, 'refuse');

  const unknown = await runAttempt(bench.request(builtinTask('nobody')));
  assertFailed(unknown);
  assert.equal(unknown.error.code, 'TOOL_MISSING');
});

test('a builtin that spins tells how far it is and is ended by abort', async () => {
  await using bench = await Bench.create();
  const controller = new AbortController();
  const spec = builtinTask('spin');
  const meter = new AttemptMeter(spec);
  const running = runAttempt(
    bench.request(spec, { builtinModule, signal: controller.signal, meter }),
  );
  assert.equal(await until(() => meter.fraction()), 0.1);
  controller.abort();
  assert.deepEqual(await running, { status: 'canceled' });
  assert.deepEqual(await bench.scratch(), []);
});

test('an input linked through a folder of links is found', async () => {
  await using bench = await Bench.create();
  writeFileSync(join(bench.root, 'real.txt'), 'real\n');
  symlinkSync('real.txt', join(bench.root, 'link.txt'));
  const location = join(bench.root, 'link.txt');
  const input = { kind: 'file', name: 'in.txt', digest: 'sha256:00' as Digest, location } as const;
  const request = bench.request({ ...scriptTask(['cat in.txt']), inputs: [input] });
  const outcome = await runAttempt(request);
  assert.equal(outcome.status, 'complete', JSON.stringify(outcome));
});
