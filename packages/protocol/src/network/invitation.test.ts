import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { toHex, utf8 } from '../bytes.ts';
import { canonicalJson } from '../canonical-json.ts';
import { nodeCrypto } from '../crypto/node-crypto.ts';
import { digestFrom } from '../digest.ts';
import { parseNodeId } from '../ids.ts';
import { CUSTODIAN_TYPE, type Custodian } from '../signing/custodian.ts';
import { documentId, encodeDocument, signDocument } from '../signing/document.ts';
import { GRANT_TYPE, type Grant } from '../signing/grant.ts';
import { walletOf } from '../signing/wallet.ts';
import { isAppError, knownBytes, throwsOnlyAppError } from '../testing/bytes.ts';
import { network, owner, sealedObject } from '../testing/sealed-object.ts';
import {
  INVITATION_TYPE,
  type Invitation,
  parseInvitation,
  verifyInvitation,
} from './invitation.ts';

const nodeId = parseNodeId(`node_${'ab'.repeat(32)}`);
const vaults = [`${nodeId}@vault.example:7401`, `${nodeId}@[::1]:7401`];
const stranger = walletOf(nodeCrypto, nodeCrypto.sha256(utf8('a stranger')));

const { manifest } = await sealedObject(knownBytes(5));
const grant: Grant = {
  type: GRANT_TYPE,
  network,
  owner: owner.address,
  grantee: stranger.address,
  dataset: documentId(nodeCrypto, manifest),
  terms: manifest.terms,
  untilMs: null,
  regions: null,
  nonce: toHex(knownBytes(16)),
  issuedAtMs: 1_700_000_000_000,
};
const custodian: Custodian = {
  type: CUSTODIAN_TYPE,
  network,
  owner: owner.address,
  nodeId,
  endpoint: { host: '127.0.0.1', port: 7402 },
  encryptionKey: toHex(knownBytes(32)),
  issuedAtMs: 1_700_000_000_000,
  nonce: toHex(knownBytes(16)),
};
const invitation: Invitation = {
  type: INVITATION_TYPE,
  grant: await signDocument(owner, grant),
  manifest: await signDocument(owner, manifest),
  custodian: await signDocument(owner, custodian),
  vaults,
};

test('an invitation comes back from its bytes, and one owner has signed all of it', () => {
  const parsed = parseInvitation(encodeDocument(invitation));
  assert.deepEqual(parsed, invitation);
  assert.deepEqual(verifyInvitation(nodeCrypto, parsed, network), {
    status: 'valid',
    dataset: grant.dataset,
    grant: documentId(nodeCrypto, grant),
  });
});

test('an invitation of parts that do not belong together is invalid, and says which part', async () => {
  const elsewhere = digestFrom(nodeCrypto.sha256(utf8('another network')));
  const lies: readonly (readonly [Partial<Invitation>, string])[] = [
    [{ manifest: await signDocument(stranger, manifest) }, 'manifest'],
    [{ manifest: await signDocument(owner, { ...manifest, network: elsewhere }) }, 'manifest'],
    // Everything of the stranger's own but the grant.
    [{ manifest: await signDocument(stranger, { ...manifest, owner: stranger.address }) }, 'grant'],
    [{ grant: await signDocument(stranger, grant) }, 'grant'],
    [{ grant: await signDocument(owner, { ...grant, dataset: network }) }, 'grant'],
    [{ grant: await signDocument(owner, { ...grant, owner: stranger.address }) }, 'grant'],
    [{ grant: await signDocument(owner, { ...grant, network: elsewhere }) }, 'grant'],
    [{ custodian: await signDocument(stranger, custodian) }, 'custodian'],
    [
      { custodian: await signDocument(owner, { ...custodian, owner: stranger.address }) },
      'custodian',
    ],
  ];
  for (const [change, reason] of lies) {
    const verdict = verifyInvitation(nodeCrypto, { ...invitation, ...change }, network);
    assert.deepEqual(verdict, { status: 'invalid', reason });
  }
  const verdict = verifyInvitation(nodeCrypto, invitation, elsewhere);
  assert.deepEqual(verdict, { status: 'invalid', reason: 'manifest' });
});

test('an invitation of another shape is refused, whatever it is', () => {
  const wrong = [
    { ...invitation, type: 'helixmesh/grant/v1' },
    { ...invitation, vaults: [] },
    { ...invitation, vaults: [vaults[0], vaults[0]] },
    { ...invitation, vaults: ['https://vault.example'] },
    { ...invitation, grant: invitation.custodian },
    { ...invitation, key: 'ab' },
    { ...invitation, grant: { ...invitation.grant, signature: '0x' } },
  ];
  for (const value of wrong) {
    assert.throws(() => parseInvitation(encodeDocument(value)), isAppError('INPUT_MALFORMED'));
  }
  const fields = fc.constantFrom(...Object.keys(invitation));
  fc.assert(
    fc.property(fc.uint8Array(), fields, fc.jsonValue(), (bytes, field, json) => {
      throwsOnlyAppError(() => parseInvitation(bytes));
      throwsOnlyAppError(() =>
        parseInvitation(utf8(canonicalJson({ ...invitation, [field]: json }))),
      );
    }),
  );
});
