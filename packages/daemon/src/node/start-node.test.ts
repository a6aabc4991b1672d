/** A node in its whole, over real TLS and its real socket. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { existsSync, readFileSync } from 'node:fs';
import { connect } from 'node:http2';
import { type AddressInfo, createServer } from 'node:net';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { createClient } from '@helixmesh/client';
import { openChannel } from '@helixmesh/client/network';
import { parseNodeAddress } from '@helixmesh/protocol/sealing';
import { loadIdentity } from '../network/identity.ts';
import { signedHeaders } from '../network/testing/raw-request.ts';
import { testAccount } from '../network/testing/test-node.ts';
import { temporaryFolder } from '../testing/temporary-folder.ts';
import { loadConfig } from './config.ts';
import type { NodeConfig } from './config-schema.ts';
import { type Initialised, type InitOptions, initNode } from './init.ts';
import { lockDataFolder } from './lock.ts';
import { nodePaths } from './paths.ts';
import { startNode } from './start-node.ts';

const root = temporaryFolder('start');
/** Between two looks at a health, ms. */
const LOOK_MS = 20;
let folders = 0;

interface Made extends Initialised {
  config(change?: Partial<NodeConfig>): NodeConfig;
}

/** A folder whose node listens on any free port. */
async function folderOf(
  roles: NodeConfig['roles'],
  network: InitOptions['network'] = { name: 'test' },
): Promise<Made> {
  const made = await initNode({
    dataDir: join(root, String(folders++)),
    network,
    settings: { roles, listen: '127.0.0.1:0' },
    nowMs: Date.now(),
  });
  return {
    ...made,
    config: (change = {}) => ({
      ...loadConfig({ env: {}, flags: { dataDir: made.dataDir } }).config,
      ...change,
    }),
  };
}

/** A channel of some stranger, who has a key and no more. */
async function channelTo(t: TestContext, made: Made, address: string) {
  const stranger = await folderOf(['custodian']);
  const { signingKey } = await loadIdentity(stranger.dataDir);
  const channel = openChannel({
    address: parseNodeAddress(address),
    network: made.network,
    signer: { secretKey: signingKey.secretKey },
  });
  t.after(() => channel.close());
  return channel;
}

/** GET /health as any probe does it, over HTTP/2. */
async function healthAtPort(address: string): Promise<{ readonly status: number }> {
  const { host, port } = parseNodeAddress(address);
  // The probe pins no key: it learns a word, and gives none away.
  const session = connect(`https://${host}:${port}`, { rejectUnauthorized: false });
  try {
    const request = session.request({ ':path': '/health' });
    request.resume();
    const [headers] = await once(request, 'response');
    return { status: headers[':status'] };
  } finally {
    session.close();
  }
}

/** Nothing of a node is left: another can have the folder. */
async function assertNothingRuns(dataDir: string): Promise<void> {
  const { lockFile, apiSocket } = nodePaths(dataDir);
  const lock = await lockDataFolder(lockFile);
  assert.equal(lock.wasHeld, false);
  await lock.release();
  assert.ok(!existsSync(apiSocket));
}

test('a vault that is its custodian as well serves both, each before the port opens', async (t) => {
  const made = await folderOf(['storage', 'custodian']);
  const node = await startNode({ config: made.config({ zone: 'EU' }) });
  t.after(() => node.stop());
  const client = createClient({ socketPath: node.socketPath });
  const { applications } = await client.call('getHealth', { params: {} });
  assert.deepEqual(
    applications?.map(({ name, status }) => `${name} ${status}`),
    ['storage ok', 'custodian ok', 'listener ok', 'api ok'],
  );
  const channel = await channelTo(t, made, node.address ?? '');
  const told = await channel.bionfs.discover({});
  assert.equal(told.zone, 'EU');
  const { status } = await healthAtPort(node.address ?? '');
  assert.equal(status, 200);
});

test('what it counts is told to Prometheus on loopback, without a name in it', async (t) => {
  const made = await folderOf(['storage']);
  const free = createServer().listen(0, '127.0.0.1');
  await once(free, 'listening');
  const { port } = free.address() as AddressInfo;
  free.close();
  await once(free, 'close');
  const metricsListen = `127.0.0.1:${port}`;
  const node = await startNode({ config: made.config({ metricsListen }) });
  t.after(() => node.stop());
  await (await channelTo(t, made, node.address ?? '')).bionfs.discover({});
  const reply = await fetch(`http://${metricsListen}/metrics`);
  const text = await reply.text();
  assert.match(text, /^helixmesh_application_health\{application="storage",status="ok"\} 1$/m);
  assert.match(text, /_seconds_count\{route="[^"]*BioNfs\/Discover",status="200"\} 1$/m);
  assert.match(text, /^process_resident_memory_bytes \d+$/m);
  assert.doesNotMatch(text, /[0-9a-f]{40}|127\.0\.0\.1/);
  assert.equal((await fetch(`http://${metricsListen}/health`)).status, 404);
  assert.throws(
    () => loadConfig({ env: { HELIXMESH_METRICS_LISTEN: '0.0.0.0:9464' }, flags: {} }),
    { code: 'CONFIG_INVALID' },
  );
});

test('a node that is told to stop while it starts leaves nothing', async () => {
  const made = await folderOf(['storage', 'custodian']);
  const signal = AbortSignal.abort();
  await assert.rejects(startNode({ config: made.config(), signal }), { code: 'CANCELED' });
  await assertNothingRuns(made.dataDir);
});

test('a node with a role tells who it is, and the health of each application, until it stops', async (t) => {
  const made = await folderOf(['custodian']);
  const node = await startNode({ config: made.config() });
  t.after(() => node.stop());
  assert.ok(node.address !== null);
  const told = await (await channelTo(t, made, node.address)).call('getNode', {});
  assert.equal(told.nodeId, made.nodeId);
  assert.equal(told.network, made.network);
  assert.deepEqual(told.roles, ['custodian']);
  const client = createClient({ socketPath: node.socketPath });
  const health = await client.call('getHealth', { params: {} });
  assert.equal(health.status, 'ok');
  assert.deepEqual(health.workflows, []);
  assert.deepEqual(health.applications, [
    { name: 'custodian', status: 'ok', why: null },
    { name: 'listener', status: 'ok', why: null },
    { name: 'api', status: 'ok', why: null },
  ]);
  await node.stop();
  await node.stopped;
  await assertNothingRuns(made.dataDir);
});

test('a node whose roles run no jobs says so to whoever brings one', async (t) => {
  const made = await folderOf(['custodian']);
  const node = await startNode({ config: made.config() });
  t.after(() => node.stop());
  const client = createClient({ socketPath: node.socketPath });
  assert.deepEqual(await client.call('listJobs', { params: {} }), []);
  const jobId = `job_${'0'.repeat(16)}`;
  await assert.rejects(client.call('cancelJob', { params: { jobId } }), {
    code: 'USAGE',
    message: /runs no jobs/,
  });
});

test('a coordinator runs jobs beside its part of the network', async (t) => {
  const made = await folderOf(['coordinator']);
  const node = await startNode({ config: made.config() });
  t.after(() => node.stop());
  const client = createClient({ socketPath: node.socketPath });
  const { applications, workflows } = await client.call('getHealth', { params: {} });
  assert.deepEqual(
    applications?.map(({ name }) => name),
    ['jobs', 'coordinator', 'verification', 'listener', 'api'],
  );
  assert.deepEqual(workflows, ['germline.v1']);
});

test('a port that is taken ends the start, and leaves nothing running', async (t) => {
  const taken = createServer();
  await new Promise<void>((resolve) => taken.listen(0, '127.0.0.1', resolve));
  t.after(() => taken.close());
  const address = taken.address();
  assert.ok(typeof address === 'object' && address !== null);
  const made = await folderOf(['custodian']);
  const listen = `127.0.0.1:${address.port}`;
  await assert.rejects(startNode({ config: made.config({ listen }) }), { code: 'CONFIG_INVALID' });
  await assertNothingRuns(made.dataDir);
  const log = readFileSync(nodePaths(made.dataDir).logFile, 'utf8');
  assert.match(log, /"application":"listener","code":"CONFIG_INVALID","msg":"start failed"/);
  const next = await startNode({ config: made.config() });
  await next.stop();
});

test('what does not fit is refused before anything listens', async () => {
  const made = await folderOf(['custodian']);
  const wrong: Partial<NodeConfig>[] = [
    { nodeId: `node_${'0'.repeat(64)}` },
    { roles: ['coordinator'] },
    { listen: '0.0.0.0:0' },
  ];
  for (const change of wrong) {
    await assert.rejects(startNode({ config: made.config(change) }), { code: 'CONFIG_INVALID' });
    await assertNothingRuns(made.dataDir);
  }
  const bare = made.config({ dataDir: join(root, 'bare') });
  await assert.rejects(startNode({ config: bare }), { code: 'CONFIG_INVALID', hint: /init/ });
});

test('keys never enter the log', async () => {
  const made = await folderOf(['custodian']);
  const node = await startNode({ config: made.config({ logLevel: 'trace' }) });
  await node.stop();
  const log = readFileSync(nodePaths(made.dataDir).logFile, 'utf8');
  assert.match(log, /node ready/);
  for (const name of ['node.key', 'encryption.key']) {
    const key = readFileSync(join(made.dataDir, 'identity', name), 'utf8').trim();
    assert.ok(!log.includes(key), name);
  }
});

test('a request that never ends does not keep a node: it stops within ten seconds', async (t) => {
  const made = await folderOf(['custodian']);
  const node = await startNode({ config: made.config() });
  t.after(() => node.stop());
  const { host, port, nodeId } = parseNodeAddress(node.address ?? '');
  const session = connect(`https://${host}:${port}`, { rejectUnauthorized: false });
  t.after(() => session.destroy());
  session.on('error', () => undefined);
  const { network } = made;
  const account = await testAccount(['read'], { network });
  const sent = { method: 'POST', path: '/api/v1/custody/releases' };
  const signed = signedHeaders(account, { ...sent, audience: nodeId }, { network });
  const request = session.request({
    ...{ ':method': sent.method, ':path': sent.path, 'content-type': 'application/json' },
    ...signed,
  });
  request.on('error', () => undefined);
  let isAnswered = false;
  request.once('response', () => {
    isAnswered = true;
  });
  request.write('{');
  await once(session, 'connect');
  await new Promise<void>((resolve, reject) => {
    // Answered after what was sent before it.
    session.ping((error) => (error === null ? resolve() : reject(error)));
  });
  assert.ok(!isAnswered, 'the rest of the body is waited for');
  const beganMs = performance.now();
  await node.stop();
  const tookMs = performance.now() - beganMs;
  assert.ok(tookMs < 10_000, `${tookMs} ms`);
  await node.stopped;
  await assertNothingRuns(made.dataDir);
});

test('a node that names its coordinator is registered there, with what its settings say', async (t) => {
  const founding = await folderOf(['coordinator']);
  const coordinator = await startNode({ config: founding.config() });
  t.after(() => coordinator.stop());
  const operator = `0x${'ab'.repeat(20)}`;
  const made = await folderOf(['custodian'], { genesisFile: founding.networkFile });
  const change = { coordinator: coordinator.address, operator, priceCoreHour: 7 };
  const node = await startNode({ config: made.config(change) });
  t.after(() => node.stop());
  const identity = await loadIdentity(made.dataDir);
  const channel = openChannel({
    address: parseNodeAddress(coordinator.address ?? ''),
    network: made.network,
    signer: { secretKey: identity.signingKey.secretKey },
    certificate: identity,
  });
  t.after(() => channel.close());
  const client = createClient({ socketPath: node.socketPath });
  for (;;) {
    const { status } = await client.call('getHealth', { params: {} });
    if (status === 'ok') break; // Before the first heartbeat the membership is not well.
    await delay(LOOK_MS);
  }
  const [registered, ...others] = await channel.call('listNodes', {});
  assert.deepEqual(others, []);
  assert.equal(registered?.nodeId, made.nodeId);
  assert.equal(registered.operator, operator);
  assert.deepEqual(registered.services, ['custodian']);
  assert.equal(registered.endpoint, `https://${node.address?.split('@')[1]}`);
});
