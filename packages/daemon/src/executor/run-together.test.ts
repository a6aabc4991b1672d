import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import type { TaskSpec, ToolName } from '@helixmesh/pipelines';
import { publishedPath } from './publish.ts';
import { runAttempt } from './run-attempt.ts';
import { Bench, processesWith, scriptTask } from './testing/bench.ts';

/** Two commands that start together; each waits for the other's file. */
function meeting(first: string, second: string): TaskSpec {
  const script = (tool: ToolName, text: string) => [{ tool, args: ['-c', text] }];
  return {
    ...scriptTask([]),
    commands: [
      { kind: 'tools', stages: script('bwa', first), stdout: 'out.txt' },
      { kind: 'tools', stages: script('samtools', second), stdout: 'other.txt', beside: true },
    ],
  };
}

test('commands beside each other run at the same time', async () => {
  await using bench = await Bench.create();
  const spec = meeting(
    'touch a; until [ -e b ]; do read -rt 0.01 < <(:) ; done; echo met',
    'touch b; until [ -e a ]; do read -rt 0.01 < <(:) ; done; echo met',
  );
  const request = bench.request(spec);
  const outcome = await runAttempt(request);
  assert.equal(outcome.status, 'complete', JSON.stringify(outcome));
  const path = publishedPath(bench.storeRoot, request.key, 'out.txt');
  assert.equal(readFileSync(path, 'utf8'), 'met\n');
});

test('when one command fails, the one beside it is ended and the failure is told', async () => {
  await using bench = await Bench.create();
  const mark = `sleep 98765.${process.pid}`;
  const outcome = await runAttempt(bench.request(meeting(mark, 'echo broken >&2; exit 7')));
  assert.ok(outcome.status === 'failed', JSON.stringify(outcome));
  assert.deepEqual(
    [outcome.failedStage, outcome.exitCode, outcome.stderrTail],
    ['samtools', 7, 'broken'],
  );
  assert.deepEqual(await processesWith(mark), []);
});
