/** What a listener does not let in: requests that are copied, changed, late, or of somebody else. */
import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { nodeCrypto } from '@helixmesh/protocol/node';
import {
  digestOf,
  KEY_BYTES,
  type SessionDelegation,
  signSession,
  toHex,
  utf8,
} from '@helixmesh/protocol/sealing';
import type { ListenerOptions } from './options.ts';
import { type RawReply, rawConnection, signedHeaders } from './testing/raw-request.ts';
import {
  channelOf,
  NETWORK,
  startTestNode,
  type TestAccount,
  testAccount,
  testIdentity,
} from './testing/test-node.ts';

const BODY = JSON.stringify({
  dataset: NETWORK,
  grant: null,
  purpose: { pipeline: 'read', isCommercial: false, zone: 'MX' },
  encryptionKey: 'AAAA',
});
const REQUEST = { method: 'POST', path: '/api/v1/custody/releases', body: BODY } as const;

/** A node that releases a header to whoever may ask, and counts how often it did. */
async function startCustodian(t: TestContext, options: Partial<ListenerOptions> = {}) {
  let released = 0;
  const node = await startTestNode(
    t,
    (listener) => {
      listener.route('releaseHeader', async () => {
        released += 1;
        const nothing = { partHeader: null, segments: null, grantSegments: null };
        return { manifest: 'AAAA', header: 'AAAA', ...nothing, vaults: [] };
      });
      listener.route('listNodes', async () => []);
    },
    options,
  );
  return { ...node, audience: node.identity.nodeId, released: () => released };
}

function assertRefused({ status, error }: RawReply, why: RegExp): void {
  assert.deepEqual([status, error?.code], [401, 'UNAUTHENTICATED']);
  assert.match(error?.message ?? '', why);
}

test('a request counts once', async (t) => {
  const node = await startCustodian(t);
  const send = rawConnection(t, node.address);
  const headers = signedHeaders(await testAccount(), { ...REQUEST, ...node });
  assert.equal((await send({ ...REQUEST, headers })).status, 200);
  assertRefused(await send({ ...REQUEST, headers }), /sent before/);
  const another = rawConnection(t, node.address);
  assertRefused(await another({ ...REQUEST, headers }), /sent before/);
  assert.equal(node.released(), 1);
});

test('a request for one node is worth nothing at another one', async (t) => {
  const [here, there] = await Promise.all([startCustodian(t), startCustodian(t)]);
  const headers = signedHeaders(await testAccount(), { ...REQUEST, ...here });
  const send = rawConnection(t, there.address);
  assertRefused(await send({ ...REQUEST, headers }), /signature/);
  assert.equal((await rawConnection(t, here.address)({ ...REQUEST, headers })).status, 200);
  assert.equal(there.released(), 0);
});

test('a request whose body, path, method or network differs from what was signed is refused', async (t) => {
  const node = await startCustodian(t);
  const send = rawConnection(t, node.address);
  const account = await testAccount();
  const lies = [
    { bodySha256: nodeCrypto.sha256(utf8(BODY.replace('MX', 'US'))) },
    { path: `${REQUEST.path}?x=1` },
    { method: 'GET' },
    { network: digestOf(nodeCrypto, 'helixmesh/network/v1', 'another') },
    { audience: testIdentity().nodeId },
  ];
  for (const lie of lies) {
    const headers = signedHeaders(account, { ...REQUEST, ...node }, lie);
    assertRefused(await send({ ...REQUEST, headers }), /signature/);
  }
  // The same JSON with other spaces is another body.
  const headers = signedHeaders(account, { ...REQUEST, ...node });
  assertRefused(await send({ ...REQUEST, headers, body: `${BODY} ` }), /signature/);
  assert.equal(node.released(), 0);
});

test('a request of another minute is refused, before and after', async (t) => {
  const { address } = await startCustodian(t);
  const account = await testAccount();
  for (const offMs of [-61_000, 61_000]) {
    const late = channelOf(t, address, account, () => Date.now() + offMs);
    await assert.rejects(late.call('listNodes', {}), (error: Error) => {
      assert.match(error.message, /another time/);
      return true;
    });
  }
});

test('a session counts for its own key, wallet, network and time', async (t) => {
  const node = await startCustodian(t);
  const send = rawConnection(t, node.address);
  const account = await testAccount();
  const stranger = await testAccount();
  const nowMs = Date.now();
  const network = digestOf(nodeCrypto, 'helixmesh/network/v1', 'another');
  const { message, signature } = account.session;
  const forged: readonly (readonly [string, TestAccount['session'], RegExp])[] = [
    ['of another key', stranger.session, /another key/],
    ['of another wallet', { message, signature: stranger.session.signature }, /not signed it/],
    [
      'with more scopes',
      { message: `${message}\n- urn:helixmesh:scope:custody`, signature },
      /not signed|not the text/,
    ],
    ['without a text', { message: 'let me in', signature }, /not the text/],
    ['of another network', await sessionOf(account, { network }), /another network/],
    ['that has expired', await sessionOf(account, { issuedAtMs: nowMs - 7_200_000 }), /expired/],
    [
      'that has not begun',
      await sessionOf(account, { issuedAtMs: nowMs + 7_200_000 }),
      /not begun/,
    ],
  ];
  for (const [what, session, why] of forged) {
    const headers = signedHeaders({ ...account, session }, { ...REQUEST, ...node });
    const reply = await send({ ...REQUEST, headers });
    assert.match(reply.error?.message ?? '', why, what);
    assert.equal(reply.status, 401, what);
  }
  for (const text of ['', '?', 'AAAA', 'A'.repeat(8_000)]) {
    const headers = signedHeaders(account, { ...REQUEST, ...node });
    const reply = await send({ ...REQUEST, headers: { ...headers, 'helixmesh-session': text } });
    assert.equal(reply.status, 401);
  }
  assert.equal(node.released(), 0);
  const headers = signedHeaders(account, { ...REQUEST, ...node });
  assert.equal((await send({ ...REQUEST, headers })).status, 200);
});

test('a session that was good ends at its time', async (t) => {
  let nowMs = Date.now();
  const { address } = await startCustodian(t, { now: () => nowMs });
  const account = await testAccount(['list'], { issuedAtMs: nowMs });
  const channel = channelOf(t, address, account, () => nowMs);
  await channel.call('listNodes', {});
  nowMs += 3_599_999;
  await channel.call('listNodes', {});
  nowMs += 1;
  for (let i = 0; i < 2; i += 1) {
    await assert.rejects(channel.call('listNodes', {}), { code: 'UNAUTHENTICATED' });
  }
});

test('a header that holds no proof is refused, whatever it is', async (t) => {
  const node = await startCustodian(t);
  const send = rawConnection(t, node.address);
  const { authorization, ...session } = signedHeaders(await testAccount(), { ...REQUEST, ...node });
  const good = String(authorization);
  const wrong = [
    undefined,
    'Bearer abc',
    good.toUpperCase(),
    `${good} `.repeat(2),
    good.replace('nonce=', 'once='),
    good.replace(/signature=[0-9a-f]{128}/, `signature=${'0'.repeat(128)}`),
    good.replace(/key=[0-9a-f]{64}/, `key=${'0'.repeat(64)}`),
    good.replace(/key=[0-9a-f]{64}/, `key=${toHex(nodeCrypto.random(KEY_BYTES))}`),
  ];
  for (const value of wrong) {
    const headers = { ...session, ...(value === undefined ? {} : { authorization: value }) };
    const reply = await send({ ...REQUEST, headers });
    assert.deepEqual([reply.status, reply.error?.code], [401, 'UNAUTHENTICATED'], value);
  }
  assert.equal(
    (await send({ ...REQUEST, headers: { ...session, authorization: good } })).status,
    200,
  );
});

function sessionOf({ wallet, secretKey }: TestAccount, change: Partial<SessionDelegation>) {
  const issuedAtMs = change.issuedAtMs ?? Date.now();
  return signSession(nodeCrypto, wallet, {
    account: wallet.address,
    sessionKey: toHex(nodeCrypto.ed25519PublicKey(secretKey)),
    network: NETWORK,
    scopes: ['read', 'list', 'put'],
    expiresAtMs: issuedAtMs + 3_600_000,
    nonce: toHex(nodeCrypto.random(16)),
    ...change,
    issuedAtMs,
  });
}
