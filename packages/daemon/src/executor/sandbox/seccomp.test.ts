import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { type TestContext, test } from 'node:test';
import {
  parseToolVersion,
  probeSandbox,
  probeTools,
  resolvedTools,
  TOOL_CATALOGUE,
} from '@helixmesh/pipelines';
import { publishedPath } from '../publish.ts';
import { runAttempt } from '../run-attempt.ts';
import { Bench, scriptTask } from '../testing/bench.ts';
import { filterFor } from './bubblewrap.ts';
import { ALLOW, FORBID, KILL, NO_SUCH_FAMILY, NOT_THERE, seccompProgram } from './seccomp.ts';
import { strengthOf } from './strength.ts';
import { LAST_KNOWN, systemCallsOf } from './system-calls.ts';

const PROCESSORS = ['x64', 'arm64'] as const;

interface Call {
  readonly number: number;
  readonly architecture: number;
  readonly args?: readonly number[];
}

/** What the kernel would answer: its packet filter, as far as our programs go. */
function answerOf(program: Uint8Array<ArrayBuffer>, { number, architecture, args = [] }: Call) {
  const data = new DataView(new ArrayBuffer(64));
  data.setUint32(0, number, true);
  data.setUint32(4, architecture, true);
  for (const [i, arg] of args.entries()) data.setUint32(16 + 8 * i, arg, true);
  const code = new DataView(program.buffer);
  let loaded = 0;
  for (let at = 0; ; at++) {
    const value = code.getUint32(8 * at + 4, true);
    const jump = code.getUint8(8 * at + 2);
    const operation = code.getUint16(8 * at, true);
    if (operation === 0x06) return value;
    if (operation === 0x20) loaded = data.getUint32(value, true);
    else if (operation === 0x15) at += loaded === value ? jump : 0;
    else if (operation === 0x25) at += loaded > value ? jump : 0;
    else if (operation === 0x45) at += (loaded & value) !== 0 ? jump : 0;
    else assert.fail(`instruction ${operation}`);
  }
}

for (const processor of PROCESSORS) {
  test(`${processor}: each call has the answer that its table states, and no other`, () => {
    const program = seccompProgram(processor) ?? assert.fail();
    const { architecture, forbidden, absent, judged } = systemCallsOf(processor);
    assert.ok(forbidden.length > 40);
    for (let number = 0; number <= LAST_KNOWN + 2; number++) {
      if (number === judged.socket || number === judged.socketpair) continue;
      const isAbsent = absent.includes(number) || number > LAST_KNOWN;
      const expected = forbidden.includes(number) ? FORBID : isAbsent ? NOT_THERE : ALLOW;
      assert.equal(answerOf(program, { number, architecture }), expected, `call ${number}`);
    }
    // The x32 table of the same processor, and a number that is negative in C.
    for (const number of [0x4000_0000, 0x4000_0003, 0xffff_ffff]) {
      assert.equal(answerOf(program, { number, architecture }), NOT_THERE);
    }
    for (const other of [0x4000_0003, 0, 0xc000_00b7, 0xc000_003e]) {
      if (other === architecture) continue;
      assert.equal(answerOf(program, { number: 0, architecture: other }), KILL);
    }
  });

  test(`${processor}: a process may be cloned, a namespace not; a socket may be of three families`, () => {
    const program = seccompProgram(processor) ?? assert.fail();
    const { architecture, judged } = systemCallsOf(processor);
    const answer = (name: keyof typeof judged, ...args: number[]) =>
      answerOf(program, { number: judged[name], architecture, args });
    // What fork and threads of the C library ask for.
    for (const flags of [0x0120_0011, 0x003d_0f00, 0x4111]) {
      assert.equal(answer('clone', flags), ALLOW);
    }
    for (const bit of [17, 25, 26, 27, 28, 29, 30]) {
      assert.equal(answer('clone', 2 ** bit + 17), FORBID, `bit ${bit}`);
    }
    for (const socket of ['socket', 'socketpair'] as const) {
      for (let family = 0; family < 50; family++) {
        const isAllowed = [1, 2, 10].includes(family);
        assert.equal(answer(socket, family, 1), isAllowed ? ALLOW : NO_SUCH_FAMILY);
      }
    }
    assert.equal(answer('ioctl', 0, 0x5412), FORBID);
    assert.equal(answer('ioctl', 0, 0x541c), FORBID);
    assert.equal(answer('ioctl', 0, 0x5401), ALLOW);
  });
}

test('a processor that is not known has no filter, and a sandbox without one is weak', () => {
  assert.equal(seccompProgram('riscv64'), null);
  const works = { works: true, problem: null, mend: null };
  const lacks = { works: false, problem: 'why', mend: 'how' };
  const all = { bubblewrap: works, cgroups: works, filter: works };
  assert.equal(strengthOf(all).strength, 'strong');
  const { problem, mend } = lacks;
  const weak = { strength: 'weak', problem, mend };
  assert.deepEqual(strengthOf({ ...all, filter: lacks }), weak);
  assert.deepEqual(strengthOf({ ...all, cgroups: lacks }), weak);
  assert.equal(strengthOf({ ...all, bubblewrap: lacks }).strength, 'none');
});

async function isFiltered(t: TestContext): Promise<boolean> {
  const { available, path } = await probeSandbox();
  if (available && path !== null && filterFor(path) !== null) return true;
  t.skip('SKIPPED: system calls cannot be filtered here');
  return false;
}

test('the kernel refuses a tool what the filter names, and nothing of the filter is left open', async (t) => {
  if (!(await isFiltered(t)) || process.arch !== 'x64')
    return t.skip('SKIPPED: not on this machine');
  await using bench = await Bench.create();
  const { forbidden, absent } = systemCallsOf('x64');
  // Where the filter were missing, these would do harm to the machine of whoever runs the test.
  const harmless = forbidden.filter(
    (number) => ![153, 163, 164, 169, 170, 171, 227].includes(number),
  );
  // Without the filter some succeed and others fail for their arguments.
  const perl = [
    'sub told { my ($n, @a) = @_; return syscall($n, @a, 0, 0, 0, 0) < 0 ? $! + 0 : "done" }',
    `print join(",", map { told($_, 0) } ${harmless.join(', ')}), "\\n"`,
    `print join(",", map { told($_, 0) } ${absent.join(', ')}), "\\n"`,
    // AF_VSOCK and AF_NETLINK; a user namespace by clone.
    'print join(",", told(41, 40, 1), told(41, 16, 3), told(56, 0x10000011)), "\\n"',
    'print join(",", told(39), told(999)), "\\n"',
    'opendir(my $d, "/proc/self/fd"); print join(",", sort grep { /\\d/ && $_ > 2 } readdir $d)',
  ].join('; ');
  const script = `perl -e '${perl}' 3>&-; echo; bash -c 'cat <(echo piped) | tr d D'`;
  const request = bench.request(scriptTask([script]), { isolation: 'bubblewrap' });
  const outcome = await runAttempt(request);
  assert.equal(outcome.status, 'complete', JSON.stringify(outcome));
  const path = publishedPath(bench.storeRoot, request.key, 'out.txt');
  const [refused, missing, judged, rest, open, piped] = readFileSync(path, 'utf8').split('\n');
  assert.equal(refused, harmless.map(() => '1').join());
  assert.equal(missing, absent.map(() => '38').join());
  assert.equal(judged, '97,97,1');
  assert.equal(rest, 'done,38');
  // The folder that is being read.
  assert.equal(open, '3');
  assert.equal(piped, 'pipeD');
});

test('every tool of the pipelines says its version under the filter', async (t) => {
  if (!(await isFiltered(t))) return;
  await using bench = await Bench.create();
  const reports = (await probeTools()).filter(({ status }) => status === 'ok');
  const tools = { ...resolvedTools(reports), helixmesh: { argv: [], version: '1' } };
  for (const { name, version } of reports) {
    if (version === null) continue;
    const { versionArgs } = TOOL_CATALOGUE[name];
    const base = scriptTask([':']);
    const stages = [{ tool: name, args: versionArgs }];
    const spec = {
      ...base,
      commands: [{ kind: 'tools', stages, stdout: 'out.txt' } as const],
      toolVersions: { [name]: version },
    };
    const limits = { memoryBytes: 4 * 2 ** 30 };
    const request = bench.request(spec, { isolation: 'bubblewrap', tools, limits });
    const outcome = await runAttempt(request);
    if (outcome.status === 'failed') {
      // It tells its version in the midst of its usage, and fails.
      assert.deepEqual([name, outcome.exitCode], ['bwa', 1], JSON.stringify(outcome));
      continue;
    }
    assert.equal(outcome.status, 'complete', JSON.stringify(outcome));
    const said = readFileSync(publishedPath(bench.storeRoot, request.key, 'out.txt'), 'utf8');
    const text = `${said}\n${outcome.stderrTail}`;
    assert.equal(parseToolVersion(name, text), version, JSON.stringify(outcome));
  }
});
