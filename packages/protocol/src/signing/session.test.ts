import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { fromHex, toBase64, toHex, utf8 } from '../bytes.ts';
import { canonicalJson } from '../canonical-json.ts';
import { nodeCrypto } from '../crypto/node-crypto.ts';
import { portableCrypto } from '../crypto/portable-crypto.ts';
import { digestFrom } from '../digest.ts';
import type { Digest } from '../ids.ts';
import { REQUEST_WINDOW_MS, SESSION_MS_MAX } from '../limits.ts';
import { isAppError, knownBytes, throwsOnlyAppError, vectorText } from '../testing/bytes.ts';
import {
  encodeSession,
  formatSession,
  parseSession,
  parseSignedSession,
  SCOPES,
  type SessionDelegation,
  type SignedSession,
  signSession,
  verifySession,
} from './session.ts';
import { walletOf } from './wallet.ts';

interface Vectors {
  readonly network: Digest;
  readonly nowMs: number;
  readonly delegation: SessionDelegation;
  readonly cases: readonly {
    readonly message: string;
    readonly signature: string;
    /** `valid`, or the reason why not. */
    readonly verdict: string;
    readonly why: string;
  }[];
}
const vectors = JSON.parse(vectorText('sessions.json')) as Vectors;
const { secretKey } = JSON.parse(vectorText('wallet.json')) as { secretKey: string };
const wallet = walletOf(nodeCrypto, fromHex(secretKey, { what: 'a key', bytes: 32 }));
const { delegation, network, nowMs } = vectors;

test('a session is the text and the signature of viem, and every twin of it is refused for its reason', async () => {
  const expected = vectors.cases.find(({ verdict }) => verdict === 'valid');
  assert.deepEqual(await signSession(nodeCrypto, wallet, delegation), {
    message: expected?.message,
    signature: expected?.signature,
  });
  assert.ok(vectors.cases.filter(({ verdict }) => verdict !== 'valid').length >= 25);
  for (const { message, signature, verdict, why } of vectors.cases) {
    for (const crypto of [nodeCrypto, portableCrypto]) {
      const seen = verifySession(crypto, { message, signature }, { network, nowMs });
      assert.equal(seen.status === 'valid' ? 'valid' : seen.reason, verdict, why);
    }
  }
});

test('a session holds from a minute before its issue until its end, in its network', async () => {
  const signed = await signSession(nodeCrypto, wallet, delegation);
  const verdict = (at: { network?: Digest; nowMs?: number }) => {
    const seen = verifySession(nodeCrypto, signed, { network, nowMs, ...at });
    return seen.status === 'valid' ? 'valid' : seen.reason;
  };
  assert.equal(verdict({ nowMs: delegation.issuedAtMs - REQUEST_WINDOW_MS }), 'valid');
  assert.equal(verdict({ nowMs: delegation.issuedAtMs - REQUEST_WINDOW_MS - 1 }), 'not_yet');
  assert.equal(verdict({ nowMs: delegation.expiresAtMs - 1 }), 'valid');
  assert.equal(verdict({ nowMs: delegation.expiresAtMs }), 'expired');
  assert.equal(verdict({ network: digestFrom(knownBytes(32)) }), 'network');
});

test('a delegation comes back from its text, and a longer, empty or disordered one has none', () => {
  const anyDelegation = fc.record({
    account: hexOf(20).map((hex) => `0x${hex}`),
    sessionKey: hexOf(32),
    network: fc.uint8Array({ minLength: 32, maxLength: 32 }).map(digestFrom),
    scopes: fc.subarray([...SCOPES], { minLength: 1 }),
    issuedAtMs: fc.integer({ min: 0, max: 253_402_300_799_999 - SESSION_MS_MAX }),
    lifeMs: fc.integer({ min: 1, max: SESSION_MS_MAX }),
    nonce: hexOf(16),
  });
  fc.assert(
    fc.property(anyDelegation, ({ lifeMs, ...rest }) => {
      const one = { ...rest, expiresAtMs: rest.issuedAtMs + lifeMs };
      assert.deepEqual(parseSession(portableCrypto, formatSession(nodeCrypto, one)), one);
    }),
  );
  const wrong: readonly Partial<SessionDelegation>[] = [
    { expiresAtMs: delegation.issuedAtMs + SESSION_MS_MAX + 1 },
    { expiresAtMs: delegation.issuedAtMs },
    { scopes: [] },
    { scopes: ['list', 'read'] },
    { scopes: ['read', 'read'] },
    { account: delegation.account.toUpperCase() },
    { sessionKey: 'ab' },
    { nonce: '12345678' },
    { issuedAtMs: 0.5 },
  ];
  for (const change of wrong) {
    const format = () => formatSession(nodeCrypto, { ...delegation, ...change });
    assert.throws(format, isAppError('USAGE'), JSON.stringify(change));
  }
});

test('any change of one character of the text ends the session', async () => {
  const signed = await signSession(nodeCrypto, wallet, delegation);
  const places = fc.integer({ min: 0, max: signed.message.length - 1 });
  fc.assert(
    fc.property(places, fc.string({ minLength: 0, maxLength: 2 }), (at, put) => {
      const message = signed.message.slice(0, at) + put + signed.message.slice(at + 1);
      fc.pre(message !== signed.message);
      const seen = verifySession(nodeCrypto, { ...signed, message }, { network, nowMs });
      assert.equal(seen.status, 'invalid');
    }),
  );
});

test('a header gives back the session, and refuses other spellings and lengths', async () => {
  const signed = await signSession(nodeCrypto, wallet, delegation);
  const header = encodeSession(signed);
  assert.deepEqual(parseSignedSession(header), signed);
  const encode = (value: unknown) => toBase64(utf8(canonicalJson(value)));
  const wrong = [
    '',
    'not base64',
    header.slice(0, -4),
    `${header}====`,
    toBase64(utf8(JSON.stringify({ signature: signed.signature, message: signed.message }))),
    encode({ ...signed, more: true }),
    encode({ message: signed.message }),
    encode({ ...signed, signature: signed.signature.toUpperCase() }),
    encode({ ...signed, message: signed.message.padEnd(3_000, '\n') }),
    'A'.repeat(8_000_000),
  ];
  for (const text of wrong) {
    assert.throws(() => parseSignedSession(text), isAppError('INPUT_MALFORMED'));
  }
});

test('any text as a session is refused as such', () => {
  const signature = `0x${'1'.repeat(130)}`;
  fc.assert(
    fc.property(fc.string(), fc.jsonValue(), (text, json) => {
      throwsOnlyAppError(() => parseSession(nodeCrypto, text));
      throwsOnlyAppError(() => parseSignedSession(text));
      throwsOnlyAppError(() => parseSignedSession(toBase64(utf8(JSON.stringify(json)))));
      const signed: SignedSession = { message: text, signature };
      assert.equal(verifySession(nodeCrypto, signed, { network, nowMs }).status, 'invalid');
    }),
  );
});

function hexOf(bytes: number): fc.Arbitrary<string> {
  return fc.uint8Array({ minLength: bytes, maxLength: bytes }).map(toHex);
}
