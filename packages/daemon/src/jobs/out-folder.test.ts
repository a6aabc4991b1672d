import assert from 'node:assert/strict';
import {
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { AppError } from '@helixmesh/protocol';
import { temporaryFolder } from '../testing/temporary-folder.ts';
import {
  claimOutFolder,
  placeFile,
  placeText,
  prepareOutFolder,
  releaseOutFolder,
} from './out-folder.ts';

const root = temporaryFolder('out');
const fresh = () => mkdtempSync(join(root, 'folder-'));

test('a delivered file is whole, read-only and leaves nothing beside it', async () => {
  const folder = fresh();
  const source = join(fresh(), 'calls');
  writeFileSync(source, 'hello\n');
  const placed = await placeFile(folder, 'sub/S1.vcf', source);
  assert.equal(placed.sha256, '5891b5b522d5df086d0ff0b110fbd9d21bb4fc7163af34d08286a2e846f6be03');
  assert.equal(placed.sizeBytes, 6);
  assert.equal(readFileSync(join(folder, 'sub/S1.vcf'), 'utf8'), 'hello\n');
  assert.equal(statSync(join(folder, 'sub/S1.vcf')).mode & 0o222, 0);
  assert.deepEqual(readdirSync(join(folder, 'sub')), ['S1.vcf']);
});

test('a delivery that is done again leaves nothing beside the file', async () => {
  const folder = fresh();
  const source = join(fresh(), 'calls');
  writeFileSync(source, 'hello\n');
  const first = await placeFile(folder, 'S1.vcf', source);
  assert.deepEqual(await placeFile(folder, 'S1.vcf', source), first);
  assert.deepEqual(readdirSync(folder), ['S1.vcf']);
});

test('a delivery that fails leaves nothing behind', async () => {
  const folder = fresh();
  await assert.rejects(placeFile(folder, 'S1.vcf', join(folder, 'missing')), { code: 'ENOENT' });
  const taken = fresh();
  mkdirSync(join(folder, 'S1.bam'));
  writeFileSync(join(taken, 'reads'), 'x');
  await assert.rejects(placeFile(folder, 'S1.bam', join(taken, 'reads')), { code: 'EISDIR' });
  await assert.rejects(placeText(folder, 'S1.bam', 'x'), { code: 'EISDIR' });
  assert.deepEqual(readdirSync(folder), ['S1.bam']);
});

test('a second delivery replaces the first', async () => {
  const folder = fresh();
  for (const text of ['one', 'two']) {
    const source = join(fresh(), 'calls');
    writeFileSync(source, text);
    await placeFile(folder, 'S1.vcf', source);
    await placeText(folder, 'crate.json', text);
  }
  assert.equal(readFileSync(join(folder, 'S1.vcf'), 'utf8'), 'two');
  assert.equal(readFileSync(join(folder, 'crate.json'), 'utf8'), 'two');
});

test('a folder that a job of another data folder holds is refused until it is released', async () => {
  const folder = fresh();
  await claimOutFolder(folder, { jobId: 'job_a', dataDir: '/data/a' });
  await claimOutFolder(folder, { jobId: 'job_a', dataDir: '/data/a' });
  await assert.rejects(claimOutFolder(folder, { jobId: 'job_b', dataDir: '/data/b' }), (error) => {
    assert.ok(error instanceof AppError);
    assert.equal(error.code, 'OUTPUT_IN_USE');
    return true;
  });
  await releaseOutFolder(folder, 'job_b');
  await assert.rejects(claimOutFolder(folder, { jobId: 'job_b', dataDir: '/data/b' }));
  await releaseOutFolder(folder, 'job_a');
  await claimOutFolder(folder, { jobId: 'job_b', dataDir: '/data/b' });
});

test('a path that is a file cannot be an output folder', async () => {
  const file = join(fresh(), 'file');
  writeFileSync(file, '');
  await assert.rejects(prepareOutFolder(file), { code: 'OUTPUT_UNWRITABLE' });
});

test('what a killed daemon left of its look at the folder is no obstacle', async () => {
  const folder = fresh();
  // In a container the next daemon has the same process number.
  writeFileSync(join(folder, `.helixmesh-probe-${process.pid}`), '');
  writeFileSync(join(folder, '.helixmesh-probe'), '');
  await prepareOutFolder(folder);
  assert.deepEqual(readdirSync(folder), [`.helixmesh-probe-${process.pid}`]);
});
