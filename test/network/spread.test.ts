/**
 * One sample spread over the nodes of a network while they are killed: coordinator, vault, custodian and
 * four compute nodes of as many operators, each a process behind a proxy that keeps what goes over it.
 */
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { after, before, test } from 'node:test';
import { STEP_DEADLINE_MS } from '../support/limits.ts';
import { answerOf } from '../support/network.ts';
import { analyse, fetchResult, waitUntilOver } from '../support/network-job.ts';
import { assertNothingLeft } from '../support/nothing-left.ts';
import { makeProxiedNetwork, type ProxiedNetwork } from '../support/proxied-network.ts';
import { killAtRandom } from '../support/random-kills.ts';
import { resultDigests } from '../support/result-digests.ts';
import { analyseAlone, type Samples, sealSamples } from '../support/sealed-samples.ts';
import { waitFor } from '../support/wait-for.ts';

const SEED = Number(process.env['SEED'] ?? 20_261_121);
const SPREAD = 3;
const KILLS_MAX = 4;
const PAUSE_MS_MAX = 8_000;
const TASKS = ['align', 'call.1', 'call.2', 'call.3', 'finish'];

interface Attempt {
  readonly operator: string;
  readonly verdict: string | null;
}

interface Task {
  readonly name: string;
  readonly taskId: string;
  readonly isChecked: boolean;
  readonly attempts: readonly Attempt[];
}

let network: ProxiedNetwork;
let samples: Samples;

before(async () => {
  network = await makeProxiedNetwork(['--nodes', '6']);
  await Promise.all(network.nodes.map((node) => node.start()));
  const owner = network.node('owner');
  const login = ['login', '--key-file', owner.keyFile, '--custodian', owner.proxy.endpoint];
  await answerOf('biofs', login, owner.dataDir);
  samples = await sealSamples(network, { count: 1, vault: 'vault' });
});

after(() => network?.stop());

test('a sample that is spread over nodes has the result of one machine, whatever was killed on the way', async (t) => {
  const [sample = assert.fail()] = samples.all;
  const job = await analyse(network, sample, { spread: SPREAD });
  let isOver = false;
  const over = waitUntilOver(network, job).finally(() => {
    isOver = true;
  });
  const options = { seed: SEED, max: KILLS_MAX, pauseMsMax: PAUSE_MS_MAX, isOver: () => isOver };
  const kills = await killAtRandom(network.nodes, options);
  t.diagnostic(`seed ${SEED}: ${JSON.stringify(kills.byName)}`);
  const view = await over;
  assert.equal(view.state, 'COMPLETE', JSON.stringify(view));
  assert.ok(kills.total >= 1, `${kills.total} kills`);
  const tasks = view.tasks as readonly Task[];
  assert.deepEqual(
    tasks.map(({ name, isChecked }) => [name, isChecked]),
    TASKS.map((name) => [name, true]),
  );
  const operators = tasks.flatMap(({ attempts }) =>
    attempts.filter(({ verdict }) => verdict === 'valid').map(({ operator }) => operator),
  );
  assert.ok(new Set(operators).size >= 3, `${new Set(operators).size} operators had a part in it`);

  const { out, agreed } = await fetchResult(network, job);
  const expected = await resultDigests(await analyseAlone(network, sample));
  const got = await resultDigests(out);
  assert.ok(agreed.length >= 4, agreed.join());
  for (const name of agreed) assert.equal(got[name], expected[name], name);

  const owner = network.node('owner').dataDir;
  await waitFor(() => (keysOfJobs(owner).every((key) => key === null) ? true : undefined), {
    deadline: STEP_DEADLINE_MS,
    what: 'the custodian has destroyed the key of the job',
  });
  assert.equal(keysOfJobs(owner).length, 1);
  const log = (await answerOf('biofs', ['access-log'], owner)) as { task: string | null }[];
  const named = new Set(log.flatMap(({ task }) => task ?? []));
  assert.deepEqual([...named].sort(), TASKS);
  const coordinator = ['--coordinator', network.node('coordinator').address];
  for (const { name, taskId } of tasks) {
    const told = ['route', 'explain', taskId, ...coordinator];
    const { placements } = await answerOf('helixmesh', told, owner);
    assert.ok(placements.every((each: { task: string }) => each.task === name));
  }
});

/** What the custodian of a data folder has of the keys to what tasks hand to each other. */
function keysOfJobs(dataDir: string): unknown[] {
  const path = join(dataDir, 'custody', 'custody.sqlite');
  const store = new DatabaseSync(path, { readOnly: true });
  try {
    const rows = store.prepare('SELECT sealed FROM job_keys').all();
    return rows.map(({ sealed }) => sealed);
  } finally {
    store.close();
  }
}

test('no name, read or packed read is left at a node, in a log, or in what went between them', () =>
  assertNothingLeft(network, samples));
