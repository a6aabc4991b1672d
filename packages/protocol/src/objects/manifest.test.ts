import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { toBase64, utf8 } from '../bytes.ts';
import { SEGMENT_BYTES } from '../crypt4gh/segments.ts';
import { nodeCrypto } from '../crypto/node-crypto.ts';
import { digestFrom } from '../digest.ts';
import { encodeDocument, signDocument, verifyDocument } from '../signing/document.ts';
import { isAppError, knownBytes, throwsOnlyAppError } from '../testing/bytes.ts';
import { network, owner, part, partKey, sealedObject } from '../testing/sealed-object.ts';
import { openPart, parseManifest, sealPart } from './manifest.ts';

const { manifest } = await sealedObject(knownBytes(SEGMENT_BYTES + 5));
const signed = await signDocument(owner, manifest);
const bytes = encodeDocument(signed);

/** The manifest's bytes with something else in the document. */
function changed(change: object): Uint8Array {
  return encodeDocument({ ...signed, document: { ...manifest, ...change } });
}

test('a manifest comes back from its bytes, signed by its owner', () => {
  const parsed = parseManifest(bytes);
  assert.deepEqual(parsed, signed);
  const verdict = verifyDocument(nodeCrypto, parsed, { network, signer: manifest.owner });
  assert.equal(verdict.status, 'valid');
});

test('each field of a manifest is signed', () => {
  const other = {
    network: digestFrom(knownBytes(64).subarray(32)),
    owner: `0x${'1'.repeat(40)}`,
    bodyCid: `bafybei${'a'.repeat(52)}`,
    segments: { ...manifest.segments, root: digestFrom(knownBytes(32)) },
    segmentsPerKey: 256,
    residency: null,
    terms: { ...manifest.terms, commercialUse: true },
    sealedPart: 'AAAA',
    nonce: '0'.repeat(32),
    issuedAtMs: manifest.issuedAtMs + 1,
  };
  for (const [field, value] of Object.entries(other)) {
    const lie = parseManifest(changed({ [field]: value }));
    const verdict = verifyDocument(nodeCrypto, lie, { network, signer: manifest.owner });
    assert.equal(verdict.status, 'invalid', field);
  }
});

test('manifests that contradict themselves or have another spelling are refused', () => {
  const text = new TextDecoder().decode(bytes);
  const wrong = [
    changed({ plaintextBytes: manifest.plaintextBytes + 1 }),
    changed({ bodyBytes: manifest.bodyBytes - 1 }),
    changed({ segments: { ...manifest.segments, count: 3 } }),
    changed({ owner: owner.address.toUpperCase().replace('0X', '0x') }),
    changed({ bodyCid: 'QmYwAPJzv5CZsnA625s3Xf2nemtYgPpHdWEz79ojWKPbdG' }),
    changed({ residency: ['MX', 'EU'] }),
    changed({ residency: ['EU', 'EU'] }),
    changed({ residency: [] }),
    changed({ fileName: 'a.bam' }),
    changed({ plaintextBytes: -0.5 }),
    changed({ type: 'helixmesh/grant/v1' }),
    utf8(` ${text}`),
    utf8(text.replace(':', ': ')),
    utf8(text.replace('"nonce"', '"n\\u006fnce"')),
    utf8(text.replace('}', ',"__proto__":1}')),
    utf8(text.replace('"network"', '"network":"","network"')),
    bytes.subarray(0, -1),
    new Uint8Array(100_000).fill(0x5b),
    new Uint8Array(60_000).fill(0x5b),
    Uint8Array.of(0xff),
  ];
  for (const bad of wrong) {
    assert.throws(() => parseManifest(bad), isAppError('INPUT_MALFORMED'), `${bad.length}`);
  }
});

test('what readers alone may know is in the sealed part, and opens for this object only', () => {
  const object = { network, segments: manifest.segments };
  assert.deepEqual(openPart(nodeCrypto, partKey, manifest.sealedPart, object), part);
  const text = new TextDecoder().decode(bytes);
  for (const secret of Object.values(part)) assert.ok(!text.includes(secret), secret);

  const otherRoot = { ...manifest.segments, root: digestFrom(knownBytes(32)) };
  const elsewhere = digestFrom(knownBytes(64).subarray(32));
  const wrong: readonly (() => unknown)[] = [
    () => openPart(nodeCrypto, nodeCrypto.random(32), manifest.sealedPart, object),
    () => openPart(nodeCrypto, partKey, manifest.sealedPart, { ...object, segments: otherRoot }),
    () => openPart(nodeCrypto, partKey, manifest.sealedPart, { ...object, network: elsewhere }),
    () => openPart(nodeCrypto, partKey, '', object),
    () => openPart(nodeCrypto, partKey, toBase64(new Uint8Array(5000)), object),
  ];
  for (const attempt of wrong) assert.throws(attempt, isAppError('KEY_NOT_HELD'));
  const badText = () => openPart(nodeCrypto, partKey, 'AAA', object);
  assert.throws(badText, isAppError('INPUT_MALFORMED'));
});

test('the length of a file name does not show', () => {
  const object = { network, segments: manifest.segments };
  const lengths = [1, 10, 60].map((length) => {
    const named = { ...part, fileName: 'x'.repeat(length) };
    return sealPart(nodeCrypto, partKey, named, object).length;
  });
  assert.equal(new Set(lengths).size, 1);
});

test('a file name is a name and no path', () => {
  const object = { network, segments: manifest.segments };
  for (const fileName of ['../x', 'a/b', 'a\\b', '..', '.', '', 'a\u0000b', '\ud800', 'a\nb']) {
    const seal = () => sealPart(nodeCrypto, partKey, { ...part, fileName }, object);
    assert.throws(seal, isAppError('USAGE'), JSON.stringify(fileName));
  }
});

test('any bytes and any JSON as a manifest throw at most an AppError', () => {
  fc.assert(
    fc.property(fc.uint8Array(), fc.jsonValue(), fc.string(), (raw, json, text) => {
      throwsOnlyAppError(() => parseManifest(raw));
      throwsOnlyAppError(() => parseManifest(utf8(JSON.stringify(json))));
      throwsOnlyAppError(() => parseManifest(changed({ [text]: json })));
      const object = { network, segments: manifest.segments };
      throwsOnlyAppError(() => openPart(nodeCrypto, partKey, text, object));
    }),
  );
  fc.assert(
    fc.property(fc.constantFrom(...Object.keys(manifest)), fc.jsonValue(), (field, json) => {
      throwsOnlyAppError(() => parseManifest(changed({ [field]: json })));
    }),
  );
});
