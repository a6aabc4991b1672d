import assert from 'node:assert/strict';
import { test } from 'node:test';
import { AppError } from '@helixmesh/protocol';
import { pino } from 'pino';
import { startTestNode } from '../../network/testing/test-node.ts';
import { createTaskCoordination, oneRound } from './coordination.ts';
import { OFFER_MS, RETRY_FIRST_MS } from './limits.ts';
import { offersOf } from './placement.ts';
import { viewNetworkJob } from './submit.ts';
import { decisionOf, NOW_MS, submitted, type TaskBench, taskBench } from './testing/task-bench.ts';

const logger = pino({ level: 'silent' });

function decideOf(bench: TaskBench) {
  return async (task: Parameters<typeof decisionOf>[1], nowMs: number) => ({
    status: 'decided' as const,
    decision: decisionOf(bench, task, { nowMs, onShortfall: 'wait' }),
  });
}

test('a round offers what is wanted, and offers again what nobody took', async (t) => {
  const bench = await taskBench([1, 2]);
  t.after(() => bench.database.destroy());
  await submitted(bench);
  let nowMs = NOW_MS;
  const { database, keeper } = bench;
  const options = { database, keeper, decide: decideOf(bench), logger, now: () => nowMs };
  assert.deepEqual(await oneRound(options), { expired: 0, offered: 2 });
  assert.deepEqual(await oneRound(options), { expired: 0, offered: 0 }, 'nothing more is wanted');
  nowMs += OFFER_MS;
  assert.deepEqual(await oneRound(options), { expired: 2, offered: 0 }, 'a pause first');
  nowMs += RETRY_FIRST_MS;
  assert.deepEqual(await oneRound(options), { expired: 0, offered: 2 });
});

test('the application places jobs while it runs, says when it cannot, and stops', async (t) => {
  const bench = await taskBench([1, 2]);
  const { database, keeper, workers } = bench;
  t.after(() => database.destroy());
  const job = await submitted(bench);
  const failed = Promise.withResolvers<void>();
  const asked = Promise.withResolvers<void>();
  let isBroken = true;
  let coordination: ReturnType<typeof createTaskCoordination> | undefined;
  await startTestNode(t, (listener) => {
    coordination = createTaskCoordination({
      database,
      listener,
      keeper,
      zoneOf: async () => null,
      now: () => NOW_MS,
      logger,
      roundMs: 1,
      decide: async (task, nowMs) => {
        if (isBroken) {
          // The round has failed once this is asked again.
          failed.resolve();
          throw new AppError('BUSY', 'the registry does not answer');
        }
        asked.resolve();
        return decideOf(bench)(task, nowMs);
      },
    });
  });
  assert.ok(coordination !== undefined);
  await coordination.start();
  await failed.promise;
  await until(() => coordination?.health().status === 'failing');
  isBroken = false;
  await asked.promise;
  await until(() => coordination?.health().status === 'ok');
  await coordination.stop();
  for (const { nodeId } of workers) {
    assert.equal((await offersOf(database, nodeId, NOW_MS)).length, 1);
  }
  assert.equal((await viewNetworkJob(database, job)).tasks[0]?.attempts.length, 2);
});

/** Lets the loop go on until `holds`. */
async function until(holds: () => boolean): Promise<void> {
  while (!holds()) await new Promise((resolve) => setImmediate(resolve));
}
