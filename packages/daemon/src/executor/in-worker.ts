/** Runs builtins and digests away from the main thread, and ends them when asked to. */
import { Worker } from 'node:worker_threads';
import { TASK_WORKER, type WorkerJob, type WorkerReply } from '@helixmesh/pipelines';
import { AppError } from '@helixmesh/protocol';
import { BUILTIN_HEAP_MIN_MIB } from './limits.ts';

export interface WorkerOptions {
  readonly signal: AbortSignal;
  readonly memoryMib?: number;
  readonly onProgress?: (fraction: number) => void;
}

/** The job's answer. Throws the job's AppError, CANCELED on abort, TOOL_FAILED on lost heap. */
export async function inWorker(job: WorkerJob, options: WorkerOptions): Promise<string> {
  const { signal, memoryMib = 0, onProgress } = options;
  if (signal.aborted) throw canceled();
  const worker = new Worker(TASK_WORKER, {
    workerData: job,
    env: {},
    resourceLimits: { maxOldGenerationSizeMb: Math.max(memoryMib, BUILTIN_HEAP_MIN_MIB) },
  });
  const { promise, resolve, reject } = Promise.withResolvers<string>();
  const abort = (): void => reject(canceled());
  signal.addEventListener('abort', abort, { once: true });
  worker.on('message', (message: WorkerReply) => {
    if (message.kind === 'progress') onProgress?.(message.fraction);
    else if (message.kind === 'done') resolve(message.value);
    else reject(AppError.fromRecord(message.error));
  });
  worker.on('error', (cause) => reject(workerError(cause)));
  worker.on('exit', () => reject(new AppError('INTERNAL', 'a worker thread ended unasked')));
  try {
    return await promise;
  } finally {
    signal.removeEventListener('abort', abort);
    await worker.terminate();
  }
}

function canceled(): AppError {
  return new AppError('CANCELED', 'the attempt was canceled');
}

function workerError(cause: unknown): AppError {
  if ((cause as NodeJS.ErrnoException | null)?.code === 'ERR_WORKER_OUT_OF_MEMORY') {
    return new AppError('TOOL_FAILED', 'a step ran out of memory', {
      hint: 'Report it with the size of the input: the step asks for too little memory.',
      cause,
    });
  }
  return AppError.from(cause);
}
