import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect } from 'node:http2';
import { test } from 'node:test';
import { AppError } from '@helixmesh/protocol';
import { BioNfs } from '@helixmesh/protocol/bionfs';
import type { Caller } from './caller.ts';
import type { NetworkListener } from './listener.ts';
import {
  channelOf,
  collect,
  NETWORK,
  nodeChannelOf,
  startTestNode,
  testAccount,
  testIdentity,
} from './testing/test-node.ts';

const STATE = new Uint8Array(16).fill(7);
const purpose = { pipeline: 'read', isCommercial: false, zone: 'MX' };
const release = {
  dataset: NETWORK,
  grant: null,
  purpose,
  encryptionKey: 'AAAA',
};
const released = {
  manifest: 'AAAA',
  header: 'AAAA',
  partHeader: null,
  segments: null,
  grantSegments: null,
  vaults: [],
};

/** Serves a bit of each contract, and notes who called. */
function serveAll(seen: Caller[]) {
  return (listener: NetworkListener) => {
    listener.route('getNode', async (_input, caller) => {
      seen.push(caller);
      const { nodeId } = listener.address;
      return { nodeId, network: NETWORK, roles: ['storage'], zone: null, version: '1' };
    });
    listener.route('releaseHeader', async (_input, caller) => {
      seen.push(caller);
      return released;
    });
    listener.route('heartbeat', async (_input, caller) => {
      seen.push(caller);
      return { admission: 'admitted', liveness: 'alive' };
    });
    listener.route('listNodes', async (_input, caller) => {
      seen.push(caller);
      return [];
    });
    listener.service(
      BioNfs,
      {
        discover: (_request, context) => {
          seen.push(listener.callerOf(context));
          return { nodeId: listener.address.nodeId };
        },
        open: (request, context) => {
          seen.push(listener.callerOf(context));
          if (request.objectId === 'broken') throw new TypeError('cannot read /home/alice/x');
          if (request.objectId !== 'known') {
            throw new AppError('OBJECT_NOT_FOUND', 'there is no such object', { hint: 'Look.' });
          }
          return { stateId: STATE, leaseMs: 60_000 };
        },
        async *read(request, context) {
          seen.push(listener.callerOf(context));
          const { start = 0n, end = 0n } = request.range ?? {};
          for (let at = start; at < end; at += 1n) yield { data: Uint8Array.of(Number(at)) };
          if (end === 4n) throw new AppError('LEASE_EXPIRED', 'the lease has ended');
        },
        async write(requests, context) {
          seen.push(listener.callerOf(context));
          let size = 0;
          for await (const { data } of requests) size += data.length;
          return { objectId: `${size}` };
        },
      },
      {
        discover: { signedBy: 'nobody', scope: null },
        write: { signedBy: 'account', scope: 'put' },
      },
    );
  };
}

test('an account calls routes and methods of every kind on one connection', async (t) => {
  const seen: Caller[] = [];
  const { address } = await startTestNode(t, serveAll(seen));
  const account = await testAccount();
  const { bionfs, call } = channelOf(t, address, account);
  assert.equal((await call('getNode', {})).nodeId, address.nodeId);
  assert.deepEqual(await call('releaseHeader', { body: release }), released);
  assert.deepEqual(await call('listNodes', {}), []);
  assert.equal((await bionfs.discover({})).nodeId, address.nodeId);
  assert.deepEqual((await bionfs.open({ objectId: 'known' })).stateId, STATE);
  const read = await collect(bionfs.read({ stateId: STATE, range: { start: 1n, end: 4n - 1n } }));
  assert.deepEqual(
    read.map(({ data }) => [...data]),
    [[1], [2]],
  );
  assert.equal((await bionfs.write(pieces(3, 1000))).objectId, '3000');
  assert.deepEqual(
    seen.map(({ kind }) => kind),
    ['nobody', 'account', 'account', 'nobody', 'account', 'account', 'account'],
  );
  const last = seen.at(-1);
  assert.ok(last?.kind === 'account');
  assert.equal(last.account, account.wallet.address);
  assert.deepEqual(last.scopes, ['read', 'list', 'put']);
});

test('a node calls with its own key and certificate, and no other certificate will do', async (t) => {
  const seen: Caller[] = [];
  const { address } = await startTestNode(t, serveAll(seen));
  const identity = testIdentity();
  const body = { heartbeat: 'AAAA' };
  const reply = await nodeChannelOf(t, address, identity).call('heartbeat', { body });
  assert.deepEqual(reply, { admission: 'admitted', liveness: 'alive' });
  assert.deepEqual(seen, [
    { kind: 'node', nodeId: identity.nodeId, publicKey: identity.signingKey.publicKey },
  ]);
  const other = nodeChannelOf(t, address, identity, testIdentity());
  await assert.rejects(other.call('heartbeat', { body }), { code: 'UNAUTHENTICATED' });
  const bare = channelOf(t, address, { secretKey: identity.signingKey.secretKey });
  await assert.rejects(bare.call('heartbeat', { body }), { code: 'UNAUTHENTICATED' });
  await assert.rejects(bare.bionfs.open({ objectId: 'known' }), { code: 'UNAUTHENTICATED' });
  assert.equal(seen.length, 1);
});

test('each route lets in whom it names: nobody, another kind and a missing scope are refused', async (t) => {
  const seen: Caller[] = [];
  const { address } = await startTestNode(t, serveAll(seen));
  const nobody = channelOf(t, address);
  await assert.rejects(nobody.call('listNodes', {}), { code: 'UNAUTHENTICATED' });
  await assert.rejects(nobody.bionfs.open({ objectId: 'known' }), { code: 'UNAUTHENTICATED' });
  await assert.rejects(nobody.bionfs.write(pieces(1, 1)), { code: 'UNAUTHENTICATED' });
  const lister = channelOf(t, address, await testAccount(['list']));
  await lister.call('listNodes', {});
  await assert.rejects(lister.call('releaseHeader', { body: release }), { code: 'ACCESS_REFUSED' });
  await assert.rejects(lister.bionfs.write(pieces(1, 1)), { code: 'ACCESS_REFUSED' });
  const beat = lister.call('heartbeat', { body: { heartbeat: 'AAAA' } });
  await assert.rejects(beat, { code: 'UNAUTHENTICATED' });
  const node = nodeChannelOf(t, address, testIdentity());
  await assert.rejects(node.call('releaseHeader', { body: release }), { code: 'UNAUTHENTICATED' });
  await assert.rejects(node.bionfs.write(pieces(1, 1)), { code: 'UNAUTHENTICATED' });
  assert.deepEqual(
    seen.map(({ kind }) => kind),
    ['account'],
  );
});

test('an error of the node arrives with its code and hint, in the middle of a stream too', async (t) => {
  const { address } = await startTestNode(t, serveAll([]));
  const { bionfs, call } = channelOf(t, address, await testAccount());
  await assert.rejects(bionfs.open({ objectId: 'x' }), (error) => {
    assert.ok(error instanceof AppError);
    const { code, message, hint } = error;
    assert.deepEqual(
      { code, message, hint },
      { code: 'OBJECT_NOT_FOUND', message: 'there is no such object', hint: 'Look.' },
    );
    return true;
  });
  const got: number[] = [];
  const reading = async () => {
    for await (const { data } of bionfs.read({ stateId: STATE, range: { start: 2n, end: 4n } })) {
      got.push(...data);
    }
  };
  await assert.rejects(reading(), { code: 'LEASE_EXPIRED' });
  assert.deepEqual(got, [2, 3]);
  await assert.rejects(call('releaseHeader', { body: { ...release, grant: '?' } }), {
    code: 'USAGE',
  });
  await assert.rejects(call('drainNode', { params: { nodeId: address.nodeId } }), {
    code: 'NOT_FOUND',
  });
});

test('a failure of the system leaves the node without its message', async (t) => {
  const { address } = await startTestNode(t, serveAll([]));
  const { bionfs } = channelOf(t, address, await testAccount());
  await assert.rejects(bionfs.open({ objectId: 'broken' }), (error) => {
    assert.ok(error instanceof AppError);
    assert.equal(error.code, 'INTERNAL');
    assert.doesNotMatch(error.message, /alice/);
    return true;
  });
});

test('health says whether the node is well, over HTTP', async (t) => {
  let isHealthy = true;
  const { address } = await startTestNode(t, () => {}, { isHealthy: () => isHealthy });
  const session = connect(`https://127.0.0.1:${address.port}`, { rejectUnauthorized: false });
  t.after(() => session.destroy());
  const get = async () => {
    const stream = session.request({ ':path': '/health' });
    const [headers] = await once(stream, 'response');
    return [headers[':status'], JSON.parse(Buffer.concat(await stream.toArray()).toString())];
  };
  assert.deepEqual(await get(), [200, { status: 'ok' }]);
  isHealthy = false;
  assert.deepEqual(await get(), [503, { status: 'failing' }]);
});

async function* pieces(count: number, size: number) {
  for (let i = 0; i < count; i += 1) {
    yield { stateId: i === 0 ? STATE : new Uint8Array(), data: new Uint8Array(size) };
  }
}
