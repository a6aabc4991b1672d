import assert from 'node:assert/strict';
import { mkdtemp, readdir, readFile, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { AppError } from '@helixmesh/protocol';
import { writeWhole } from './partial-file.ts';

let folder = '';
before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'partial-'));
});
after(() => rm(folder, { recursive: true, force: true }));

async function* parts(...texts: string[]) {
  for (const text of texts) {
    if (text === 'fail') throw new AppError('PEER_UNREACHABLE', 'gone');
    yield Buffer.from(text);
  }
}

test('a file is there whole, for its owner alone, and takes no other one by itself', async () => {
  const path = join(folder, 'a');
  assert.deepEqual(await writeWhole(parts('one ', 'two'), { path, isReplacing: false }), {
    sizeBytes: 7,
  });
  assert.equal(await readFile(path, 'utf8'), 'one two');
  assert.equal((await stat(path)).mode & 0o777, 0o600);
  const again = writeWhole(parts('three'), { path, isReplacing: false });
  await assert.rejects(again, { code: 'OUTPUT_IN_USE' });
  await writeWhole(parts('four'), { path, isReplacing: true });
  assert.equal(await readFile(path, 'utf8'), 'four');
});

test('a source that fails leaves no file and the one that was there', async () => {
  const path = join(folder, 'a');
  await assert.rejects(writeWhole(parts('x', 'fail'), { path, isReplacing: true }), {
    code: 'PEER_UNREACHABLE',
  });
  assert.equal(await readFile(path, 'utf8'), 'four');
  assert.deepEqual(await readdir(folder), ['a']);
});
