import assert from 'node:assert/strict';
import { test } from 'node:test';
import { AppError } from '@helixmesh/protocol';
import { type Application, createApplications, OK, type Placed } from './application.ts';
import type { Logger } from './logger.ts';

const silent: Logger = { debug() {}, info() {}, warn() {}, error() {} };

interface Behaviour {
  readonly after?: readonly string[];
  readonly start?: () => Promise<void>;
  readonly stop?: () => Promise<void>;
  readonly health?: Application['health'];
}

/** An application that notes in `seen` what is asked of it. */
function placed(seen: string[], name: string, behaviour: Behaviour = {}): Placed {
  return {
    after: behaviour.after ?? [],
    drain: () => seen.push(`drain ${name}`),
    application: {
      name,
      start: async () => {
        seen.push(`start ${name}`);
        await behaviour.start?.();
      },
      stop: async () => {
        seen.push(`stop ${name}`);
        await behaviour.stop?.();
      },
      health: behaviour.health ?? (() => OK),
    },
  };
}

const fails = async () => {
  throw new AppError('DISK_FULL', 'no room');
};

test('each starts after those that it needs and stops before them, all being told first', async () => {
  const seen: string[] = [];
  const applications = createApplications(
    [
      placed(seen, 'api', { after: ['listener', 'jobs'] }),
      placed(seen, 'listener', { after: ['storage'] }),
      placed(seen, 'jobs'),
      placed(seen, 'storage'),
    ],
    { logger: silent },
  );
  await applications.start();
  assert.deepEqual(seen, ['start jobs', 'start storage', 'start listener', 'start api']);
  seen.length = 0;
  await Promise.all([applications.stop(), applications.stop()]);
  const drained = seen.splice(0, 4);
  assert.deepEqual(drained.toSorted(), [
    'drain api',
    'drain jobs',
    'drain listener',
    'drain storage',
  ]);
  assert.deepEqual(seen, ['stop api', 'stop listener', 'stop storage', 'stop jobs']);
});

test('when one cannot start, it and those before it are stopped, and none after it starts', async () => {
  const seen: string[] = [];
  const applications = createApplications(
    [
      placed(seen, 'a', { stop: fails }),
      placed(seen, 'b', { start: fails }),
      placed(seen, 'c', { after: ['b'] }),
    ],
    { logger: silent },
  );
  await assert.rejects(applications.start(), { code: 'DISK_FULL' });
  const asked = seen.filter((event) => !event.startsWith('drain'));
  assert.deepEqual(asked, ['start a', 'start b', 'stop b', 'stop a']);
  assert.ok(!seen.includes('drain c'));
});

test('one that hangs does not keep the others from stopping, and is named', async () => {
  const seen: string[] = [];
  const said: unknown[] = [];
  const logger: Logger = { ...silent, warn: (fields: unknown) => said.push(fields) };
  const applications = createApplications(
    [
      placed(seen, 'first'),
      { ...placed(seen, 'hanging', { stop: () => new Promise(() => {}) }), stopMs: 20 },
      placed(seen, 'last'),
    ],
    { logger },
  );
  await applications.start();
  await applications.stop();
  assert.deepEqual(
    seen.filter((event) => event.startsWith('stop')),
    ['stop last', 'stop hanging', 'stop first'],
  );
  assert.deepEqual(said, [{ application: 'hanging' }]);
});

test('all stops together end in time, whatever each of them was allowed', async () => {
  const hanging = { stop: () => new Promise<void>(() => {}) };
  const applications = createApplications(
    ['a', 'b', 'c'].map((name) => ({
      ...placed([], name, hanging),
      stopMs: Number.POSITIVE_INFINITY,
    })),
    { logger: silent, drainMs: 30 },
  );
  await applications.start();
  await applications.stop();
  assert.ok(applications.isDraining);
});

test('told to stop while it starts, it starts no more and stops those that run', async () => {
  const events: string[] = [];
  const told = new AbortController();
  const applications = createApplications(
    [
      placed(events, 'a', { start: async () => told.abort() }),
      placed(events, 'b', { after: ['a'] }),
    ],
    { logger: silent },
  );
  await assert.rejects(applications.start(told.signal), { code: 'CANCELED' });
  assert.deepEqual(events, ['start a', 'drain a', 'stop a']);
});

test('health is told of each, of those too that do not run or cannot tell', async () => {
  const applications = createApplications(
    [
      placed([], 'well'),
      placed([], 'ill', { health: () => ({ status: 'degraded', why: 'a vault is away' }) }),
      placed([], 'mute', {
        health: () => {
          throw new AppError('INTERNAL', 'broken');
        },
      }),
    ],
    { logger: silent },
  );
  assert.deepEqual(
    applications.health().map(({ why }) => why),
    Array(3).fill('it is not running'),
  );
  await applications.start();
  assert.deepEqual(applications.health(), [
    { name: 'well', status: 'ok', why: null },
    { name: 'ill', status: 'degraded', why: 'a vault is away' },
    { name: 'mute', status: 'failing', why: 'INTERNAL' },
  ]);
});

test('a circle, an unknown name and a name given twice are mistakes of the composition', () => {
  const compose = (...all: Placed[]) => createApplications(all, { logger: silent });
  const a = placed([], 'a', { after: ['b'] });
  assert.throws(() => compose(a), /a needs b/);
  assert.throws(() => compose(a, placed([], 'b', { after: ['a'] })), /circle/);
  assert.throws(() => compose(placed([], 'a'), placed([], 'a')), /one name/);
});
