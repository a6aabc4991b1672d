/** Who a channel talks to, and with what: the node that was asked for, TLS 1.3 and HTTP/2. */
import assert from 'node:assert/strict';
import { generateKeyPairSync } from 'node:crypto';
import { once } from 'node:events';
import { createSecureServer } from 'node:http2';
import { type AddressInfo, createServer as createTcpServer, type Server } from 'node:net';
import { type TestContext, test } from 'node:test';
import { connect, createServer, type TlsOptions } from 'node:tls';
import type { NodeAddress } from '@helixmesh/protocol/sealing';
import type { NodeIdentity } from './identity.ts';
import type { NetworkListener } from './listener.ts';
import {
  channelOf,
  NETWORK,
  startTestNode,
  testAccount,
  testIdentity,
} from './testing/test-node.ts';

function serveNode(listener: NetworkListener): void {
  listener.route('getNode', async () => {
    const { nodeId } = listener.address;
    return { nodeId, network: NETWORK, roles: [], zone: null, version: '1' };
  });
}

/** A server that is not a listener of ours, with the certificate of `identity`. */
async function impostor(
  t: TestContext,
  identity: NodeIdentity,
  make: (options: TlsOptions) => Server,
): Promise<NodeAddress> {
  const server = make({ cert: identity.certificatePem, key: identity.privateKeyPem });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.after(() => server.close());
  const { port } = server.address() as AddressInfo;
  return { nodeId: identity.nodeId, host: '127.0.0.1', port };
}

test('a node with another key is not trusted, and sees no request', async (t) => {
  let requests = 0;
  const { address } = await startTestNode(t, (listener) => {
    listener.route('getNode', async () => {
      requests += 1;
      throw new TypeError('asked');
    });
  });
  const { nodeId } = testIdentity();
  const channel = channelOf(t, { ...address, nodeId }, await testAccount());
  for (let i = 0; i < 2; i += 1) {
    await assert.rejects(channel.call('getNode', {}), { code: 'PEER_NOT_TRUSTED' });
    await assert.rejects(channel.bionfs.discover({}), { code: 'PEER_NOT_TRUSTED' });
  }
  assert.equal(requests, 0);
});

test('a certificate of another kind of key is not trusted, whatever it says', async (t) => {
  const identity = testIdentity();
  const { privateKey } = generateKeyPairSync('ed25519');
  // The right certificate without its key does not even get through the handshake.
  const address = await impostor(t, identity, ({ cert }) => {
    const key = privateKey.export({ format: 'pem', type: 'pkcs8' });
    assert.throws(() => createServer({ cert: cert ?? '', key }), /key values mismatch/);
    const { certificatePem, privateKeyPem } = testIdentity();
    return createSecureServer({ cert: certificatePem, key: privateKeyPem });
  });
  await assert.rejects(channelOf(t, address).call('getNode', {}), { code: 'PEER_NOT_TRUSTED' });
});

test('a peer that speaks less than TLS 1.3, or not HTTP/2, is not trusted', async (t) => {
  const identity = testIdentity();
  const old = await impostor(t, identity, (options) =>
    createServer({ ...options, maxVersion: 'TLSv1.2', ALPNProtocols: ['h2'] }),
  );
  await assert.rejects(channelOf(t, old).call('getNode', {}), { code: 'PEER_NOT_TRUSTED' });
  const http1 = await impostor(t, identity, (options) => createServer(options));
  await assert.rejects(channelOf(t, http1).call('getNode', {}), { code: 'PEER_NOT_TRUSTED' });
  const plain = await impostor(t, identity, () =>
    createTcpServer((socket) => socket.end('HTTP/1.1 200 OK\r\n\r\n')),
  );
  await assert.rejects(channelOf(t, plain).call('getNode', {}), { code: 'PEER_NOT_TRUSTED' });
});

test('a listener speaks TLS 1.3 only, and HTTP/2 only', async (t) => {
  const { address } = await startTestNode(t, serveNode);
  const open = async (options: object) => {
    const socket = connect({ port: address.port, rejectUnauthorized: false, ...options });
    t.after(() => socket.destroy());
    await once(socket, 'secureConnect');
    return socket;
  };
  await assert.rejects(open({ maxVersion: 'TLSv1.2', ALPNProtocols: ['h2'] }), /protocol version/);
  const socket = await open({ ALPNProtocols: ['h2'] });
  assert.equal(socket.getProtocol(), 'TLSv1.3');
  assert.equal(socket.alpnProtocol, 'h2');
  socket.destroy();
  const http1 = await open({});
  http1.write('GET /health HTTP/1.1\r\nhost: x\r\n\r\n');
  assert.equal(Buffer.concat(await http1.toArray()).length, 0);
});

test('nobody listening is PEER_UNREACHABLE, and the next call finds the node that came back', async (t) => {
  const identity = testIdentity();
  const first = await startTestNode(t, serveNode, { identity });
  const channel = channelOf(t, first.address);
  await channel.call('getNode', {});
  await first.listener.close();
  await assert.rejects(channel.call('getNode', {}), { code: 'PEER_UNREACHABLE' });
  await assert.rejects(channel.bionfs.discover({}), { code: 'PEER_UNREACHABLE' });
  await startTestNode(t, serveNode, { identity, port: first.address.port });
  assert.equal((await channel.call('getNode', {})).nodeId, identity.nodeId);
  channel.close();
  await assert.rejects(channel.call('getNode', {}), { code: 'CANCELED' });
});

test('a port that is taken is a matter of configuration', async (t) => {
  const { address } = await startTestNode(t, serveNode);
  const taken = startTestNode(t, serveNode, { port: address.port });
  await assert.rejects(taken, { code: 'CONFIG_INVALID' });
});
