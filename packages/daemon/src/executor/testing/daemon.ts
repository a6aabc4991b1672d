/** A process that runs one attempt, for the tests that kill it. Arguments: root, isolation, mark. */

import { taskKey } from '@helixmesh/pipelines';
import type { AttemptId } from '@helixmesh/protocol';
import type { Isolation } from '../outcome.ts';
import { runAttempt } from '../run-attempt.ts';
import { scriptTask } from './bench.ts';

const [root = '', isolation = '', mark = ''] = process.argv.slice(2);
// One stage ignores every signal that it can, one leaves a child behind.
const spec = scriptTask([
  `trap '' TERM HUP INT PIPE; : ${mark}; while :; do sleep 1; done`,
  `: ${mark}; sleep 600 & exec -a ${mark} sleep 600`,
]);
const bash = { argv: ['/bin/bash', '--norc'], version: '1' };
await runAttempt({
  spec,
  key: taskKey(spec),
  attemptId: 'att_00000000000000ff' as AttemptId,
  scratchRoot: `${root}/scratch`,
  storeRoot: `${root}/store`,
  threads: 1,
  resolveInput: async () => '',
  tools: { bwa: bash, samtools: bash },
  signal: new AbortController().signal,
  isolation: isolation as Isolation,
});
