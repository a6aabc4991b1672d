import assert from 'node:assert/strict';
import { link, mkdtemp, readFile, rm, stat, symlink, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { AppError } from '@helixmesh/protocol';
import { SEGMENT_BYTES } from '@helixmesh/protocol/sealing';
import { type DownloadOptions, download } from './download.ts';
import { partialOf } from './partial-file.ts';
import { changedVault, memoryVault } from './testing/memory-vault.ts';
import { sealedFile } from './testing/sealed-file.ts';
import type { Vault } from './vault-port.ts';

/** Some units of 64 segments, the last one short. */
const SIZE = 200 * SEGMENT_BYTES + 99;

async function fixture(t: TestContext, size = SIZE) {
  const folder = await mkdtemp(join(tmpdir(), 'hm-download-'));
  t.after(() => rm(folder, { recursive: true }));
  const file = await sealedFile(size);
  const vault = await memoryVault();
  await file.putInto(vault);
  const path = join(folder, 'reads.vcf');
  const run = async (from: Vault = vault, changes: Partial<DownloadOptions> = {}) => {
    const reader = await file.open([from]);
    const ranges = [{ start: 0, end: size }];
    const options = { reader, ranges, path, isReplacing: false, connections: 4 };
    return download({ ...options, digest: file.plaintextDigest, ...changes });
  };
  return { file, vault, path, run };
}

function failsWith(code: string): (error: unknown) => boolean {
  return (error) => {
    assert.ok(error instanceof AppError, `${error}`);
    assert.equal(error.code, code, error.message);
    assert.ok(error.hint !== undefined || code === 'PEER_UNREACHABLE');
    return true;
  };
}

test('pieces that come in parallel make the file, which is for its owner alone', async (t) => {
  const { file, vault, path, run } = await fixture(t);
  const seen: number[] = [];
  const done = await run(vault, { onProgress: (bytes) => seen.push(bytes) });
  assert.deepEqual(done, { path, sizeBytes: SIZE, keptBytes: 0 });
  assert.deepEqual(Uint8Array.from(await readFile(path)), file.plaintext);
  assert.equal((await stat(path)).mode & 0o777, 0o600);
  assert.equal(seen.at(-1), SIZE);
  await assert.rejects(stat(partialOf(path)));
});

test('a download that broke goes on: verified segments stay, all else is fetched', async (t) => {
  const { file, vault, path, run } = await fixture(t);
  let allowed = 90 * SEGMENT_BYTES;
  const breaking = changedVault(vault, (body) => ({
    async *read(range, signal) {
      for await (const chunk of body.read(range, signal)) {
        allowed -= chunk.length;
        if (allowed < 0) throw new AppError('ACCESS_REFUSED', 'killed', { hint: 'none' });
        yield chunk;
      }
    },
  }));
  await assert.rejects(run(breaking), failsWith('ACCESS_REFUSED'));
  await assert.rejects(stat(path), 'nothing has the name before it is whole');
  // What a torn write or a bad disk would leave.
  const partial = await readFile(partialOf(path));
  partial[5] = (partial[5] ?? 0) ^ 1;
  await writeFile(partialOf(path), partial);
  vault.counts.readBytes = 0;
  const { keptBytes } = await run();
  assert.ok(keptBytes >= 40 * SEGMENT_BYTES, `${keptBytes} bytes stayed`);
  assert.ok(vault.counts.readBytes < SIZE - keptBytes + 2 * SEGMENT_BYTES, 'nothing came twice');
  assert.deepEqual(Uint8Array.from(await readFile(path)), file.plaintext);
});

test('a partial file of something else does no harm, longer or shorter', async (t) => {
  const { file, path, run } = await fixture(t, 3 * SEGMENT_BYTES + 5);
  for (const length of [0, 100, 10 * SEGMENT_BYTES]) {
    await writeFile(partialOf(path), new Uint8Array(length).fill(7));
    assert.equal((await run()).keptBytes, 0);
    assert.deepEqual(Uint8Array.from(await readFile(path)), file.plaintext);
    await rm(path);
  }
});

test('a whole partial file is published without a read', async (t) => {
  const { file, vault, path, run } = await fixture(t);
  await writeFile(partialOf(path), file.plaintext);
  const { keptBytes } = await run();
  assert.equal(keptBytes, SIZE);
  assert.equal(vault.counts.reads, 0);
  assert.deepEqual(Uint8Array.from(await readFile(path)), file.plaintext);
});

test('a file of that name is not replaced, unless that was asked for', async (t) => {
  const { file, path, vault, run } = await fixture(t, 1_000);
  await writeFile(path, 'mine');
  await assert.rejects(run(), failsWith('OUTPUT_IN_USE'));
  assert.equal(await readFile(path, 'utf8'), 'mine');
  await run(vault, { isReplacing: true });
  assert.deepEqual(Uint8Array.from(await readFile(path)), file.plaintext);
});

test('a file with another digest than the owner has sealed gets no name', async (t) => {
  const { path, vault, run, file } = await fixture(t, 1_000);
  const other = (await sealedFile(999)).plaintextDigest;
  await assert.rejects(run(vault, { digest: other }), failsWith('CIPHERTEXT_INVALID'));
  await assert.rejects(stat(path));
  assert.ok(file.plaintextDigest !== other);
});

test('some ranges make a file of their bytes, one behind the other', async (t) => {
  const { file, path, vault } = await fixture(t);
  const ranges = [
    { start: 10, end: 20 },
    { start: SEGMENT_BYTES, end: 70 * SEGMENT_BYTES + 1 },
  ];
  const wanted = Buffer.concat(ranges.map(({ start, end }) => file.plaintext.subarray(start, end)));
  const run = async () => {
    const reader = await file.open([vault]);
    return download({ reader, path, ranges, isReplacing: false, connections: 2 });
  };
  await run();
  assert.ok((await readFile(path)).equals(wanted));
  await rm(path);
  await writeFile(partialOf(path), wanted);
  await truncate(partialOf(path), wanted.length - 1);
  assert.equal((await run()).keptBytes, 69 * SEGMENT_BYTES, 'whole segments stay');
  assert.ok((await readFile(path)).equals(wanted));
});

test('a partial file is for its owner alone, and no link to elsewhere is followed', async (t) => {
  const { path, run } = await fixture(t, 1_000);
  await writeFile(partialOf(path), '', { mode: 0o666 });
  await run();
  assert.equal((await stat(path)).mode & 0o777, 0o600);
  await rm(path);
  await writeFile(`${path}.other`, '');
  await symlink(`${path}.other`, partialOf(path));
  await assert.rejects(run());
  await rm(partialOf(path));
  await link(`${path}.other`, partialOf(path));
  await assert.rejects(run(), failsWith('OUTPUT_UNWRITABLE'));
  assert.equal((await stat(`${path}.other`)).size, 0);
});

test('an object of no bytes is a file of no bytes', async (t) => {
  const { path, run } = await fixture(t, 0);
  await run();
  assert.equal((await stat(path)).size, 0);
});
