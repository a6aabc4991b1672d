import assert from 'node:assert/strict';
import { test } from 'node:test';
import { AppError } from '@helixmesh/protocol';
import { type Child, type ChildSpec, Supervisor } from './supervisor.ts';

/** A child that ends when told to; it writes what happens to it. */
class Stub {
  readonly log: string[];
  readonly spec: ChildSpec;
  #ending = Promise.withResolvers<void>();
  #started = Promise.withResolvers<void>();

  constructor(name: string, log: string[], restartDelayMs?: number) {
    this.log = log;
    const start = async (): Promise<Child> => {
      log.push(`start ${name}`);
      this.#ending = Promise.withResolvers<void>();
      this.#started.resolve();
      const { promise: exited, resolve } = this.#ending;
      const stop = async (): Promise<void> => {
        log.push(`stop ${name}`);
        resolve();
      };
      return { exited, stop };
    };
    this.spec = restartDelayMs === undefined ? { name, start } : { name, start, restartDelayMs };
  }

  /** Ends the child and waits until it has been started again. */
  async crash(): Promise<void> {
    this.#started = Promise.withResolvers<void>();
    this.end();
    await this.#started.promise;
    await settled();
  }

  end(): void {
    this.#ending.reject(new AppError('TOOL_CRASHED', 'killed'));
  }
}

/** Lets every continuation that is due run. */
function settled(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}

test('children start in order and stop in reverse order', async () => {
  const log: string[] = [];
  {
    const children = ['a', 'b', 'c'].map((name) => new Stub(name, log).spec);
    await using _supervisor = await new Supervisor({ name: 's', children }).start();
  }
  assert.deepEqual(log, ['start a', 'start b', 'start c', 'stop c', 'stop b', 'stop a']);
});

test('a child that ends is started again and its siblings are not touched', async () => {
  const log: string[] = [];
  const [a, b] = [new Stub('a', log), new Stub('b', log)];
  const restarts: string[] = [];
  await using supervisor = await new Supervisor({
    name: 's',
    children: [a.spec, b.spec],
    onRestart: (child, reason) => restarts.push(`${child} ${AppError.from(reason).code}`),
  }).start();
  await a.crash();
  assert.deepEqual(log, ['start a', 'start b', 'start a']);
  assert.deepEqual(restarts, ['a TOOL_CRASHED']);
  assert.ok(supervisor);
});

test('the fourth end within the window stops all and fails the supervisor', async () => {
  const log: string[] = [];
  const [a, b] = [new Stub('a', log), new Stub('b', log)];
  let nowMs = 0;
  const options = { name: 's', children: [a.spec, b.spec], now: () => nowMs };
  const supervisor = await new Supervisor(options).start();
  for (let i = 0; i < 3; i++) {
    await a.crash();
    nowMs += 1_000;
  }
  a.end();
  await assert.rejects(supervisor.exited, {
    code: 'INTERNAL',
    message: /a ended more than 3 times/,
  });
  assert.equal(log.filter((line) => line === 'start a').length, 4);
  assert.equal(log.at(-1), 'stop b');
  await supervisor.stop();
});

test('restarts further apart than the window do not count together', async () => {
  const a = new Stub('a', []);
  let nowMs = 0;
  await using supervisor = await new Supervisor({
    name: 's',
    children: [a.spec],
    now: () => nowMs,
  }).start();
  for (let i = 0; i < 10; i++) {
    await a.crash();
    nowMs += 2_000;
  }
  assert.equal(a.log.filter((line) => line === 'start a').length, 11);
  assert.ok(supervisor);
});

test('a supervisor that fails is a crashed child of its parent, which starts it anew', async () => {
  const log: string[] = [];
  const a = new Stub('a', log);
  const restarts: string[] = [];
  const inner: ChildSpec = {
    name: 'inner',
    start: () => new Supervisor({ name: 'inner', children: [a.spec], maxRestarts: 1 }).start(),
  };
  await using _outer = await new Supervisor({
    name: 'outer',
    children: [inner, new Stub('b', log).spec],
    onRestart: (child, reason) => restarts.push(`${child} ${AppError.from(reason).code}`),
  }).start();
  await a.crash();
  await a.crash();
  assert.deepEqual(restarts, ['inner INTERNAL']);
  assert.deepEqual(log, ['start a', 'start b', 'start a', 'start a']);
});

test('a child that cannot start stops those before it, and the error is told', async () => {
  const log: string[] = [];
  const broken: ChildSpec = {
    name: 'broken',
    start: async () => {
      throw new AppError('DATA_IN_USE', 'taken');
    },
  };
  const supervisor = new Supervisor({ name: 's', children: [new Stub('a', log).spec, broken] });
  await assert.rejects(supervisor.start(), { code: 'DATA_IN_USE' });
  assert.deepEqual(log, ['start a', 'stop a']);
});

test('stopping ends a wait before a restart and takes the child no further', async () => {
  const log: string[] = [];
  const a = new Stub('a', log, 600_000);
  const supervisor = await new Supervisor({ name: 's', children: [a.spec] }).start();
  a.end();
  await settled();
  await supervisor.stop();
  await supervisor.exited;
  assert.deepEqual(log, ['start a']);
});

test('a child that was being started when the supervisor stops is stopped before it has', async () => {
  const log: string[] = [];
  const slow = new Stub('slow', log);
  const gate = Promise.withResolvers<void>();
  let starts = 0;
  const child: ChildSpec = {
    name: 'slow',
    start: async () => {
      if (starts++ > 0) await gate.promise;
      return slow.spec.start();
    },
  };
  const supervisor = await new Supervisor({ name: 's', children: [child] }).start();
  slow.end();
  await settled();
  const stopped = supervisor.stop().then(() => log.push('all stopped'));
  await settled();
  gate.resolve();
  await stopped;
  assert.deepEqual(log, ['start slow', 'start slow', 'stop slow', 'all stopped']);
});

test('a child that does not stop is left behind at the deadline', async () => {
  const { promise: exited } = Promise.withResolvers<void>();
  const child: ChildSpec = { name: 'deaf', start: async () => ({ exited, stop: () => exited }) };
  const supervisor = await new Supervisor({ name: 's', children: [child], drainMs: 20 }).start();
  await supervisor.stop();
  await supervisor.exited;
});
