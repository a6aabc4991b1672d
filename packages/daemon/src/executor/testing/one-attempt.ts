/** A process that runs one script as an attempt. Arguments: root, isolation, script; `out.txt` stays. */
import { copyFileSync } from 'node:fs';
import { join } from 'node:path';
import { taskKey } from '@helixmesh/pipelines';
import type { AttemptId } from '@helixmesh/protocol';
import type { Isolation } from '../outcome.ts';
import { publishedPath } from '../publish.ts';
import { runAttempt } from '../run-attempt.ts';
import { scriptTask } from './bench.ts';

const [root = '', isolation = '', script = ''] = process.argv.slice(2);
const spec = scriptTask([script]);
const storeRoot = join(root, 'store');
const outcome = await runAttempt({
  spec,
  key: taskKey(spec),
  attemptId: 'att_00000000000000fe' as AttemptId,
  scratchRoot: join(root, 'scratch'),
  storeRoot,
  threads: 1,
  resolveInput: async () => '',
  tools: { bwa: { argv: ['/bin/bash', '--norc'], version: '1' } },
  signal: new AbortController().signal,
  isolation: isolation as Isolation,
});
if (outcome.status === 'complete') {
  copyFileSync(publishedPath(storeRoot, taskKey(spec), 'out.txt'), join(root, 'out.txt'));
}
