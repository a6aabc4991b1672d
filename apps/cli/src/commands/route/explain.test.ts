/** What is told of decisions and dead tasks, by commands as their own processes, over TLS. */
import assert from 'node:assert/strict';
import { copyFile, mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { makeIdentity } from '@helixmesh/daemon/network';
import { deadTask, startCoordinator } from '@helixmesh/daemon/testing/coordinator';
import { nodeCrypto } from '@helixmesh/protocol/node';
import { encodeDocument, formatNodeAddress, toHex, walletOf } from '@helixmesh/protocol/sealing';
import { EXAMPLES } from '../../examples.ts';
import { makeBench, runBiofs, runCli } from '../../testing/cli.ts';

/** sysexits(3), as in the error table. */
const EXIT_USAGE = 64;
const EXIT_CONFLICT = 65;
const EXIT_NO_INPUT = 66;
const EXIT_REFUSED = 77;
/** The commands are processes of their own, with the clock of the machine. */
const clock = { now: Date.now, advance: () => undefined };

/** A coordinator with a dead task, in its data folder, and the requester of that in another one. */
async function makeNetwork(t: TestContext) {
  const bench = await makeBench(t);
  const dataDir = join(bench.folder, 'data');
  await mkdir(dataDir, { recursive: true });
  const identity = await makeIdentity(dataDir);
  const database = join(bench.folder, 'coordinator.sqlite');
  const coordinator = await startCoordinator(t, { clock, database, identity });
  const genesis = join(dataDir, 'network.json');
  await writeFile(genesis, encodeDocument(coordinator.genesis));
  const env = { ...bench.env, HELIXMESH_COORDINATOR: formatNodeAddress(coordinator.address) };
  const secret = nodeCrypto.random(32);
  const keyFile = join(bench.folder, 'wallet.key');
  await writeFile(keyFile, `${toHex(secret)}\n`, { mode: 0o600 });
  const person = ['--data', join(bench.folder, 'person')];
  const own = { ...bench, env };
  const login = [...person, 'login', '--key-file', keyFile, '--genesis', genesis];
  const { code, stderr } = await runBiofs(own, login);
  assert.equal(code, 0, stderr);
  const requester = walletOf(nodeCrypto, secret);
  const dead = await deadTask({ ...coordinator, identity, requester });
  return { bench: own, person, dead, identity, genesis };
}

test('the requester is shown who was asked, who was chosen and why, after it was checked', async (t) => {
  const { bench, person, dead, identity } = await makeNetwork(t);
  for (const subject of [dead.jobId, dead.taskId]) {
    const { stdout, stderr, code } = await runCli(bench, [...person, 'route', 'explain', subject]);
    assert.equal(code, 0, stderr);
    assert.match(stdout, /placed on 1; 2 of 2 nodes are lawful/);
    assert.match(stdout, new RegExp(`signed by ${identity.nodeId.slice(0, 17)}; made again`));
    assert.match(stdout, new RegExp(`${dead.chosen.slice(0, 17)} .* chosen`));
  }
  const json = [...person, 'route', 'explain', dead.jobId, '--json'];
  const told = JSON.parse((await runCli(bench, json)).stdout);
  assert.deepEqual(told.decision.outcome.chosen, [dead.chosen]);
  assert.equal(told.placements[0].placement, told.placement);
  const one = [...json, '--placement', told.placement];
  assert.deepEqual(JSON.parse((await runCli(bench, one)).stdout), told);
});

test('the operator of the coordinator runs every example, and nobody else may', async (t) => {
  const { bench, person, dead } = await makeNetwork(t);
  const examples = EXAMPLES.filter(({ command }) => /^(route|task) /.test(command));
  for (const { line } of examples) {
    const real = line
      .replace(/sha256:[0-9a-f]{64}/, dead.jobId)
      .replace(/task_[0-9a-f]{32}/, dead.taskId);
    const { code, stderr } = await runCli(bench, real.split(' ').slice(1));
    assert.equal(code, 0, `${line}\n${stderr}`);
  }
  assert.ok(examples.length >= 4);
  const again = await runCli(bench, ['task', 'retry', dead.taskId]);
  assert.equal(again.code, EXIT_CONFLICT, 'it is under way');
  const other = await runCli(bench, [...person, 'task', 'dead']);
  assert.equal(other.code, EXIT_REFUSED, other.stderr);
});

test('a stranger hears of no job, and what is no id is refused before anybody is asked', async (t) => {
  const { bench, dead, genesis } = await makeNetwork(t);
  const stranger = join(bench.folder, 'stranger');
  await mkdir(stranger);
  await makeIdentity(stranger);
  await copyFile(genesis, join(stranger, 'network.json'));
  const asked = await runCli(bench, ['--data', stranger, 'route', 'explain', dead.jobId]);
  assert.equal(asked.code, EXIT_NO_INPUT, asked.stderr);
  for (const line of [
    ['route', 'explain', 'S1'],
    ['task', 'retry', dead.jobId],
  ]) {
    assert.equal((await runCli(bench, line)).code, EXIT_USAGE, line.join(' '));
  }
});
