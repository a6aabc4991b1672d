/** What a listener takes of whom, and how it ends. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect as connectHttp2, type OutgoingHttpHeaders } from 'node:http2';
import { test } from 'node:test';
import { setImmediate } from 'node:timers/promises';
import { connect } from 'node:tls';
import { createClient } from '@connectrpc/connect';
import { createGrpcTransport } from '@connectrpc/connect-node';
import { BioNfs } from '@helixmesh/protocol/bionfs';
import { HEALTH_SERVICE } from './health.ts';
import {
  CONNECTION_WINDOW_BYTES,
  CONNECTIONS_PER_ADDRESS_MAX,
  MESSAGE_BYTES_MAX,
} from './limits.ts';
import type { NetworkListener } from './listener.ts';
import { rawConnection, signedHeaders } from './testing/raw-request.ts';
import {
  channelOf,
  NETWORK,
  nodeChannelOf,
  startTestNode,
  testAccount,
  testIdentity,
} from './testing/test-node.ts';

function serveLists(listener: NetworkListener): void {
  listener.route('listNodes', async () => []);
  listener.route('getNode', async () => {
    const { nodeId } = listener.address;
    return { nodeId, network: NETWORK, roles: [], zone: null, version: '1' };
  });
}

test('a body or message that is too large is refused, and the connection goes on', async (t) => {
  const { address, identity } = await startTestNode(t, (listener) => {
    serveLists(listener);
    listener.route('heartbeat', async () => ({ admission: 'a', liveness: 'b' }));
    listener.service(BioNfs, { openPut: () => ({ objectId: 'x' }) });
  });
  const send = rawConnection(t, address);
  const request = { method: 'POST', path: '/api/v1/nodes/heartbeat' };
  const body = JSON.stringify({ heartbeat: 'A'.repeat(MESSAGE_BYTES_MAX) });
  const reply = await send({ ...request, headers: {}, body });
  assert.equal(reply.error?.code, 'USAGE');
  const account = await testAccount();
  const { bionfs, call } = channelOf(t, address, account);
  const large = bionfs.openPut({ manifest: new Uint8Array(MESSAGE_BYTES_MAX + 1) });
  await assert.rejects(large, { code: 'BUSY' });
  assert.equal((await bionfs.openPut({ manifest: new Uint8Array(1000) })).objectId, 'x');
  await call('listNodes', {});
  const headers = { 'x-long': 'y'.repeat(100_000) };
  await assert.rejects(send({ method: 'GET', path: '/health', headers }));
  assert.equal(identity.nodeId, address.nodeId);
});

test('who has signed a request may send more ahead on that connection than a stranger', async (t) => {
  const { address, identity } = await startTestNode(t, serveLists);
  const session = connectHttp2(`https://127.0.0.1:${address.port}`, { rejectUnauthorized: false });
  t.after(() => session.destroy());
  const request = { method: 'GET', path: '/api/v1/nodes' };
  const ask = async (headers: OutgoingHttpHeaders) => {
    const stream = session.request({ ':path': request.path, ...headers });
    stream.resume().end();
    await once(stream, 'close');
    return session.state.remoteWindowSize ?? 0;
  };
  assert.ok((await ask({})) < CONNECTION_WINDOW_BYTES / 16);
  const account = await testAccount();
  const window = await ask(signedHeaders(account, { ...request, audience: identity.nodeId }));
  assert.ok(window >= CONNECTION_WINDOW_BYTES, `${window} bytes`);
});

test('one address may send so many requests in a minute', async (t) => {
  const { address } = await startTestNode(t, serveLists, { requestsPerAddress: 5 });
  const channel = channelOf(t, address);
  for (let i = 0; i < 5; i += 1) await channel.call('getNode', {});
  await assert.rejects(channel.call('getNode', {}), (error: Error & { hint?: string }) => {
    assert.match(error.hint ?? '', /Try again in \d+ seconds/);
    return true;
  });
  // Other connections, other callers and places that are not there share the count.
  const node = nodeChannelOf(t, address, testIdentity());
  await assert.rejects(node.call('listNodes', {}), { code: 'BUSY' });
  await assert.rejects(node.bionfs.discover({}), { code: 'BUSY' });
  const send = rawConnection(t, address);
  assert.equal((await send({ method: 'GET', path: '/nowhere', headers: {} })).status, 429);
});

test('one account may send so many requests in a minute, in all its sessions, and only its own count', async (t) => {
  const { address, identity } = await startTestNode(t, serveLists, { requestsPerKey: 3 });
  const account = await testAccount();
  // Requests that the account has not signed do not use up what it may send.
  const request = { method: 'GET', path: '/api/v1/nodes' };
  const stranger = await testAccount();
  const send = rawConnection(t, address);
  for (let i = 0; i < 4; i += 1) {
    const lie = { secretKey: stranger.secretKey, session: account.session };
    const headers = signedHeaders(lie, { ...request, audience: identity.nodeId });
    assert.equal((await send({ ...request, headers })).status, 401);
  }
  const channel = channelOf(t, address, account);
  for (let i = 0; i < 3; i += 1) await channel.call('listNodes', {});
  await assert.rejects(channel.call('listNodes', {}), { code: 'BUSY' });
  await channelOf(t, address, stranger).call('listNodes', {});
});

test('one address may hold so many connections, and gets them back', async (t) => {
  const { address } = await startTestNode(t, serveLists);
  const open = async () => {
    const socket = connect({
      port: address.port,
      rejectUnauthorized: false,
      ALPNProtocols: ['h2'],
    });
    socket.on('error', () => {});
    t.after(() => socket.destroy());
    await Promise.race([once(socket, 'secureConnect'), once(socket, 'close')]);
    return socket;
  };
  const sockets = [];
  for (let i = 0; i < CONNECTIONS_PER_ADDRESS_MAX; i += 1) sockets.push(await open());
  assert.ok(sockets.every(({ closed }) => !closed));
  const channel = channelOf(t, address);
  await assert.rejects(channel.call('getNode', {}), { code: 'PEER_UNREACHABLE' });
  for (const socket of sockets) socket.destroy();
  const answered = async () =>
    channel.call('getNode', {}).then(
      () => true,
      () => false,
    );
  while (!(await answered())) await setImmediate();
});

test('grpc.health.v1 answers anybody, for the node and each service', async (t) => {
  let isHealthy = true;
  const { address } = await startTestNode(t, (listener) => listener.service(BioNfs, {}), {
    isHealthy: () => isHealthy,
  });
  const transport = createGrpcTransport({
    baseUrl: `https://127.0.0.1:${address.port}`,
    nodeOptions: { rejectUnauthorized: false },
    idleConnectionTimeoutMs: 100,
  });
  const client = createClient(HEALTH_SERVICE, transport) as unknown as {
    check(request: object): Promise<{ readonly status: number }>;
  };
  assert.equal((await client.check({})).status, 1);
  assert.equal((await client.check({ service: BioNfs.typeName })).status, 1);
  await assert.rejects(client.check({ service: 'nobody' }), /not_found/);
  isHealthy = false;
  assert.equal((await client.check({})).status, 2);
});

test('a listener that closes lets a call end, and takes no new one', async (t) => {
  const gate = Promise.withResolvers<void>();
  const { address, listener } = await startTestNode(t, (opened) => {
    opened.service(BioNfs, {
      async *read() {
        yield { data: Uint8Array.of(1) };
        await gate.promise;
        yield { data: Uint8Array.of(2) };
      },
    });
  });
  const channel = channelOf(t, address, await testAccount());
  const reading = channel.bionfs.read({})[Symbol.asyncIterator]();
  assert.deepEqual((await reading.next()).value?.data, Uint8Array.of(1));
  const closing = listener.close();
  const late = channelOf(t, address, await testAccount());
  await assert.rejects(late.bionfs.discover({}), { code: 'PEER_UNREACHABLE' });
  gate.resolve();
  assert.deepEqual((await reading.next()).value?.data, Uint8Array.of(2));
  assert.equal((await reading.next()).done, true);
  await closing;
});

test('a listener that closes ends a call that would not end, and says why', async (t) => {
  const { address, listener } = await startTestNode(t, (opened) => {
    opened.service(BioNfs, {
      async *read(_request, { signal }) {
        yield { data: Uint8Array.of(1) };
        await new Promise((_resolve, reject) => {
          signal.addEventListener('abort', () => reject(signal.reason));
        });
      },
    });
  });
  const { bionfs } = channelOf(t, address, await testAccount());
  const got: number[] = [];
  const reading = async () => {
    for await (const { data } of bionfs.read({})) {
      got.push(...data);
      void listener.close();
    }
  };
  await assert.rejects(reading(), { code: 'PEER_UNREACHABLE' });
  assert.deepEqual(got, [1]);
  await listener.close();
});
