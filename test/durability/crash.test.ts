import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import {
  type CrashOutcome,
  crashRun,
  type Expected,
  type Kill,
  seededPoints,
  undisturbedRun,
  type Victim,
} from '../support/crash-run.ts';
import { RECOVERY_MAX_MS } from '../support/limits.ts';
import { type Sample, simulatedSample } from '../support/sample.ts';

const POINTS = 8;
const SEED = Number(process.env['HELIXMESH_TEST_SEED'] ?? 20_261);

interface Suite {
  readonly victim: Victim;
  /** In how many samples the points are; those of one sample lie far from each other. */
  readonly samples: number;
  /** Longest delay after a row: about as long as what it is to hit takes. */
  readonly maxAfterMs: number;
}

const SUITES: readonly Suite[] = [
  { victim: 'daemon', samples: POINTS, maxAfterMs: 400 },
  // Four engines in five seconds would be too many for the node's supervisor.
  { victim: 'engine', samples: 3, maxAfterMs: 400 },
  { victim: 'tool', samples: 2, maxAfterMs: 100 },
];

/** Several samples one after the other, on a machine that may be busy. */
const LONG = { timeout: 900_000 };

let sample: Sample;
let expected: Expected;
before(async () => {
  sample = await simulatedSample();
  expected = await undisturbedRun(sample);
});
after(() => sample.remove());

for (const { victim, samples, maxAfterMs } of SUITES) {
  test(
    `${POINTS} kills of the ${victim} at any points of a job change nothing in its result`,
    LONG,
    async (t) => {
      // After the last row nothing is left to disturb.
      const last = victim === 'tool' ? expected.toolRows : expected.rows - 1;
      const points = seededPoints(SEED, { points: POINTS, last, maxAfterMs });
      const kills: Kill[] = [];
      for (let i = 0; i < samples; i++) {
        const disturbances = points
          .filter((_, point) => point % samples === i)
          .map((point) => ({ victim, ...point }));
        const said = disturbances.map(({ rows, afterMs }) => `row ${rows} + ${afterMs} ms`);
        await t.test(`seed ${SEED}: killed at ${said.join(', ')}`, async () => {
          const run = await crashRun(sample, { disturbances, expected });
          kills.push(...run.kills);
          assert.deepEqual(run.mismatches, []);
          assert.deepEqual(run.repeated, []);
          assert.deepEqual(run.leaks, []);
          for (const { recoveryMs } of run.kills) {
            assert.ok((recoveryMs ?? 0) < RECOVERY_MAX_MS[victim], `${recoveryMs} ms`);
          }
          assertDisturbed(victim, run);
        });
      }
      assert.equal(kills.length, POINTS);
      const times = kills.map(({ recoveryMs: ms, rowsAtKill, step }) =>
        [
          `row ${rowsAtKill}`,
          ...(step === null ? [] : [step]),
          ms === null ? 'no work' : `${ms.toFixed(0)} ms`,
        ].join(' '),
      );
      process.stderr.write(`${victim} kills of seed ${SEED}: ${times.join(', ')}\n`);
    },
  );
}

/** What began again is what was killed, and the job tells of a dead daemon alone. */
function assertDisturbed(victim: Victim, { kills, recovered, startedAgain }: CrashOutcome): void {
  const wasRunning = kills.some(({ stateAtKill }) => stateAtKill === 'RUNNING');
  assert.equal(recovered, victim === 'daemon' && wasRunning);
  if (victim === 'daemon') return;
  const starts: Record<string, number> = {};
  for (const { step } of kills) if (step !== null) starts[step] = (starts[step] ?? 1) + 1;
  assert.deepEqual(startedAgain, starts);
}

test('a daemon that is killed again and again still gets there', async () => {
  const rows = [4, 8, 14, 20];
  const disturbances = rows.map((row) => ({ victim: 'daemon', rows: row, afterMs: 0 }) as const);
  const run = await crashRun(sample, { disturbances, expected });
  assert.deepEqual(run.mismatches, []);
  assert.deepEqual(run.repeated, []);
  assert.equal(run.recovered, true);
});
