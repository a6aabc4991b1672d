import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { toHex, utf8 } from '../bytes.ts';
import { canonicalJson } from '../canonical-json.ts';
import { nodeCrypto } from '../crypto/node-crypto.ts';
import { portableCrypto } from '../crypto/portable-crypto.ts';
import { AppError, ERROR_TABLE, type ErrorCode } from '../errors.ts';
import { type Digest, parseNodeId } from '../ids.ts';
import { WIRE_ERROR_BYTES_MAX } from '../limits.ts';
import { networkId } from '../signing/document.ts';
import { isAppError, throwsOnlyAppError, vectorText } from '../testing/bytes.ts';
import { formatNodeAddress, nodeIdOf, nodeKeyOf, parseNodeAddress } from './address.ts';
import { parseGenesis } from './genesis.ts';
import { NETWORK_ROUTES } from './routes.ts';
import { decodeWireError, encodeWireError } from './wire-error.ts';

interface Vectors {
  readonly genesis: readonly {
    readonly bytes: string;
    /** Null where the bytes are no genesis document. */
    readonly network: Digest | null;
    readonly why: string;
  }[];
  readonly addresses: readonly {
    readonly text: string;
    readonly isValid: boolean;
    readonly why: string;
  }[];
}
const vectors = JSON.parse(vectorText('network.json')) as Vectors;
const nodeId = parseNodeId(`node_${'ab'.repeat(32)}`);

test('a genesis document founds the network of another implementation, or none', () => {
  assert.ok(vectors.genesis.filter(({ network }) => network === null).length >= 10);
  for (const { bytes, network, why } of vectors.genesis) {
    if (network === null) {
      assert.throws(() => parseGenesis(utf8(bytes)), isAppError('INPUT_MALFORMED'), why);
      continue;
    }
    const genesis = parseGenesis(utf8(bytes));
    for (const crypto of [nodeCrypto, portableCrypto]) {
      assert.equal(networkId(crypto, genesis), network, why);
    }
  }
});

test('an address of a node has one spelling', () => {
  assert.ok(vectors.addresses.filter(({ isValid }) => !isValid).length >= 15);
  for (const { text, isValid, why } of vectors.addresses) {
    if (isValid) assert.equal(formatNodeAddress(parseNodeAddress(text)), text, why);
    else assert.throws(() => parseNodeAddress(text), isAppError('USAGE'), why);
  }
  assert.deepEqual(parseNodeAddress(`${nodeId}@[::1]:7401`), { nodeId, host: '::1', port: 7401 });
  assert.equal(nodeIdOf(nodeKeyOf(nodeId)), nodeId);
});

test('any host that is accepted comes back as it was', () => {
  const hosts = fc.oneof(fc.domain(), fc.ipV4(), fc.ipV6(), fc.webAuthority(), fc.string());
  fc.assert(
    fc.property(hosts, fc.integer({ min: 0, max: 70_000 }), (host, port) => {
      for (const text of [`${nodeId}@${host}:${port}`, `${nodeId}@[${host}]:${port}`]) {
        throwsOnlyAppError(() => assert.equal(formatNodeAddress(parseNodeAddress(text)), text));
      }
    }),
  );
});

test('an error arrives with its code, message and hint, and without its details', () => {
  const error = new AppError('LEASE_EXPIRED', 'the lease has ended', {
    hint: 'Open the object again.',
    details: { stateId: 'ab' },
    cause: 'x',
  });
  const { code, message, hint, details } = decodeWireError(encodeWireError(error)) ?? {};
  assert.deepEqual({ code, message, hint, details }, { ...error.toRecord(), details: undefined });
  const bare = new AppError('INTERNAL', 'it broke');
  assert.deepEqual(decodeWireError(encodeWireError(bare))?.toRecord(), bare.toRecord());
});

test('an error of any length fits into a header, and any header is read without a throw', () => {
  const codes = fc.constantFrom(...(Object.keys(ERROR_TABLE) as ErrorCode[]));
  const text = fc.oneof(
    fc.string({ unit: 'binary', maxLength: 700 }),
    fc.nat(700).map((n) => `${'x'.repeat(n)}${'😀'.repeat(700)}`),
    fc.constant('\u0001'.repeat(700)),
  );
  fc.assert(
    fc.property(codes, text, text, (code, message, hint) => {
      const header = encodeWireError(new AppError(code, message, { hint }));
      assert.ok(header.length <= (WIRE_ERROR_BYTES_MAX * 4) / 3, `${header.length}`);
      const read = decodeWireError(header);
      assert.equal(read?.code, code);
      const kept = message.slice(0, read?.message.length).toWellFormed();
      assert.equal(read?.message, kept.replaceAll(/\p{Cc}/gu, ' '));
      assert.ok(message.length > 600 || read?.message.length === message.length);
    }),
  );
  fc.assert(fc.property(fc.string(), (header) => void decodeWireError(header)));
  for (const record of [{ code: 'NO_SUCH', message: '' }, { code: 'USAGE' }, [], null]) {
    const header = Buffer.from(canonicalJson(record)).toString('base64');
    assert.equal(decodeWireError(header), undefined);
  }
});

test('each route has a path of its own, and names a scope exactly where an account may call', () => {
  const routes = Object.values(NETWORK_ROUTES);
  const places = routes.map(({ method, path }) => `${method} ${path.replace(/:\w+/g, ':')}`);
  assert.equal(new Set(places).size, places.length);
  for (const { path, signedBy, scope, params } of routes) {
    // Ours, and the one that clients of the Sequentias protocol call.
    assert.match(path, /^\/(api|bionfs)\/v1\//);
    assert.equal(signedBy.startsWith('account'), scope !== null, path);
    const named = [...path.matchAll(/:(\w+)/g)].map(([, name]) => name);
    assert.deepEqual(Object.keys(params.shape), named);
  }
});

test('what a release answers has limits, and its segments one spelling', () => {
  const { reply, body } = NETWORK_ROUTES.releaseHeader;
  const answer = {
    manifest: 'AAAA',
    header: 'AAAA',
    partHeader: null,
    segments: [
      { start: 0, end: 2 },
      { start: 3, end: 4 },
    ],
    grantSegments: 'AAAA',
    vaults: [`${nodeId}@127.0.0.1:7401`],
  };
  assert.deepEqual(reply.parse(answer), answer);
  const wrong = [
    { segments: [] },
    { segments: [{ start: 2, end: 2 }] },
    { segments: [answer.segments[0], { start: 2, end: 3 }] },
    { vaults: ['127.0.0.1:7401'] },
    { header: '' },
    { manifest: 'A'.repeat(90_000) },
    { more: 1 },
  ];
  for (const change of wrong) {
    assert.equal(reply.safeParse({ ...answer, ...change }).success, false, JSON.stringify(change));
  }
  const purpose = { pipeline: 'read', isCommercial: false, zone: 'MX' };
  const dataset = `sha256:${toHex(nodeCrypto.sha256(utf8('x')))}`;
  const request = { dataset, grant: null, purpose, encryptionKey: 'AAAA' };
  assert.equal(body.safeParse(request).success, true);
  assert.equal(body.safeParse({ ...request, purpose: { ...purpose, zone: 'mx' } }).success, false);
});
