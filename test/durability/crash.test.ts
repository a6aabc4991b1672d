import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import {
  crashRun,
  type Disturbance,
  type Expected,
  seededPoints,
  undisturbedRun,
} from '../support/crash-run.ts';
import { DAEMON_RECOVERY_MAX_MS } from '../support/limits.ts';
import { type Sample, simulatedSample } from '../support/sample.ts';

const POINTS = 8;
const SEED = Number(process.env['HELIXMESH_TEST_SEED'] ?? 20_261);

let sample: Sample;
let expected: Expected;
before(async () => {
  sample = await simulatedSample();
  expected = await undisturbedRun(sample);
});
after(() => sample.remove());

test('a daemon killed at any point of a job changes nothing in its result', async (t) => {
  const points = seededPoints(SEED, { points: POINTS, rows: expected.rows });
  const recoveries: number[] = [];
  for (const point of points) {
    const disturbance: Disturbance = { victim: 'daemon', ...point };
    const name = `seed ${SEED}: killed at row ${point.rows} + ${point.afterMs} ms`;
    await t.test(name, async () => {
      const run = await crashRun(sample, { disturbance, expected });
      if (run.recoveryMs !== null) recoveries.push(run.recoveryMs);
      assert.deepEqual(run.mismatches, []);
      assert.deepEqual(run.repeated, []);
      assert.equal(run.recovered, run.stateAtKill === 'RUNNING');
      assert.ok((run.recoveryMs ?? 0) < DAEMON_RECOVERY_MAX_MS, `${run.recoveryMs} ms`);
      assert.deepEqual(run.leaks, []);
    });
  }
  const times = recoveries.map((ms) => ms.toFixed(0)).join(', ');
  process.stderr.write(`daemon kills of seed ${SEED}: recovered in ${times} ms\n`);
});

test('an engine killed in the middle of a job changes nothing in its result', async (t) => {
  const disturbance: Disturbance = { victim: 'engine', rows: 5, afterMs: 200 };
  const run = await crashRun(sample, { disturbance, expected });
  t.diagnostic(
    `${run.rowsAtKill} rows stood; the next came after ${run.recoveryMs?.toFixed(0)} ms`,
  );
  assert.deepEqual(run.mismatches, []);
  assert.deepEqual(run.repeated, []);
  assert.deepEqual(run.startedAgain, {}, 'the tools went on without the engine');
  assert.deepEqual(run.leaks, []);
});
