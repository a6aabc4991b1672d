/** The commands of a node in a network, against a coordinator over TLS. */
import assert from 'node:assert/strict';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { makeIdentity } from '@helixmesh/daemon/network';
import { memberOf, startCoordinator } from '@helixmesh/daemon/testing/coordinator';
import { encodeDocument, formatNodeAddress } from '@helixmesh/protocol/sealing';
import { EXAMPLES } from '../../examples.ts';
import { type Bench, makeBench, runCli, startDaemon } from '../../testing/cli.ts';
import { freePort } from '../../testing/free-port.ts';

/** sysexits(3), as in the error table. */
const EXIT_USAGE = 64;
const EXIT_NO_INPUT = 66;
const EXIT_NOT_TRUSTED = 77;
const EXIT_CONFIG = 78;

/** Key of the wallet that others publish for tests (hardhat's first). */
const KEY = 'ac0974bec39a17e36ba4a6b4d238ff944bacb478cbed5efcae784d7bf4f2ff80';
const OPERATOR = '0xf39fd6e51aad88f6f4ce6ab8827279cfffb92266';

/** The commands are processes of their own, with the clock of the machine. */
const clock = { now: Date.now, advance: () => undefined };

type Registered = ReturnType<ReturnType<typeof memberOf>['registration']>;

/** A coordinator, and a data folder that belongs to a node of its network. */
async function makeNetwork(t: TestContext) {
  const bench = await makeBench(t);
  const dataDir = join(bench.folder, 'data');
  await mkdir(dataDir, { recursive: true });
  const identity = await makeIdentity(dataDir);
  const database = join(bench.folder, 'coordinator.sqlite');
  const coordinator = await startCoordinator(t, { clock, database });
  await writeFile(join(dataDir, 'network.json'), encodeDocument(coordinator.genesis));
  const env = { ...bench.env, HELIXMESH_COORDINATOR: formatNodeAddress(coordinator.address) };
  const member = memberOf(t, coordinator, identity);
  return { bench: { ...bench, env } satisfies Bench, coordinator, member };
}

test('every example of the node commands does what it says', async (t) => {
  const { bench, member } = await makeNetwork(t);
  await writeFile(join(bench.folder, 'operator.key'), KEY, { mode: 0o600 });
  await member.register();
  await member.beat();
  const examples = EXAMPLES.filter(({ command }) => command.startsWith('node '));
  for (const { line } of examples) {
    const { code, stderr } = await runCli(bench, line.split(' ').slice(1));
    assert.equal(code, 0, `${line}\n${stderr}`);
  }
  assert.ok(examples.length >= 5);
});

test('a node is listed as a table and as JSON, and shown by how its id begins', async (t) => {
  const { bench, member } = await makeNetwork(t);
  const none = await runCli(bench, ['node', 'list']);
  assert.match(none.stdout, /No node has registered yet/);
  await member.register();
  await member.beat();
  const { nodeId } = member.identity;
  const text = await runCli(bench, ['node', 'list']);
  assert.match(text.stdout, new RegExp(`${nodeId.slice(0, 17)} +online +registered`));
  const listed = JSON.parse((await runCli(bench, ['node', 'list', '--json'])).stdout);
  assert.equal(listed[0].nodeId, nodeId);
  const shown = await runCli(bench, ['node', 'show', nodeId.slice(5, 15)]);
  assert.match(shown.stdout, /NVIDIA A100, 80.0 GiB/);
  const other = await runCli(bench, ['node', 'show', 'node_zz']);
  assert.equal(other.code, EXIT_NO_INPUT, other.stderr);
});

test('a node is drained and resumed from its own folder', async (t) => {
  const { bench, member } = await makeNetwork(t);
  await member.register();
  await member.beat();
  const drained = JSON.parse((await runCli(bench, ['node', 'drain', '--json'])).stdout);
  assert.equal(drained.liveness, 'draining');
  assert.equal((await member.view())?.liveness, 'draining');
  await runCli(bench, ['node', 'resume']);
  assert.equal((await member.view())?.liveness, 'online');
});

test('what an operator signs about a node makes its zones count, and nobody else can sign it', async (t) => {
  const { bench, member } = await makeNetwork(t);
  const key = join(bench.folder, 'op.key');
  await writeFile(key, KEY, { mode: 0o600 });
  const { nodeId } = member.identity;
  const args = ['node', 'vouch', nodeId, '--zones', 'NA,MX', '--operator-key-file', key];
  const { stdout, stderr } = await runCli(bench, args);
  assert.notEqual(stdout, '', stderr);
  const zoneStatement = JSON.parse(stdout);
  const services = ['compute'];
  const operator = OPERATOR as Registered['operator'];
  const registered = await member.register({ operator, zoneStatement, services });
  assert.deepEqual([registered.zones, registered.reason], [['MX', 'NA'], null]);
  const bare = await member.register({ operator, services });
  assert.match(bare.reason?.message ?? '', /node vouch/);
  const shown = await runCli(bench, ['node', 'show']);
  assert.match(shown.stdout, /because +no statement of its operator/);

  const wrong = [
    ['node', 'vouch', nodeId.slice(0, 20), '--zones', 'MX', '--operator-key-file', key],
    ['node', 'vouch', nodeId, '--zones', 'Mexico', '--operator-key-file', key],
    [...args, '--until', '2020-01-31'],
  ];
  for (const line of wrong) {
    const refused = await runCli(bench, line);
    assert.deepEqual([refused.code, refused.stdout], [EXIT_USAGE, ''], line.join(' '));
  }
});

test('without a coordinator, with a stranger, or without a network it says what to do', async (t) => {
  const { bench, coordinator } = await makeNetwork(t);
  const env = { ...bench.env, HELIXMESH_COORDINATOR: '' };
  const unknown = await runCli({ ...bench, env }, ['node', 'list']);
  assert.equal(unknown.code, EXIT_USAGE);
  assert.match(unknown.stderr, /--coordinator/);
  const stranger = `node_${'0'.repeat(64)}@127.0.0.1:${coordinator.address.port}`;
  const refused = await runCli(bench, ['node', 'list', '--coordinator', stranger]);
  assert.equal(refused.code, EXIT_NOT_TRUSTED);
  const outside = await runCli(bench, ['--data', join(bench.folder, 'other'), 'node', 'list']);
  assert.equal(outside.code, EXIT_CONFIG);
  assert.match(outside.stderr, /helixmesh init/);
});

test('a network that was founded with init lists its node once it is up', async (t) => {
  const bench = await makeBench(t);
  const listen = `127.0.0.1:${await freePort()}`;
  const founded = ['init', '--role', 'coordinator', '--network-name', 'test', '--listen', listen];
  const { stdout, stderr } = await runCli(bench, [...founded, '--json']);
  assert.notEqual(stdout, '', stderr);
  const { address, nodeId } = JSON.parse(stdout);
  const settings = { HELIXMESH_COORDINATOR: address, HELIXMESH_OPERATOR: `0x${'a'.repeat(40)}` };
  await startDaemon(t, { ...bench, env: { ...bench.env, ...settings } });
  const list = async () => JSON.parse((await runCli(bench, ['node', 'list', '--json'])).stdout);
  let nodes = await list();
  while (nodes[0]?.liveness !== 'online') nodes = await list();
  assert.deepEqual([nodes.length, nodes[0].nodeId], [1, nodeId]);
});
