import assert from 'node:assert/strict';
import { test } from 'node:test';
import { nodeCrypto as crypto } from '../crypto/node-crypto.ts';
import type { NodeId } from '../ids.ts';
import { encodeDocument, networkId, signWithKey, verifyWithKey } from './document.ts';
import { parseReplicaPermit, REPLICA_PERMIT_TYPE, type ReplicaPermit } from './replica-permit.ts';

const network = networkId(crypto, { name: 'test' });
const secretKey = new Uint8Array(32).fill(7);
const publicKey = crypto.ed25519PublicKey(secretKey);
const HOUR_MS = 3_600_000;

const permit: ReplicaPermit = {
  type: REPLICA_PERMIT_TYPE,
  network,
  owner: `0x${'1'.repeat(40)}`,
  object: network,
  node: `node_${'a'.repeat(64)}` as NodeId,
  zones: ['DE', 'EU'],
  issuedAtMs: 1_000,
  untilMs: 1_000 + HOUR_MS,
};

test('a permit is read back from its canonical bytes, and verified', () => {
  const signed = parseReplicaPermit(encodeDocument(signWithKey(crypto, secretKey, permit)));
  assert.deepEqual(signed.document, permit);
  assert.equal(verifyWithKey(crypto, signed, { network, publicKey }).status, 'valid');
  const wider = { ...signed, document: { ...permit, zones: ['US'] } };
  assert.equal(verifyWithKey(crypto, wider, { network, publicKey }).status, 'invalid');
});

test('a permit that holds longer than an hour, or names no vault or no zone, is none', () => {
  const bad: readonly Partial<ReplicaPermit>[] = [
    { untilMs: 1_001 + HOUR_MS },
    { untilMs: 1_000 },
    { node: 'node_1' as NodeId },
    { zones: ['europe'] },
    { type: 'helixmesh/node-release/v1' as never },
  ];
  for (const change of bad) {
    const bytes = encodeDocument(signWithKey(crypto, secretKey, { ...permit, ...change }));
    assert.throws(() => parseReplicaPermit(bytes), { code: 'INPUT_MALFORMED' });
  }
});
