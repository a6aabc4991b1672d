/**
 * One sample analysed by two operators of a network while its nodes are killed: coordinator, vault,
 * custodian and compute nodes, each a process behind a proxy that keeps what goes over it.
 */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { answerOf } from '../support/network.ts';
import { analyse, fetchResult, type StartedJob, waitUntilOver } from '../support/network-job.ts';
import { assertNothingLeft } from '../support/nothing-left.ts';
import { makeProxiedNetwork, type ProxiedNetwork } from '../support/proxied-network.ts';
import { killAtRandom } from '../support/random-kills.ts';
import { resultDigests } from '../support/result-digests.ts';
import { analyseAlone, type Samples, sealSamples } from '../support/sealed-samples.ts';

const SEED = Number(process.env['SEED'] ?? 20_261_121);
const KILLS_MAX = 6;
const KILLS_MIN = 2;
const PAUSE_MS_MAX = 2_500;

let network: ProxiedNetwork;
let samples: Samples;
let job: StartedJob;

before(async () => {
  network = await makeProxiedNetwork(['--nodes', '4']);
  await Promise.all(network.nodes.map((node) => node.start()));
  const owner = network.node('owner');
  const login = ['login', '--key-file', owner.keyFile, '--custodian', owner.proxy.endpoint];
  await answerOf('biofs', login, owner.dataDir);
  samples = await sealSamples(network, { count: 1, vault: 'vault' });
});

after(() => network?.stop());

test('the result is that of one machine, whatever was killed on the way', async (t) => {
  const [sample = assert.fail()] = samples.all;
  job = await analyse(network, sample);
  let isOver = false;
  const over = waitUntilOver(network, job).finally(() => {
    isOver = true;
  });
  const options = { seed: SEED, max: KILLS_MAX, pauseMsMax: PAUSE_MS_MAX, isOver: () => isOver };
  const kills = await killAtRandom(network.nodes, options);
  t.diagnostic(`seed ${SEED}: ${JSON.stringify(kills.byName)}`);
  const killedMs = performance.now();
  const view = await over;
  t.diagnostic(`over ${Math.round((performance.now() - killedMs) / 1000)} s after the last kill`);
  assert.equal(view.state, 'COMPLETE', JSON.stringify(view));
  assert.ok(kills.total >= KILLS_MIN, `${kills.total} kills`);
  const { out, agreed } = await fetchResult(network, job);
  const expected = await resultDigests(await analyseAlone(network, sample));
  const got = await resultDigests(out);
  assert.ok(agreed.length >= 4, agreed.join());
  for (const name of agreed) assert.equal(got[name], expected[name], name);
});

test('no name, read or packed read is left at a node, in a log, or in what went between them', async () => {
  await assertNothingLeft(network, samples);
});
