import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { TaskView } from '@helixmesh/protocol';
import { createLiveProgress, progressOf } from './progress.ts';

function task(pool: string, progress: number | null): TaskView {
  const state = progress === 1 ? 'COMPLETE' : 'RUNNING';
  const times = { startedAtMs: 0, endedAtMs: null };
  const ran = { reused: false, why: 'first run', attempts: 1, error: null };
  return { name: pool, key: 'sha256:0', pool, state, progress, ...times, ...ran };
}

test('a running step counts by its progress, one that tells nothing not at all', () => {
  const at = (progress: number | null) =>
    progressOf('RUNNING', { tasks: [task('align', progress)], planned: null });
  assert.equal(at(null), 0);
  assert.equal(at(0.5), 0.15);
  assert.equal(at(1), 0.3);
  const shards = [task('call', 1), task('call', 0.5), task('call', null)];
  assert.equal(progressOf('RUNNING', { tasks: shards, planned: 3 }), 0.25);
  assert.equal(progressOf('COMPLETE', { tasks: [], planned: null }), 1);
});

test('what is told of a job does not fall when a step begins again', () => {
  const live = createLiveProgress(async () => null);
  assert.deepEqual(
    [0.1, 0.4, 0.2, 0.5].map((progress) => live.held('job_1', progress)),
    [0.1, 0.4, 0.4, 0.5],
  );
  assert.equal(live.held('job_2', 0.2), 0.2);
});
