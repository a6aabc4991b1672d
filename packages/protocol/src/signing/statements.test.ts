import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { fromHex, utf8 } from '../bytes.ts';
import { canonicalJson } from '../canonical-json.ts';
import { nodeCrypto } from '../crypto/node-crypto.ts';
import { portableCrypto } from '../crypto/portable-crypto.ts';
import { AppError } from '../errors.ts';
import type { Digest } from '../ids.ts';
import { formatNodeAddress } from '../network/address.ts';
import { isAppError, knownBytes, throwsOnlyAppError, vectorText } from '../testing/bytes.ts';
import { type Custodian, custodianAddress, parseCustodian } from './custodian.ts';
import {
  documentId,
  encodeDocument,
  signDocument,
  signWithKey,
  verifyDocument,
  verifyWithKey,
} from './document.ts';
import { type GrantSegments, parseGrantSegments } from './grant-segments.ts';
import { walletOf } from './wallet.ts';

/** What a reader makes of the bytes: their signature holds, does not, or they are no document. */
type Outcome = 'valid' | 'signature' | 'network' | 'malformed';

interface Case {
  readonly bytes: string;
  readonly verdict: Outcome;
  readonly why: string;
}
interface CustodianVectors {
  readonly network: Digest;
  readonly owner: string;
  readonly custodian: { readonly id: Digest; readonly cases: readonly Case[] };
}
interface SegmentsVectors {
  readonly network: Digest;
  readonly grantSegments: {
    readonly publicKey: string;
    readonly id: Digest;
    readonly cases: readonly Case[];
  };
}
const statements = JSON.parse(vectorText('custodian.json')) as CustodianVectors;
const segments = JSON.parse(vectorText('documents.json')) as SegmentsVectors;
const { secretKey } = JSON.parse(vectorText('wallet.json')) as { secretKey: string };
const wallet = walletOf(nodeCrypto, fromHex(secretKey, { what: 'a key', bytes: 32 }));

function outcome(verify: () => { status: string; reason?: string }): string {
  try {
    const { status, reason } = verify();
    return reason ?? status;
  } catch (error) {
    assert.ok(error instanceof AppError && error.code === 'INPUT_MALFORMED', `${error}`);
    return 'malformed';
  }
}

test('custodian statements are as viem signs them, and their twins are refused', async () => {
  const { network, owner } = statements;
  const { cases, id } = statements.custodian;
  assert.ok(cases.filter(({ verdict }) => verdict !== 'valid').length >= 15);
  for (const { bytes, verdict, why } of cases) {
    for (const crypto of [nodeCrypto, portableCrypto]) {
      const verify = () =>
        verifyDocument(crypto, parseCustodian(utf8(bytes)), { network, signer: owner });
      assert.equal(outcome(verify), verdict, why);
    }
  }
  const { document } = parseCustodian(utf8(cases[0]?.bytes ?? ''));
  assert.equal(documentId(nodeCrypto, document), id);
  const again = encodeDocument(await signDocument(wallet, document));
  assert.deepEqual(again, utf8(cases[0]?.bytes ?? ''));
});

test('the address of a custodian holds its key', () => {
  const { document } = parseCustodian(utf8(statements.custodian.cases[0]?.bytes ?? ''));
  const { host, port } = document.endpoint;
  assert.equal(formatNodeAddress(custodianAddress(document)), `${document.nodeId}@${host}:${port}`);
});

test('the segments of a grant are as another implementation signs them, and their twins are refused', () => {
  const { network } = segments;
  const { cases, publicKey: key, id } = segments.grantSegments;
  const publicKey = fromHex(key, { what: 'a key', bytes: 32 });
  assert.ok(cases.filter(({ verdict }) => verdict !== 'valid').length >= 12);
  for (const { bytes, verdict, why } of cases) {
    for (const crypto of [nodeCrypto, portableCrypto]) {
      const verify = () =>
        verifyWithKey(crypto, parseGrantSegments(utf8(bytes)), { network, publicKey });
      assert.equal(outcome(verify), verdict, why);
    }
  }
  const { document } = parseGrantSegments(utf8(cases[0]?.bytes ?? ''));
  assert.equal(documentId(nodeCrypto, document), id);
});

test('each field of both statements is signed', async () => {
  const { network, owner } = statements;
  const { document } = parseCustodian(utf8(statements.custodian.cases[0]?.bytes ?? ''));
  const signed = await signDocument(wallet, document);
  const others: Partial<Custodian> = {
    owner: `0x${'1'.repeat(40)}`,
    nodeId: `node_${'1'.repeat(64)}` as Custodian['nodeId'],
    endpoint: { ...document.endpoint, port: 1 },
    encryptionKey: '1'.repeat(64),
    issuedAtMs: document.issuedAtMs + 1,
    nonce: '1'.repeat(32),
  };
  for (const [field, value] of Object.entries(others)) {
    const lie = { ...signed, document: { ...document, [field]: value } };
    const parsed = parseCustodian(encodeDocument(lie));
    const verdict = verifyDocument(nodeCrypto, parsed, { network, signer: owner });
    assert.equal(verdict.status, 'invalid', field);
  }
  const secret = knownBytes(32);
  const publicKey = nodeCrypto.ed25519PublicKey(secret);
  const cut = parseGrantSegments(utf8(segments.grantSegments.cases[0]?.bytes ?? '')).document;
  const keySigned = signWithKey(nodeCrypto, secret, cut);
  const changes: Partial<GrantSegments> = {
    grant: cut.object,
    object: cut.grant,
    segments: [{ start: 0, end: 4_194_304 }],
    atMs: cut.atMs + 1,
  };
  for (const [field, value] of Object.entries(changes)) {
    const lie = { ...keySigned, document: { ...cut, [field]: value } };
    const parsed = parseGrantSegments(encodeDocument(lie));
    const verdict = verifyWithKey(nodeCrypto, parsed, { network: cut.network, publicKey });
    assert.equal(verdict.status, 'invalid', field);
  }
});

test('any bytes as one of the statements throw at most an AppError', () => {
  const custodian = parseCustodian(utf8(statements.custodian.cases[0]?.bytes ?? ''));
  const ranges = parseGrantSegments(utf8(segments.grantSegments.cases[0]?.bytes ?? ''));
  fc.assert(
    fc.property(fc.uint8Array(), fc.jsonValue(), fc.nat(8), (bytes, json, at) => {
      for (const { parse, good } of [
        { parse: parseCustodian, good: custodian },
        { parse: parseGrantSegments, good: ranges },
      ]) {
        throwsOnlyAppError(() => parse(bytes));
        const fields = Object.keys(good.document);
        const document = { ...good.document, [fields[at % fields.length] ?? '']: json };
        throwsOnlyAppError(() => parse(utf8(canonicalJson({ ...good, document }))));
      }
    }),
  );
  const long = { ...custodian, document: { ...custodian.document, more: 'x'.repeat(5_000) } };
  const parse = () => parseCustodian(utf8(canonicalJson(long)));
  assert.throws(parse, isAppError('INPUT_MALFORMED'));
});
