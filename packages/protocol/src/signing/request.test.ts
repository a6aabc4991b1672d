import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { toHex, utf8 } from '../bytes.ts';
import { nodeCrypto } from '../crypto/node-crypto.ts';
import { portableCrypto } from '../crypto/portable-crypto.ts';
import { type Digest, type NodeId, parseNodeId } from '../ids.ts';
import { REQUEST_WINDOW_MS } from '../limits.ts';
import { isAppError, knownBytes, throwsOnlyAppError, vectorText } from '../testing/bytes.ts';
import { makeReplayGuard } from './replay-guard.ts';
import {
  formatRequestProof,
  parseRequestProof,
  type RequestFacts,
  signRequest,
  verifyRequest,
} from './request.ts';

interface Vectors {
  readonly network: Digest;
  readonly nowMs: number;
  readonly cases: readonly {
    readonly facts: {
      readonly method: string;
      readonly path: string;
      readonly body: string;
      readonly audience: NodeId;
    };
    readonly authorization: string;
    readonly isValid: boolean;
    readonly why: string;
  }[];
}
const vectors = JSON.parse(vectorText('requests.json')) as Vectors;

const nowMs = 1_700_000_000_000;
const secretKey = knownBytes(32);
const facts: RequestFacts = {
  network: vectors.network,
  method: 'GET',
  path: '/api/v1/jobs',
  bodySha256: nodeCrypto.sha256(new Uint8Array(0)),
  audience: parseNodeId(`node_${'ab'.repeat(32)}`),
};

const guardAt = (startedAtMs: number) => makeReplayGuard({ startedAtMs });

test('requests are as another implementation signs them, and nothing about them may differ', () => {
  assert.ok(vectors.cases.filter(({ isValid }) => !isValid).length >= 10);
  for (const { facts: seen, authorization, isValid, why } of vectors.cases) {
    for (const crypto of [nodeCrypto, portableCrypto]) {
      const { body, ...rest } = seen;
      const request = { ...rest, network: vectors.network, bodySha256: crypto.sha256(utf8(body)) };
      const at = { nowMs: vectors.nowMs, guard: guardAt(0) };
      const verdict = verifyRequest(crypto, request, parseRequestProof(authorization), at);
      assert.equal(verdict.status === 'accepted', isValid, why);
    }
  }
});

test('a request is accepted once, through its header', () => {
  const guard = guardAt(nowMs - 1000);
  const header = formatRequestProof(signRequest(nodeCrypto, facts, { secretKey, nowMs }));
  const proof = parseRequestProof(header);
  assert.deepEqual(verifyRequest(nodeCrypto, facts, proof, { nowMs, guard }), {
    status: 'accepted',
  });
  for (const laterMs of [0, 1000, REQUEST_WINDOW_MS]) {
    const verdict = verifyRequest(nodeCrypto, facts, proof, { nowMs: nowMs + laterMs, guard });
    assert.deepEqual(verdict, { status: 'refused', reason: 'replayed' });
  }
  const at = { nowMs: nowMs + REQUEST_WINDOW_MS + 1, guard };
  assert.deepEqual(verifyRequest(nodeCrypto, facts, proof, at), {
    status: 'refused',
    reason: 'stale',
  });
  const other = signRequest(nodeCrypto, facts, { secretKey, nowMs });
  const fresh = verifyRequest(nodeCrypto, facts, other, { nowMs, guard: guardAt(nowMs) });
  assert.equal(fresh.status, 'accepted');
});

test('a request is accepted within 60 s either way', () => {
  for (const [skewMs, status] of [
    [0, 'accepted'],
    [REQUEST_WINDOW_MS, 'accepted'],
    [-REQUEST_WINDOW_MS, 'accepted'],
    [REQUEST_WINDOW_MS + 1, 'refused'],
    [-REQUEST_WINDOW_MS - 1, 'refused'],
  ] as const) {
    const proof = signRequest(nodeCrypto, facts, { secretKey, nowMs: nowMs + skewMs });
    const guard = guardAt(nowMs - 1_000_000);
    const verdict = verifyRequest(nodeCrypto, facts, proof, { nowMs, guard });
    assert.equal(verdict.status, status, `${skewMs} ms`);
  }
});

test('forged requests fill no memory, and requests of before a restart are stale', () => {
  const guard = guardAt(nowMs - 1000);
  const proof = signRequest(nodeCrypto, facts, { secretKey, nowMs });
  const forged = { ...proof, signature: proof.signature.slice().fill(7, 0, 5) };
  const verdict = verifyRequest(nodeCrypto, facts, forged, { nowMs, guard });
  assert.deepEqual(verdict, { status: 'refused', reason: 'signature' });
  assert.equal(guard.size, 0);
  const restarted = { nowMs: nowMs + 10, guard: guardAt(nowMs + 5) };
  assert.deepEqual(verifyRequest(nodeCrypto, facts, proof, restarted), {
    status: 'refused',
    reason: 'stale',
  });
});

test('headers that are not exactly a proof are refused', () => {
  const header = formatRequestProof(signRequest(nodeCrypto, facts, { secretKey, nowMs }));
  const wrong = [
    '',
    `Bearer ${header}`,
    header.toUpperCase(),
    `${header} `,
    header.replace('time=1', 'time=01'),
    header.replace('time=1', 'time=-1'),
    header.replace(/time=\d+/, 'time=9999999999999999'),
    header.replace(/time=\d+/, 'time=1e3'),
    header.replace('nonce=', 'nonce=0'),
    header.slice(0, -1),
    `${header}\n`,
  ];
  for (const text of wrong) {
    assert.throws(() => parseRequestProof(text), isAppError('INPUT_MALFORMED'), text);
  }
  fc.assert(
    fc.property(fc.string(), fc.nat(header.length), (text, at) => {
      throwsOnlyAppError(() => parseRequestProof(text));
      throwsOnlyAppError(() => parseRequestProof(header.slice(0, at) + text + header.slice(at)));
    }),
  );
});

test('a guard remembers each entry as long as it could pass, and is bounded', () => {
  const step = fc.record({
    aheadMs: fc.integer({ min: -70_000, max: 70_000 }),
    passMs: fc.nat(20_000),
    nonce: fc.constantFrom('a', 'b', 'c', 'd'),
    key: fc.constantFrom('x', 'y'),
  });
  fc.assert(
    fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
      const guard = makeReplayGuard({ startedAtMs: 0, entriesMax: 6, entriesPerKeyMax: 4 });
      const admitted: { name: string; timeMs: number; key: string }[] = [];
      let now = 1_000_000;
      for (const { aheadMs, passMs, nonce, key } of steps) {
        now += passMs;
        const timeMs = now + aheadMs;
        const name = `${key} ${nonce} ${timeMs}`;
        const outcome = guard.admit({ key, nonce, timeMs }, now);
        if (outcome === 'admitted') {
          assert.ok(!admitted.some((entry) => entry.name === name));
          admitted.push({ name, timeMs, key });
        }
        for (const entry of admitted) {
          const [k = '', n = ''] = entry.name.split(' ');
          const again = guard.admit({ key: k, nonce: n, timeMs: entry.timeMs }, now);
          assert.ok(again === 'replayed' || again === 'stale', again);
        }
        assert.ok(guard.size <= 6);
      }
    }),
    { numRuns: 60 },
  );
});

test('a full guard refuses and forgets nothing; room comes with time, and each key has its share', () => {
  const guard = makeReplayGuard({ startedAtMs: 0, entriesMax: 5, entriesPerKeyMax: 3 });
  const entry = (key: string, nonce: number) => ({ key, nonce: String(nonce), timeMs: nowMs });
  for (let nonce = 0; nonce < 3; nonce += 1) {
    assert.equal(guard.admit(entry('greedy', nonce), nowMs), 'admitted');
  }
  assert.equal(guard.admit(entry('greedy', 3), nowMs), 'busy');
  assert.equal(guard.admit(entry('other', 0), nowMs), 'admitted');
  assert.equal(guard.admit(entry('third', 0), nowMs), 'admitted');
  assert.equal(guard.admit(entry('fourth', 0), nowMs), 'busy');
  assert.equal(guard.admit(entry('greedy', 0), nowMs), 'replayed');
  const laterMs = nowMs + 2 * REQUEST_WINDOW_MS;
  assert.equal(guard.admit({ key: 'fourth', nonce: '0', timeMs: laterMs }, laterMs), 'admitted');
  assert.equal(guard.size, 1);
});

test('a clock that is set back opens no door', () => {
  const guard = guardAt(0);
  const entry = { key: 'x', nonce: '0', timeMs: nowMs };
  assert.equal(guard.admit(entry, nowMs), 'admitted');
  const later = { key: 'x', nonce: '1', timeMs: nowMs + 200_000 };
  assert.equal(guard.admit(later, nowMs + 200_000), 'admitted');
  assert.equal(guard.admit(entry, nowMs), 'stale');
});

test('node ids hold the public key', () => {
  const id = parseNodeId(`node_${toHex(nodeCrypto.ed25519PublicKey(secretKey))}`);
  assert.equal(id.length, 69);
  assert.throws(() => parseNodeId('node_abc'), isAppError('USAGE'));
});
