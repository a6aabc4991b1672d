/** The index of a result, and the digest that nodes agree on. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { utf8 } from '../bytes.ts';
import { canonicalJson } from '../canonical-json.ts';
import { nodeCrypto } from '../crypto/node-crypto.ts';
import { digestOf } from '../digest.ts';
import { isAppError } from '../testing/bytes.ts';
import { parseResultIndex, type ResultIndex, resultDigestOf } from './result.ts';

const network = digestOf(nodeCrypto, 'helixmesh/network/v1', 'of tests');
const digest = (text: string) => digestOf(nodeCrypto, 'helixmesh/test/v1', text);

const index: ResultIndex = {
  jobHash: digest('job'),
  compared: [
    { path: 'sample.bam', format: 'bam', digest: digest('bam') },
    { path: 'sample.vcf.gz', format: 'vcf', digest: digest('vcf') },
  ],
  files: [
    { path: 'sample.bam', sealedAs: '1.c4gh', sizeBytes: 10 },
    { path: 'sample.report.pdf', sealedAs: '2.c4gh', sizeBytes: 0 },
    { path: 'sample.vcf.gz', sealedAs: '3.c4gh', sizeBytes: 30 },
  ],
};

const bytesOf = (changed: object) => utf8(canonicalJson({ ...index, ...changed }));
const file = (path: string, sealedAs = '9.c4gh') => ({ path, sealedAs, sizeBytes: 1 });

test('an index is what was written', () => {
  assert.deepEqual(parseResultIndex(bytesOf({})), index);
});

test('an index that points outside its folder, or twice at one place, is refused', () => {
  const bad = [
    '/etc/passwd',
    '../up',
    'a/../../up',
    'a//b',
    'a/',
    '',
    '.hidden',
    'a/.ssh',
    'a\\b',
    'a\nb',
    'é',
    'a b',
    'x'.repeat(201),
    'sample.bam',
    'sample.bam/below',
  ];
  for (const path of bad) {
    const files = [...index.files, file(path)];
    assert.throws(() => parseResultIndex(bytesOf({ files })), isAppError('INPUT_MALFORMED'), path);
  }
  assert.ok(parseResultIndex(bytesOf({ files: [...index.files, file('qc/plots/a-1.svg')] })));
});

test('an index names each sealed file once, and everything that is compared is there', () => {
  for (const sealedAs of ['1.c4gh', 'index.c4gh', '0.c4gh', '../1.c4gh', '1.c4gh/2']) {
    const files = [...index.files, file('other', sealedAs)];
    assert.throws(() => parseResultIndex(bytesOf({ files })), isAppError('INPUT_MALFORMED'));
  }
  const files = index.files.slice(1);
  assert.throws(() => parseResultIndex(bytesOf({ files })), isAppError('INPUT_MALFORMED'));
  const compared = index.compared.toReversed();
  assert.throws(() => parseResultIndex(bytesOf({ compared })), isAppError('INPUT_MALFORMED'));
  assert.throws(() => parseResultIndex(bytesOf({ compared: [] })), isAppError('INPUT_MALFORMED'));
  assert.throws(() => parseResultIndex(bytesOf({ more: 1 })), isAppError('INPUT_MALFORMED'));
  const spaced = utf8(`${canonicalJson(index)} `);
  assert.throws(() => parseResultIndex(spaced), isAppError('INPUT_MALFORMED'));
});

test('whatever comes, an index is taken or refused, and nothing else', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 400 }), (bytes) => {
      assert.throws(() => parseResultIndex(bytes), isAppError('INPUT_MALFORMED'));
    }),
  );
});

test('the digest covers network, job hash, and path, format and digest of each file', () => {
  const result = { jobHash: index.jobHash, files: index.compared };
  const known = resultDigestOf(nodeCrypto, network, result);
  assert.equal(resultDigestOf(nodeCrypto, network, structuredClone(result)), known);
  const [first, ...rest] = index.compared;
  assert.ok(first !== undefined);
  const others = [
    resultDigestOf(nodeCrypto, digest('other network'), result),
    resultDigestOf(nodeCrypto, network, { ...result, jobHash: digest('other') }),
    resultDigestOf(nodeCrypto, network, { ...result, files: rest }),
    ...[{ path: 'other' }, { format: 'text' }, { digest: digest('other') }].map((change) =>
      resultDigestOf(nodeCrypto, network, { ...result, files: [{ ...first, ...change }, ...rest] }),
    ),
  ];
  assert.equal(new Set([known, ...others]).size, others.length + 1);
});
