import assert from 'node:assert/strict';
import { existsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { probeSandbox, type TaskSpec } from '@helixmesh/pipelines';
import type { Digest } from '@helixmesh/protocol';
import { AttemptMeter } from './attempt-meter.ts';
import { parsePosition, readPositions } from './read-positions.ts';
import { runAttempt } from './run-attempt.ts';
import { Bench, ISOLATIONS, scriptTask, until } from './testing/bench.ts';

const HALF = 200_000;
const UNWATCHED = { intervalMs: 0 };
const noProc = existsSync('/proc/self/fdinfo') ? false : 'SKIPPED: no /proc here';

/** A tool that streams its input and stops in the middle until the test says so. */
function halting(input: string, gate: string): TaskSpec {
  const spec = scriptTask([]);
  const script = [
    'exec 3<"$1" 4<>made.txt', // A shell in front, a file being written: neither is what counts.
    `head -c ${HALF} <&3 >&4`,
    `until [ -e '${gate}' ]; do sleep 0.05; done`,
    'cat <&3 >&4',
  ].join('; ');
  const stage = { tool: 'bwa', args: ['-c', script, 'tool', 'in.bin'] } as const;
  return {
    ...spec,
    inputs: [{ kind: 'file', name: 'in.bin', digest: 'sha256:00' as Digest, location: input }],
    commands: [{ kind: 'tools', stages: [stage], stdout: 'out.txt' }],
  };
}

for (const isolation of ISOLATIONS) {
  test(`${isolation}: a running tool is as far as it has read its input`, {
    skip: noProc,
  }, async (t) => {
    if (isolation === 'bubblewrap' && !(await probeSandbox()).available) {
      return t.skip('SKIPPED: bubblewrap does not work here');
    }
    await using bench = await Bench.create();
    const input = join(bench.root, 'input.bin');
    const gate = join(work(bench), 'gate');
    writeFileSync(input, Buffer.alloc(2 * HALF));
    const spec = halting(input, gate);
    const meter = new AttemptMeter(spec, UNWATCHED);
    assert.equal(await meter.fraction(), null);
    using stopping = abortAtEnd();
    const { signal } = stopping;
    const running = runAttempt(bench.request(spec, { isolation, meter, signal }));
    await until(async () => (await meter.fraction()) === 0.5);
    writeFileSync(gate, '');
    const outcome = await running;
    assert.equal(outcome.status, 'complete', JSON.stringify(outcome));
    assert.equal(await meter.fraction(), 0.99);
  });
}

test('within the interval nobody looks again', { skip: noProc }, async () => {
  await using bench = await Bench.create();
  const input = join(bench.root, 'input.bin');
  const gate = join(work(bench), 'gate');
  writeFileSync(input, Buffer.alloc(2 * HALF));
  const spec = halting(input, gate);
  const eager = new AttemptMeter(spec, UNWATCHED);
  const patient = new AttemptMeter(spec, { intervalMs: 3_600_000 });
  const [command] = spec.commands;
  assert.ok(command !== undefined);
  assert.equal(await patient.fraction(), null, 'the first look, before the tool');
  const started = (pid: number) => patient.started(command, { pid, work: work(bench) });
  using stopping = abortAtEnd();
  const { signal } = stopping;
  const running = runAttempt(
    bench.request(spec, { isolation: 'process_group', meter: eager, onStarted: started, signal }),
  );
  await until(async () => (await eager.fraction()) === 0.5);
  assert.equal(await patient.fraction(), null);
  writeFileSync(gate, '');
  assert.equal((await running).status, 'complete');
});

/** So that a test that fails leaves no tool behind. */
function abortAtEnd(): Disposable & { readonly signal: AbortSignal } {
  const controller = new AbortController();
  return { signal: controller.signal, [Symbol.dispose]: () => controller.abort() };
}

/** Of the bench's first attempt. */
function work(bench: Bench): string {
  return join(bench.scratchRoot, 'att_0000000000000001', 'work');
}

test('a process that is not there has read nothing', async () => {
  await using bench = await Bench.create();
  const file = join(bench.root, 'a');
  writeFileSync(file, 'abc');
  const seen = await readPositions(2 ** 30, [file, join(bench.root, 'gone'), bench.root]);
  assert.deepEqual([...seen], [[file, { position: 0, sizeBytes: 3 }]]);
});

test('the place of a file open for writing does not count', () => {
  const fdinfo = (flags: string) => `pos:\t4096\nflags:\t${flags}\nmnt_id:\t29\nino:\t7\n`;
  assert.equal(parsePosition(fdinfo('0100000')), 4096);
  assert.equal(parsePosition(fdinfo('0100001')), null);
  assert.equal(parsePosition(fdinfo('0100002')), null);
  assert.equal(parsePosition(''), null);
});
