import assert from 'node:assert/strict';
import { test } from 'node:test';
import { AppError } from '@helixmesh/protocol';
import { pino } from 'pino';
import { createReconciler } from './reconciler.ts';

const logger = pino({ enabled: false });

test('a turn that fails comes again until it succeeds', async () => {
  let turns = 0;
  const { promise: succeeded, resolve } = Promise.withResolvers<void>();
  const { child } = createReconciler(async () => {
    turns += 1;
    if (turns < 3) throw new AppError('ENGINE_UNAVAILABLE', 'down');
    resolve();
  }, logger);
  const running = await child.start();
  await succeeded;
  await running.stop();
  await running.exited;
  assert.equal(turns, 3);
});

test('a turn that is asked for comes at once, also when another is just being taken', async () => {
  let turns = 0;
  let reached = Promise.withResolvers<void>();
  const reconciler = createReconciler(async () => {
    turns += 1;
    if (turns === 2) reconciler.hurry();
    if (turns !== 2) reached.resolve();
  }, logger);
  const running = await reconciler.child.start();
  assert.equal(turns, 1);
  reached = Promise.withResolvers<void>();
  reconciler.hurry();
  await reached.promise;
  assert.equal(turns, 3);
  await running.stop();
  await running.exited;
});
