/** A seed as one finds it who is in no network yet: over TLS, with a coordinator and nodes behind it. */
import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { askSeed } from '@helixmesh/client/network';
import { AppError, type Digest } from '@helixmesh/protocol';
import { nodeCrypto as crypto } from '@helixmesh/protocol/node';
import {
  formatNodeAddress,
  GENESIS_TYPE,
  type Genesis,
  type NodeAddress,
  networkId,
} from '@helixmesh/protocol/sealing';
import { pino } from 'pino';
import { createCoordinator } from '../coordination/coordinator.ts';
import { startComputeNode } from '../coordination/testing/compute-nodes.ts';
import type { NetworkListener } from '../network/listener.ts';
import { startTestNode, testIdentity } from '../network/testing/test-node.ts';
import { openDatabase } from '../sql/database.ts';
import { walletNamed } from '../testing/sealed-dataset.ts';
import { createSeed } from './seed.ts';

const LOOK_MS = 20;
const logger = pino({ level: 'silent' });
const operator = walletNamed('operator');

/** A network of one coordinator. */
function founded() {
  const identity = testIdentity();
  const genesis: Genesis = {
    ...{ type: GENESIS_TYPE, name: 'test', createdAtMs: 0, nonce: '0'.repeat(32) },
    coordinators: [identity.nodeId],
    attestedOperators: [operator.address],
  };
  const network = networkId(crypto, genesis);
  return { identity, genesis, network, common: { network, crypto, now: Date.now, logger } };
}

async function startCoordinator(t: TestContext, { identity, genesis, common }: Founded) {
  const database = await openDatabase(':memory:');
  const serve = (listener: NetworkListener) => {
    createCoordinator({ ...common, database, identity, genesis, listener });
  };
  const { network } = common;
  const { address, listener } = await startTestNode(t, serve, { identity, network });
  t.after(() => database.destroy());
  return { address, database, close: listener.close };
}

type Founded = ReturnType<typeof founded>;

async function startSeed(t: TestContext, { genesis, common }: Founded, coordinator: NodeAddress) {
  const identity = testIdentity();
  let seed: ReturnType<typeof createSeed> | undefined;
  const serve = (listener: NetworkListener) => {
    const own = { identity, genesis, listener, coordinator: () => coordinator, askMs: LOOK_MS };
    seed = createSeed({ ...common, ...own });
  };
  const { network } = common;
  const { address } = await startTestNode(t, serve, { identity, network });
  await seed?.start();
  t.after(() => seed?.stop());
  return { address, health: () => seed?.health().status };
}

async function listedAt(address: NodeAddress, count: number) {
  for (;;) {
    const seeded = await askSeed(address, null);
    if (seeded.list.nodes.length === count) return seeded;
    await delay(LOOK_MS);
  }
}

test('a newcomer gets the genesis document and the nodes, after the coordinator has gone too', async (t) => {
  const network = founded();
  const coordinator = await startCoordinator(t, network);
  const join = async (services: readonly string[], port: number) => {
    const change = { services: [...services], endpoint: `https://127.0.0.1:${port}` };
    const where = { ...coordinator, coordinator: coordinator.address };
    return startComputeNode(t, { ...network.common, ...where, operator, change });
  };
  const vault = await join(['storage', 'germline.v1'], 7411);
  const compute = await join(['compute'], 7412);
  await join(['custodian'], 7413);
  const seed = await startSeed(t, network, coordinator.address);
  const { genesis, list, network: id } = await listedAt(seed.address, 2);
  assert.deepEqual([genesis, id], [network.genesis, network.network]);
  assert.deepEqual(list.coordinators, [formatNodeAddress(coordinator.address)]);
  const at = (address: string) => list.nodes.find((node) => node.address === address)?.roles;
  assert.deepEqual(at(`${vault.identity.nodeId}@127.0.0.1:7411`), ['storage']);
  assert.deepEqual(at(`${compute.identity.nodeId}@127.0.0.1:7412`), ['compute']);
  assert.ok(list.heardAtMs > 0 && seed.health() === 'ok');
  await coordinator.close();
  const later = await askSeed(seed.address, network.network);
  assert.equal(later.list.nodes.length, 2);
});

test('a seed whose coordinator nobody has heard tells of the network all the same', async (t) => {
  const network = founded();
  const { nodeId } = network.identity;
  const gone = { nodeId, host: '127.0.0.1', port: 1 };
  const seed = await startSeed(t, network, gone);
  const { genesis, list } = await askSeed(seed.address, network.network);
  assert.deepEqual(genesis, network.genesis);
  assert.deepEqual([list.nodes, list.heardAtMs], [[], 0]);
  assert.deepEqual(list.coordinators, [formatNodeAddress(gone)]);
  assert.equal(seed.health(), 'degraded');
});

test('another network than was asked for, another key, and the list of another seed are refused', async (t) => {
  const network = founded();
  const gone = { nodeId: network.identity.nodeId, host: '127.0.0.1', port: 1 };
  const seed = await startSeed(t, network, gone);
  const untrusted = (error: unknown) => AppError.from(error).code === 'PEER_NOT_TRUSTED';
  const other = `sha256:${'1'.repeat(64)}` as Digest;
  await assert.rejects(askSeed(seed.address, other), untrusted);
  const { nodeId } = testIdentity();
  await assert.rejects(askSeed({ ...seed.address, nodeId }, null), untrusted);
  const liar = testIdentity();
  const serve = (listener: NetworkListener) => {
    // What the seed has signed, from a node that is another one.
    const identity = { ...testIdentity(), nodeId: liar.nodeId };
    const own = { identity, genesis: network.genesis, listener, coordinator: () => gone };
    createSeed({ ...network.common, ...own });
  };
  const { address } = await startTestNode(t, serve, { identity: liar });
  await assert.rejects(askSeed(address, null), untrusted);
});
