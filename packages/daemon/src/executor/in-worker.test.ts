import assert from 'node:assert/strict';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { inWorker, prepareThread } from './in-worker.ts';

test('a prepared thread takes the first job, and the next one after it', async (t) => {
  const folder = await mkdtemp(join(tmpdir(), 'hm-worker-'));
  t.after(() => rm(folder, { recursive: true, force: true }));
  const path = join(folder, 'a.json');
  await writeFile(path, '{"b":1,"a":2}');
  const { signal } = new AbortController();

  const isStarted = once(process, 'worker');
  prepareThread();
  await isStarted;
  let startedLater = 0;
  const count = () => {
    startedLater += 1;
  };
  process.on('worker', count);
  t.after(() => process.off('worker', count));
  const first = await inWorker({ kind: 'digest', path, format: 'json' }, { signal });
  const second = await inWorker({ kind: 'digest', path, format: 'json' }, { signal });
  assert.match(first, /^sha256:/);
  assert.equal(second, first);
  assert.equal(startedLater, 0);
});
