/** Entry of a worker thread: runs one builtin or digests one file at a time, and answers. */
import { parentPort } from 'node:worker_threads';
import { AppError } from '@helixmesh/protocol';
import type { Builtin } from './builtin.ts';
import { inSteps } from './progress-steps.ts';
import type { WorkerJob, WorkerReply } from './worker-job.ts';

function reply(message: WorkerReply): void {
  parentPort?.postMessage(message);
}

async function run(job: WorkerJob): Promise<string> {
  if (job.kind === 'digest') {
    const { canonicalDigest } = await import('../canonical/canonical-digest.ts');
    return (await canonicalDigest(job.path, job.format)).digest;
  }
  const builtin = (await registry(job.module))[job.name];
  if (builtin === undefined) {
    throw new AppError('TOOL_MISSING', `there is no builtin ${job.name}`, {
      hint: 'This is a mistake of the pipeline, not of yours; report it.',
    });
  }
  await builtin({
    folder: job.folder,
    args: job.args,
    threads: job.threads,
    progress: inSteps((fraction) => reply({ kind: 'progress', fraction })),
  });
  return '';
}

async function registry(module: string | undefined): Promise<Readonly<Record<string, Builtin>>> {
  return (module === undefined ? await import('../builtins.ts') : await import(module)).BUILTINS;
}

parentPort?.on('message', async (job: WorkerJob) => {
  try {
    reply({ kind: 'done', value: await run(job) });
  } catch (thrown) {
    const error = AppError.from(thrown).toRecord();
    // Details pass as JSON, as they do over HTTP: what cannot be cloned must not hide the error.
    reply({ kind: 'failed', error: JSON.parse(JSON.stringify(error)) });
  }
});
