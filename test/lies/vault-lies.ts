/** What those who put, keep and fetch sealed objects may say, and what refuses it. */
import type { Lie } from './lie.ts';

const DAEMON = 'packages/daemon/src';
const OBJECTS = 'packages/protocol/src/objects';
const VAULT = 'packages/vault/src';

export const VAULT_LIES: readonly Lie[] = [
  {
    lie: 'garbage under a right digest',
    end: 'refused as CIPHERTEXT_INVALID, and nothing of it is kept',
    guards: [
      {
        path: `${VAULT}/objects/keep-body.ts`,
        code: 'if (root !== manifest.bodyCid) throw otherCid();',
        without: '',
      },
    ],
    test: {
      path: `${DAEMON}/storage/uploads.test.ts`,
      name: '$what under the manifest of another body is refused, and nothing of it is seen',
    },
  },
  {
    lie: 'a forged manifest',
    end: 'refused before its body is read',
    guards: [
      {
        path: `${VAULT}/objects/catalogue.ts`,
        code: "if (verdict.status === 'invalid') return { status: 'refused', reason: verdict.reason };",
        without: "if (verdict.status === 'invalid') return { status: 'refused', reason: 'busy' };",
      },
    ],
    test: {
      path: `${VAULT}/objects/catalogue.test.ts`,
      name: 'a manifest of another network, or that its owner has not signed, is refused',
    },
  },
  {
    lie: 'a forged tombstone',
    end: 'OBJECT_NOT_FOUND: the owner alone has an object removed',
    guards: [
      {
        path: `${VAULT}/objects/catalogue.ts`,
        code: "if (verdict.status === 'invalid' || owner !== keeper) return 'not_owner';",
        without: "if (owner !== keeper) return 'not_owner';",
      },
    ],
    test: {
      path: `${VAULT}/objects/catalogue.test.ts`,
      name: 'only its owner deletes an object, and a deleted one does not come back',
    },
  },
  {
    lie: 'a flipped byte in a segment',
    end: 'each single byte: CIPHERTEXT_INVALID or KEY_NOT_HELD, nothing is handed out',
    guards: [
      {
        path: 'packages/protocol/src/crypto/node-crypto.ts',
        code: 'decipher.final();',
        without: '',
      },
    ],
    test: {
      path: `${OBJECTS}/verified-read.test.ts`,
      name: 'a flipped byte anywhere in a segment is noticed',
    },
  },
  {
    lie: 'a wrong path',
    end: 'the segment is not taken',
    guards: [
      {
        path: `${OBJECTS}/merkle.ts`,
        code: 'return last === 0 && rootOf(crypto, { network, count: tree.count, top }) === tree.root;',
        without: 'return last === 0;',
      },
    ],
    test: {
      path: `${OBJECTS}/merkle.test.ts`,
      name: 'no path is accepted when anything about it differs',
    },
  },
  {
    lie: 'a truncated or reordered body',
    end: 'refused at the lie, at the latest at the end',
    guards: [
      {
        path: `${OBJECTS}/verified-read.ts`,
        code: "if (index !== facts.segments.count) throw notOfObject(index, 'truncated');",
        without: '',
      },
    ],
    test: {
      path: `${OBJECTS}/verified-read.test.ts`,
      name: 'a truncated, extended, reordered or mixed body is refused, and nothing after the lie is given',
    },
  },
];
