import assert from 'node:assert/strict';
import { test } from 'node:test';
import { nodeCrypto } from '@helixmesh/protocol/node';
import {
  encodeDocument,
  type Signed,
  signDocument,
  signWithKey,
  toHex,
  walletOf,
} from '@helixmesh/protocol/sealing';
import { nodeIdSchema, operatorIdSchema } from '../ids.ts';
import { REGISTRATION_SKEW_MS } from '../limits.ts';
import { NOW_MS, registrationOf } from '../testing/fleet.ts';
import {
  parseRegistration,
  parseZoneStatement,
  type Registration,
  type ZoneStatement,
} from './registration.ts';
import { verifyRegistration } from './registration-proof.ts';

const secretKey = Uint8Array.from({ length: 32 }, (_, n) => n + 1);
const nodeId = nodeIdSchema.parse(`node_${toHex(nodeCrypto.ed25519PublicKey(secretKey))}`);
const wallet = walletOf(nodeCrypto, secretKey);
const operator = operatorIdSchema.parse(wallet.address);
const base = registrationOf(1);
const { network } = base;
const at = { network, nowMs: NOW_MS };

function statement(): ZoneStatement {
  assert.ok(base.zoneStatement !== null);
  return { ...base.zoneStatement.document, nodeId, operator };
}

async function registration(change: Partial<Registration> = {}): Promise<Registration> {
  const zoneStatement = await signDocument(wallet, statement());
  return { ...base, nodeId, operator, zoneStatement, ...change };
}

function verdictOf(signed: Signed<Registration>) {
  const verdict = verifyRegistration(nodeCrypto, signed, at);
  return verdict.status === 'valid' ? verdict.isZoneStatementVerified : verdict.reason;
}

const sign = (document: Registration) => signWithKey(nodeCrypto, secretKey, document);

test('a registration of the node, with a statement of its operator, is valid', async () => {
  const signed = sign(await registration());
  assert.deepEqual(parseRegistration(encodeDocument(signed)), signed);
  assert.equal(verdictOf(signed), true);
  assert.equal(verdictOf(sign(await registration({ zoneStatement: null }))), false);
});

test('another key, another network and a changed body are refused', async () => {
  const body = await registration();
  const other = Uint8Array.from({ length: 32 }, () => 7);
  assert.equal(verdictOf(signWithKey(nodeCrypto, other, body)), 'signature');
  const elsewhere = `sha256:${'9'.repeat(64)}` as typeof network;
  assert.equal(verdictOf(sign({ ...body, network: elsewhere })), 'network');
  const { signature } = sign(body);
  assert.equal(verdictOf({ document: { ...body, slots: 5 }, signature }), 'signature');
});

test('a registration counts from its time to its end', async () => {
  const late = { issuedAtMs: NOW_MS - 10, expiresAtMs: NOW_MS };
  assert.equal(verdictOf(sign(await registration(late))), 'expired');
  const near = { issuedAtMs: NOW_MS + REGISTRATION_SKEW_MS };
  assert.equal(verdictOf(sign(await registration(near))), true);
  const early = { issuedAtMs: NOW_MS + REGISTRATION_SKEW_MS + 1 };
  assert.equal(verdictOf(sign(await registration(early))), 'not_yet');
});

test('a statement counts only when the wallet of the operator has signed just this', async () => {
  const signed = await signDocument(wallet, statement());
  assert.deepEqual(parseZoneStatement(encodeDocument(signed)), signed);
  const moved = { ...signed, document: { ...signed.document, zones: ['US'] } };
  const prolonged = { ...signed, document: { ...signed.document, untilMs: NOW_MS * 2 } };
  const thief = walletOf(
    nodeCrypto,
    Uint8Array.from({ length: 32 }, () => 9),
  );
  const stolen = await signDocument(thief, statement());
  for (const zoneStatement of [moved, prolonged, stolen]) {
    assert.equal(verdictOf(sign(await registration({ zoneStatement }))), false);
  }
});
