/**
 * Runs builtins and digests away from the main thread, and ends them when asked to.
 *
 * A thread that has answered waits a while for the next job: to start one and load its modules
 * takes longer than most jobs do. One that failed or was aborted is not used again.
 */
import { Worker } from 'node:worker_threads';
import { TASK_WORKER, type WorkerJob, type WorkerReply } from '@helixmesh/pipelines';
import { AppError } from '@helixmesh/protocol';
import { IDLE_WORKER_MS, WORKER_HEAP_MIB } from './limits.ts';

export interface WorkerOptions {
  readonly signal: AbortSignal;
  readonly onProgress?: (fraction: number) => void;
}

/** A thread and who listens to it now. */
interface Thread {
  readonly worker: Worker;
  onMessage: (message: WorkerReply) => void;
  onEnd: (cause: unknown) => void;
}

/** Threads that wait for a job, the last to have worked last, each with its end. */
const idle = new Map<Thread, NodeJS.Timeout>();

/** The job's answer. Throws the job's AppError, CANCELED on abort, TOOL_FAILED on lost heap. */
export async function inWorker(job: WorkerJob, options: WorkerOptions): Promise<string> {
  const { signal, onProgress } = options;
  if (signal.aborted) throw canceled();
  const thread = takeIdle() ?? startThread();
  const { promise, resolve, reject } = Promise.withResolvers<string>();
  const abort = (): void => reject(canceled());
  signal.addEventListener('abort', abort, { once: true });
  thread.onEnd = (cause) => reject(workerError(cause));
  thread.onMessage = (message) => {
    if (message.kind === 'progress') onProgress?.(message.fraction);
    else if (message.kind === 'done') resolve(message.value);
    else reject(AppError.fromRecord(message.error));
  };
  thread.worker.postMessage(job);
  try {
    const answer = await promise;
    keepIdle(thread);
    return answer;
  } catch (error) {
    await thread.worker.terminate();
    throw error;
  } finally {
    signal.removeEventListener('abort', abort);
  }
}

/** Starts a thread that waits, so that the first job finds one. */
export function prepareThread(): void {
  keepIdle(startThread());
}

function startThread(): Thread {
  const resourceLimits = { maxOldGenerationSizeMb: WORKER_HEAP_MIB };
  const worker = new Worker(TASK_WORKER, { env: {}, resourceLimits });
  const thread: Thread = { worker, onMessage: () => {}, onEnd: () => {} };
  worker.on('message', (message: WorkerReply) => thread.onMessage(message));
  worker.on('error', (cause) => thread.onEnd(cause));
  worker.on('exit', () => thread.onEnd(new AppError('INTERNAL', 'a thread ended unasked')));
  return thread;
}

/** The thread that worked last, so that those not needed reach their end. */
function takeIdle(): Thread | undefined {
  const thread = [...idle.keys()].at(-1);
  if (thread === undefined) return undefined;
  clearTimeout(idle.get(thread));
  idle.delete(thread);
  thread.worker.ref();
  return thread;
}

function keepIdle(thread: Thread): void {
  const end = (): void => {
    clearTimeout(idle.get(thread));
    idle.delete(thread);
    void thread.worker.terminate();
  };
  thread.onEnd = end;
  thread.worker.unref();
  idle.set(thread, setTimeout(end, IDLE_WORKER_MS).unref());
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
