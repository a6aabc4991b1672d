import assert from 'node:assert/strict';
import { test } from 'node:test';
import { canonicalDigest } from '@helixmesh/pipelines';
import { publishedPath } from './publish.ts';
import { runAttempt } from './run-attempt.ts';
import { Bench, OUT, scriptTask } from './testing/bench.ts';

/** More than is digested inline. */
const LARGE = 'head -c 600000 /dev/zero | tr "\\0" "a"';

const cases = {
  'an output that is finished early': [LARGE, 'sleep 0.3'],
  'an output that a later command writes anew': [
    LARGE,
    `${LARGE} | tr a b > ${OUT.name}.new; mv ${OUT.name}.new ${OUT.name}`,
  ],
  'an output that a later command adds to': [LARGE, `echo more >> ${OUT.name}`],
} as const;

for (const [what, [first, second]] of Object.entries(cases)) {
  test(`${what} has the digest of its last content`, async () => {
    await using bench = await Bench.create();
    const task = scriptTask([first]);
    const { stdout: _none, ...later } = scriptTask([second]).commands[0] as { stdout?: string };
    const spec = { ...task, commands: [...task.commands, later as (typeof task.commands)[0]] };
    const request = bench.request(spec);
    const outcome = await runAttempt(request);
    assert.equal(outcome.status, 'complete', JSON.stringify(outcome));
    const path = publishedPath(bench.storeRoot, request.key, OUT.name);
    const { digest } = await canonicalDigest(path, spec.outputs[0]?.format ?? 'text');
    assert.equal(outcome.result.outputs[OUT.name]?.digest, digest);
  });
}
