import assert from 'node:assert/strict';
import { mkdtemp, readdir, readFile, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { nodeCrypto } from '@helixmesh/protocol/node';
import {
  decryptObject,
  ENCRYPTED_SEGMENT_BYTES,
  openWithAny,
  SEGMENT_BYTES,
  segmentCount,
} from '@helixmesh/protocol/sealing';
import { sealToFile } from './seal.ts';
import { collect, inChunks, memoryVault, network, someBytes } from './testing/memory-vault.ts';
import { sealedFile } from './testing/sealed-file.ts';

async function temporaryFolder(t: TestContext): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'hm-seal-'));
  t.after(() => rm(folder, { recursive: true }));
  return folder;
}

const SIZES = [0, 1, SEGMENT_BYTES, SEGMENT_BYTES + 1, 2 ** 20, 2 ** 20 + 77, 3 * 2 ** 20];

test('one pass gives what the manifest says: a vault takes the body, a reader finds the plaintext', async () => {
  for (const isGrouped of [false, true]) {
    for (const size of SIZES) {
      const file = await sealedFile(size, { isGrouped });
      const vault = await memoryVault();
      // The vault recomputes sizes, segment tree and CID.
      await file.putInto(vault);
      assert.equal(vault.catalogue.stat(file.id)?.bodyCid, file.manifest.bodyCid);
      const open = openWithAny(nodeCrypto, file.dataKeys);
      const body = inChunks(file.body, 70_000);
      const opened = await collect(decryptObject(nodeCrypto, file.manifest, body, { open }));
      assert.deepEqual(opened, file.plaintext);
      assert.equal(file.plaintextDigest, file.digestOfPlaintext);
    }
  }
});

test('an object for region grants has a key for each 256 segments', async () => {
  const size = 257 * SEGMENT_BYTES;
  const { dataKeys, body } = await sealedFile(size, { isGrouped: true });
  assert.equal(dataKeys.length, 2);
  assert.equal(body.length, size + segmentCount(size) * (ENCRYPTED_SEGMENT_BYTES - SEGMENT_BYTES));
});

test('the spool file is for its owner alone and holds nothing of the plaintext', async (t) => {
  const path = join(await temporaryFolder(t), 'body');
  const secret = Buffer.from('chr7\t117559590\t.\tATCT\tA');
  const plaintext = Buffer.alloc(300_000, secret);
  const seen: number[] = [];
  const { bodyBytes, plaintextBytes } = await sealToFile(path, inChunks(plaintext, 65_000), {
    crypto: nodeCrypto,
    network,
    isGrouped: false,
    onProgress: (bytes) => seen.push(bytes),
  });
  const { mode, size } = await stat(path);
  assert.equal(mode & 0o777, 0o600);
  assert.equal(size, bodyBytes);
  assert.equal((await readFile(path)).indexOf(secret), -1);
  assert.equal(seen.at(-1), plaintextBytes);
});

test('of a sealing that fails nothing is left', async (t) => {
  const folder = await temporaryFolder(t);
  async function* failing() {
    yield someBytes(2 * 2 ** 20);
    assert.fail('the disk is gone');
  }
  const options = { crypto: nodeCrypto, network, isGrouped: false };
  await assert.rejects(sealToFile(join(folder, 'body'), failing(), options), /the disk is gone/);
  const aborted = { ...options, signal: AbortSignal.abort() };
  await assert.rejects(sealToFile(join(folder, 'body'), inChunks(someBytes(5), 5), aborted));
  assert.deepEqual(await readdir(folder), []);
});
