import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { test } from 'node:test';
import type { Digest } from '@helixmesh/protocol';
import { publishedFolder } from './publish.ts';
import { runAttempt } from './run-attempt.ts';
import { Bench, OUT, scriptTask } from './testing/bench.ts';

test('an output of another content than it must have fails the attempt, and is not published', async () => {
  await using bench = await Bench.create();
  const expected = `sha256:${createHash('sha256').update('right\n').digest('hex')}` as Digest;
  const making = (text: string) => scriptTask([`echo ${text}`], [{ ...OUT, expected }]);
  const request = bench.request(making('wrong'));
  const wrong = await runAttempt(request);
  assert.equal(wrong.status === 'failed' && wrong.error.code, 'RESULT_DIFFERS');
  assert.ok(!existsSync(publishedFolder(bench.storeRoot, request.key)));
  const right = await runAttempt(bench.request(making('right')));
  assert.equal(right.status, 'complete', JSON.stringify(right));
});
