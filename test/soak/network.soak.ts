/**
 * Fifty kills of nodes of a network under four samples at once: every result is that of one machine.
 * SEED, KILLS and SAMPLES choose others.
 */
import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { answerOf } from '../support/network.ts';
import { analyse, fetchResult, waitUntilOver } from '../support/network-job.ts';
import { searchPlaintext, searchTraffic, sendControl } from '../support/plaintext-search.ts';
import { makeProxiedNetwork, type ProxiedNetwork } from '../support/proxied-network.ts';
import { killAtRandom } from '../support/random-kills.ts';
import { resultDigests } from '../support/result-digests.ts';
import { analyseAlone, sealSamples } from '../support/sealed-samples.ts';

const numberOf = (name: string, fallback: number) => Number(process.env[name] ?? fallback);
const SEED = numberOf('SEED', 1);
const KILLS = numberOf('KILLS', 50);
const SAMPLES = numberOf('SAMPLES', 4);
const PAUSE_MS_MAX = 3_000;

let network: ProxiedNetwork | undefined;
after(() => network?.stop());

test(`${SAMPLES} samples at once give the results of one machine under ${KILLS} kills`, async (t) => {
  const net = await makeProxiedNetwork(['--nodes', '5']);
  network = net;
  await Promise.all(net.nodes.map((node) => node.start()));
  const owner = net.node('owner');
  const login = ['login', '--key-file', owner.keyFile, '--custodian', owner.proxy.endpoint];
  await answerOf('biofs', login, owner.dataDir);
  const samples = await sealSamples(net, { count: SAMPLES, vault: 'vault' });
  const expected = new Map<string, Record<string, string>>();
  for (const sample of samples.all) {
    expected.set(sample.name, await resultDigests(await analyseAlone(net, sample)));
  }
  const beganMs = performance.now();
  // Analyses go on until the kills are done: each sample again while there are some left.
  let isKilling = true;
  let jobs = 0;
  const work = samples.all.map(async (sample) => {
    for (let round = 0; round === 0 || isKilling; round++) {
      const job = await analyse(net, sample, { isAnew: round > 0 });
      const { state } = await waitUntilOver(net, job);
      assert.equal(state, 'COMPLETE', `${sample.name}, round ${round}`);
      const { out, agreed } = await fetchResult(net, job);
      const got = await resultDigests(out);
      assert.ok(agreed.length >= 4, agreed.join());
      for (const name of agreed) {
        assert.equal(got[name], expected.get(sample.name)?.[name], `${sample.name} ${name}`);
      }
      jobs += 1;
    }
  });
  let hasFailed = false;
  for (const each of work) {
    each.catch(() => {
      hasFailed = true; // Told below.
    });
  }
  const kills = await killAtRandom(net.nodes, {
    ...{ seed: SEED, max: KILLS, pauseMsMax: PAUSE_MS_MAX, isOver: () => hasFailed },
    onKill: (name, total) => process.stderr.write(`kill ${total}: ${name}, ${jobs} jobs done\n`),
  });
  isKilling = false;
  await Promise.all(work);
  const seconds = Math.round((performance.now() - beganMs) / 1000);
  t.diagnostic(
    `seed ${SEED}: ${kills.total} kills ${JSON.stringify(kills.byName)}, ${jobs} jobs, ${seconds} s`,
  );
  assert.equal(kills.total, KILLS);
  await sendControl(net.node('vault'));
  await Promise.all(net.nodes.map((node) => node.stop()));
  const isSearched = (path: string) =>
    path.startsWith(`${net.folder}/net/`) && !path.includes('/references/');
  const { needles } = samples;
  assert.deepEqual((await searchPlaintext(net.traces(isSearched), needles)).found, []);
  assert.deepEqual((await searchTraffic(net, { needles, to: 'vault' })).found, []);
});
