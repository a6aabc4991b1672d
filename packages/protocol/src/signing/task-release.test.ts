import assert from 'node:assert/strict';
import { test } from 'node:test';
import { nodeCrypto as crypto } from '../crypto/node-crypto.ts';
import type { NodeId } from '../ids.ts';
import { encodeDocument, networkId, signWithKey, verifyWithKey } from './document.ts';
import { NODE_RELEASE_TYPE, type NodeRelease, parseNodeRelease } from './task-release.ts';

const network = networkId(crypto, { name: 'test' });
const secretKey = new Uint8Array(32).fill(7);
const publicKey = crypto.ed25519PublicKey(secretKey);
const HOUR_MS = 3_600_000;

const release: NodeRelease = {
  type: NODE_RELEASE_TYPE,
  network,
  owner: `0x${'1'.repeat(40)}`,
  object: network,
  node: `node_${'a'.repeat(64)}` as NodeId,
  account: `0x${'2'.repeat(40)}`,
  grant: network,
  job: network,
  attempt: `att_${'0'.repeat(16)}`,
  fencingToken: 1,
  purpose: { pipeline: 'germline', isCommercial: false, zone: 'MX' },
  issuedAtMs: 1_000,
  untilMs: 1_000 + HOUR_MS,
};

test('a release to a node is read back from its canonical bytes, and verified', () => {
  const signed = parseNodeRelease(encodeDocument(signWithKey(crypto, secretKey, release)));
  assert.deepEqual(signed.document, release);
  assert.equal(verifyWithKey(crypto, signed, { network, publicKey }).status, 'valid');
  const other = { ...signed, document: { ...release, node: `node_${'b'.repeat(64)}` as NodeId } };
  assert.equal(verifyWithKey(crypto, other, { network, publicKey }).status, 'invalid');
});

test('a release that holds longer than an hour, or ends before it begins, is none', () => {
  const bad: readonly Partial<NodeRelease>[] = [
    { untilMs: 1_001 + HOUR_MS },
    { untilMs: 1_000 },
    { fencingToken: 0 },
    { attempt: 'att_1' },
    { node: 'node_1' as NodeId },
  ];
  for (const change of bad) {
    const bytes = encodeDocument(signWithKey(crypto, secretKey, { ...release, ...change }));
    assert.throws(() => parseNodeRelease(bytes), { code: 'INPUT_MALFORMED' });
  }
});
