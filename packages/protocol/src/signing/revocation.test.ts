import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { fromHex, toHex, utf8 } from '../bytes.ts';
import { nodeCrypto } from '../crypto/node-crypto.ts';
import { digestFrom } from '../digest.ts';
import type { Digest } from '../ids.ts';
import { isAppError, knownBytes, throwsOnlyAppError } from '../testing/bytes.ts';
import { network, owner } from '../testing/sealed-object.ts';
import {
  documentId,
  encodeDocument,
  signDocument,
  signWithKey,
  verifyWithKey,
} from './document.ts';
import {
  HEAD_ATTESTATION_TYPE,
  type HeadAttestation,
  isHeadFresh,
  isRevoked,
  judgeHead,
  type KnownHead,
  parseHeadAttestation,
  parseRevocationHead,
  REVOCATION_HEAD_TYPE,
  type RevocationHead,
} from './revocation.ts';

const grants = Array.from({ length: 5 }, (_, i) =>
  digestFrom(nodeCrypto.sha256(Uint8Array.of(i))),
).sort();
const custodianSecret = knownBytes(64).slice(32);
const custodian = toHex(nodeCrypto.ed25519PublicKey(custodianSecret));

function headOf(number: number, previous: Digest | null, revoked: readonly Digest[]): KnownHead {
  const head: RevocationHead = {
    type: REVOCATION_HEAD_TYPE,
    network,
    owner: owner.address,
    number,
    previous,
    revoked: [...revoked],
    custodian,
    issuedAtMs: 1_700_000_000_000 + number,
  };
  return { head, id: documentId(nodeCrypto, head) };
}

const first = headOf(1, null, grants.slice(0, 1));
const second = headOf(2, first.id, grants.slice(0, 2));
const third = headOf(3, second.id, grants.slice(0, 3));

test('heads follow each other by number, and one may be missed', () => {
  assert.equal(judgeHead(undefined, third), 'accepted');
  assert.equal(judgeHead(first, second), 'accepted');
  assert.equal(judgeHead(first, third), 'accepted');
  assert.equal(judgeHead(second, second), 'known');
  assert.ok(isRevoked(third, grants[2] as Digest));
  assert.ok(!isRevoked(second, grants[2] as Digest));
});

test('no head goes back, forks, forgets or is of another owner', () => {
  assert.equal(judgeHead(second, first), 'rollback');
  assert.equal(judgeHead(third, headOf(3, second.id, grants.slice(0, 4))), 'fork');
  assert.equal(judgeHead(second, headOf(3, first.id, grants.slice(0, 3))), 'fork');
  assert.equal(judgeHead(second, headOf(3, second.id, grants.slice(1, 3))), 'unrevoked');
  assert.equal(judgeHead(second, headOf(9, third.id, [])), 'unrevoked');
  const stranger = { ...third, head: { ...third.head, owner: `0x${'1'.repeat(40)}` } };
  assert.equal(judgeHead(second, stranger), 'other_owner');
});

test('what was accepted in any order is never un-revoked', () => {
  const heads = [first];
  for (let number = 2; number <= 5; number += 1) {
    heads.push(headOf(number, heads.at(-1)?.id ?? null, grants.slice(0, number)));
  }
  fc.assert(
    fc.property(fc.array(fc.constantFrom(...heads)), (arrivals) => {
      let known: KnownHead | undefined;
      let highest = 0;
      for (const head of arrivals) {
        if (judgeHead(known, head) === 'accepted') known = head;
        highest = Math.max(highest, head.head.number);
        assert.equal(known?.head.number, highest);
      }
    }),
  );
});

test('a head is fresh for 60 s after its custodian attested it', () => {
  const attestation: HeadAttestation = {
    type: HEAD_ATTESTATION_TYPE,
    network,
    owner: owner.address,
    number: 2,
    head: second.id,
    atMs: 1_700_000_100_000,
  };
  const signed = parseHeadAttestation(
    encodeDocument(signWithKey(nodeCrypto, custodianSecret, attestation)),
  );
  const publicKey = fromHex(second.head.custodian, { what: 'a key', bytes: 32 });
  assert.equal(verifyWithKey(nodeCrypto, signed, { network, publicKey }).status, 'valid');
  const { atMs } = attestation;
  assert.ok(isHeadFresh(second, attestation, atMs));
  assert.ok(isHeadFresh(second, attestation, atMs + 60_000));
  assert.ok(!isHeadFresh(second, attestation, atMs + 60_001));
  assert.ok(!isHeadFresh(second, attestation, atMs - 60_001));
  assert.ok(!isHeadFresh(third, attestation, atMs));
  assert.ok(!isHeadFresh(second, { ...attestation, number: 3 }, atMs));
});

test('heads that contradict themselves are refused', async () => {
  const signed = await signDocument(owner, second.head);
  assert.deepEqual(parseRevocationHead(encodeDocument(signed)), signed);
  const changes = [
    { number: 1 },
    { previous: null },
    { number: 0 },
    { revoked: [...second.head.revoked].reverse() },
    { revoked: [grants[0], grants[0]] },
    { custodian: 'abc' },
    { extra: 1 },
  ];
  for (const change of changes) {
    const bytes = encodeDocument({ ...signed, document: { ...signed.document, ...change } });
    assert.throws(() => parseRevocationHead(bytes), isAppError('INPUT_MALFORMED'));
  }
  fc.assert(
    fc.property(fc.constantFrom(...Object.keys(second.head)), fc.jsonValue(), (field, json) => {
      const document = { ...second.head, [field]: json };
      throwsOnlyAppError(() => parseRevocationHead(utf8(JSON.stringify({ ...signed, document }))));
    }),
  );
});
