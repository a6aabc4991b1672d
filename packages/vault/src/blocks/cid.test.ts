import assert from 'node:assert/strict';
import { test } from 'node:test';
import { nodeCrypto } from '@helixmesh/protocol/node';
import { utf8 } from '@helixmesh/protocol/sealing';
import { isAppError } from '@helixmesh/protocol/testing/bytes';
import * as fc from 'fast-check';
import { someBytes } from '../testing/bytes.ts';
import { cidBytes, cidFromBytes, cidOf, codecOf, isBlockOf, parseCid } from './cid.ts';

test('identifiers are those that IPFS gives', () => {
  // `ipfs add --cid-version 1` of nothing, and of "hello world" without a line break.
  const known = [
    ['', 'bafkreihdwdcefgh4dqkjv67uzcmw7ojee6xedzdetojuzjevtenxquvyku'],
    ['hello world', 'bafkreifzjut3te2nhyekklss27nh3k72ysco7y32koao5eei66wof36n5e'],
  ] as const;
  for (const [text, cid] of known) assert.equal(cidOf(nodeCrypto, 'raw', utf8(text)), cid);
});

test('an identifier comes back from its bytes and from its text, and names one block', () => {
  fc.assert(
    fc.property(
      fc.uint8Array({ maxLength: 50 }),
      fc.constantFrom('raw', 'dag-pb'),
      (block, codec) => {
        const cid = cidOf(nodeCrypto, codec as 'raw', block);
        assert.equal(parseCid(cid), cid);
        assert.equal(cidFromBytes(cidBytes(cid)), cid);
        assert.equal(codecOf(cid), codec);
        assert.ok(isBlockOf(nodeCrypto, cid, block));
        assert.ok(!isBlockOf(nodeCrypto, cid, Uint8Array.of(...block, 0)));
      },
    ),
    { numRuns: 50 },
  );
});

test('one text names one block: other spellings and other kinds are refused', () => {
  const cid = cidOf(nodeCrypto, 'raw', someBytes(5));
  const last = 'abcdefghijklmnopqrstuvwxyz234567'.indexOf(cid.at(-1) ?? '');
  const others = [1, 2, 3].map((bits) => {
    return cid.slice(0, -1) + 'abcdefghijklmnopqrstuvwxyz234567'[last + bits];
  });
  const wrong = [
    ...others,
    '',
    cid.toUpperCase(),
    ` ${cid}`,
    `${cid}\n`,
    cid.replace('kre', 'ire'),
  ];
  for (const text of wrong)
    assert.throws(() => parseCid(text), isAppError('INPUT_MALFORMED'), text);
  const bytes = cidBytes(cid);
  for (const at of [0, 1, 2, 3]) {
    const changed = bytes.slice();
    changed[at] = 0x13;
    assert.equal(cidFromBytes(changed), undefined);
  }
  assert.equal(cidFromBytes(bytes.subarray(1)), undefined);
});
