import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { crashRun, type Expected, seededPoints, undisturbedRun } from '../support/crash-run.ts';
import { DAEMON_RECOVERY_MAX_MS } from '../support/limits.ts';
import { type Sample, simulatedSample } from '../support/sample.ts';

const POINTS = 8;
const SEED = Number(process.env['HELIXMESH_TEST_SEED'] ?? 20_261);

/** Eight samples one after the other, on a machine that may be busy. */
const LONG = { timeout: 900_000 };

let sample: Sample;
let expected: Expected;
before(async () => {
  sample = await simulatedSample();
  expected = await undisturbedRun(sample);
});
after(() => sample.remove());

test('a daemon killed at any point of a job changes nothing in its result', LONG, async (t) => {
  const points = seededPoints(SEED, { points: POINTS, rows: expected.rows });
  const recoveries: number[] = [];
  for (const point of points) {
    const disturbances = [{ victim: 'daemon', ...point }] as const;
    const name = `seed ${SEED}: killed at row ${point.rows} + ${point.afterMs} ms`;
    await t.test(name, async () => {
      const run = await crashRun(sample, { disturbances, expected });
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

test('a daemon that is killed again and again still gets there', async () => {
  const rows = [4, 8, 14, 20];
  const disturbances = rows.map((row) => ({ victim: 'daemon', rows: row, afterMs: 0 }) as const);
  const run = await crashRun(sample, { disturbances, expected });
  assert.deepEqual(run.mismatches, []);
  assert.deepEqual(run.repeated, []);
  assert.equal(run.recovered, true);
});

test('an engine killed in the middle of a job changes nothing in its result', async () => {
  const disturbances = [{ victim: 'engine', rows: 5, afterMs: 200 }] as const;
  const run = await crashRun(sample, { disturbances, expected });
  assert.deepEqual(run.mismatches, []);
  assert.deepEqual(run.repeated, []);
  assert.deepEqual(run.startedAgain, {}, 'the tools went on without the engine');
  assert.deepEqual(run.leaks, []);
});
