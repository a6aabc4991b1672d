import assert from 'node:assert/strict';
import { createPrivateKey, X509Certificate } from 'node:crypto';
import { chmod, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { keyOfCertificate } from '@helixmesh/client/network';
import { nodeCrypto } from '@helixmesh/protocol/node';
import { nodeKeyOf, toHex } from '@helixmesh/protocol/sealing';
import { temporaryFolder } from '../testing/temporary-folder.ts';
import { identityOf, loadIdentity, makeIdentity } from './identity.ts';

const root = temporaryFolder('identity');

test('an identity is made once, kept for its owner alone, and loaded as it was made', async () => {
  const folder = join(root, 'once');
  const made = await makeIdentity(folder);
  assert.deepEqual(await loadIdentity(folder), made);
  assert.equal(nodeKeyOf(made.nodeId), toHex(made.signingKey.publicKey));
  const files = await readdir(join(folder, 'identity'));
  assert.deepEqual(files.sort(), ['encryption.key', 'node.key']);
  for (const file of files) {
    assert.equal((await stat(join(folder, 'identity', file))).mode & 0o777, 0o600);
  }
  await assert.rejects(makeIdentity(folder), { code: 'CONFLICT' });
  assert.deepEqual(await loadIdentity(folder), made);
});

test('two that make an identity of one folder at the same time get one, and one of them says so', async () => {
  const folder = join(root, 'race');
  const outcomes = await Promise.allSettled([makeIdentity(folder), makeIdentity(folder)]);
  assert.deepEqual(outcomes.map(({ status }) => status).sort(), ['fulfilled', 'rejected']);
  const [made] = outcomes.filter((outcome) => outcome.status === 'fulfilled');
  assert.deepEqual(await loadIdentity(folder), made?.value);
});

test('one that was killed before its node key was there is made on the next try', async () => {
  const folder = join(root, 'killed');
  const made = await makeIdentity(folder);
  await rm(join(folder, 'identity', 'node.key'));
  await assert.rejects(loadIdentity(folder), { code: 'CONFIG_INVALID' });
  const again = await makeIdentity(folder);
  assert.notEqual(again.nodeId, made.nodeId);
  assert.deepEqual(again.encryptionKey, made.encryptionKey);
});

test('keys that others may read, and files that hold no key, are refused', async () => {
  const folder = join(root, 'refused');
  const { nodeId } = await makeIdentity(folder);
  const path = join(folder, 'identity', 'node.key');
  await chmod(path, 0o640);
  await assert.rejects(loadIdentity(folder), /others may read/);
  await chmod(path, 0o600);
  const good = await readFile(path, 'utf8');
  for (const bad of ['', good.slice(1), good.toUpperCase().replace(/^./, 'G'), good.repeat(100)]) {
    await writeFile(path, bad);
    await assert.rejects(loadIdentity(folder), (error: Error & { code?: string }) => {
      assert.equal(error.code, 'CONFIG_INVALID');
      assert.ok(bad.length < 60 || !error.message.includes(bad.slice(1, 60)), 'shows the key');
      return true;
    });
  }
  await writeFile(path, good);
  assert.equal((await loadIdentity(folder)).nodeId, nodeId);
});

test('a key has one certificate, which holds the key, signs itself and ends never', () => {
  for (let i = 0; i < 20; i += 1) {
    const secret = nodeCrypto.random(32);
    const identity = identityOf(secret, secret);
    const certificate = new X509Certificate(identity.certificatePem);
    assert.deepEqual(keyOfCertificate(certificate), identity.signingKey.publicKey);
    assert.ok(certificate.verify(certificate.publicKey));
    assert.ok(certificate.checkPrivateKey(createPrivateKey(identity.privateKeyPem)));
    assert.equal(certificate.ca, false);
    assert.equal(certificate.validToDate.getUTCFullYear(), 9999);
    assert.equal(certificate.subject, `CN=${nodeKeyOf(identity.nodeId)}`);
    assert.equal(identityOf(secret, secret).certificatePem, identity.certificatePem);
  }
});
