/** What the executor is asked to do for one attempt of a task, and what became of it. */
import type { ResolvedTools, TaskInput, TaskResult, TaskSpec } from '@helixmesh/pipelines';
import type { AttemptId, ErrorRecord, TaskKey } from '@helixmesh/protocol';
import type { AttemptMeter } from './attempt-meter.ts';
import type { TaskLimits } from './sandbox/limits-of-task.ts';

export interface AttemptRequest {
  readonly spec: TaskSpec;
  readonly key: TaskKey;
  readonly attemptId: AttemptId;
  /** Absolute path, on the same file system as `storeRoot`. */
  readonly scratchRoot: string;
  readonly storeRoot: string;
  /** Cores granted; stands for `{threads}` in arguments. */
  readonly threads: number;
  /** Absolute path of a `file` or `output` input; asked of each input but texts. */
  readonly resolveInput: (input: TaskInput) => Promise<string>;
  readonly tools: ResolvedTools;
  readonly signal: AbortSignal;
  /** Told what begins, moves on and ends, so that somebody can ask it how far the attempt is. */
  readonly meter?: AttemptMeter;
  /** The tools have ended; what follows is to check, digest and publish their outputs. */
  readonly onComputed?: () => void;
  /** The host pid of each tool command's first process, once it has started. */
  readonly onStarted?: (pid: number) => void;
  /** Left out: bubblewrap when it works here. */
  readonly isolation?: Isolation;
  /** Multiplies what a task may use; left out: 1. */
  readonly limitsFactor?: number;
  /** Other limits than those that follow from the task. */
  readonly limits?: Partial<TaskLimits>;
  /** Module whose export `BUILTINS` is used; left out: the one of the pipelines. */
  readonly builtinModule?: string;
}

/**
 * `bubblewrap`: no network, nothing of the machine but programs and inputs, own pid namespace.
 * `process_group`: none of this; the tools are only kept together so that they die together.
 */
export type Isolation = 'bubblewrap' | 'process_group';

export type AttemptOutcome = CompleteAttempt | FailedAttempt | { readonly status: 'canceled' };

export interface CompleteAttempt {
  readonly status: 'complete';
  readonly result: TaskResult;
  /** Wall time from start to exit, summed over the commands that follow each other, ms. */
  readonly wallMs: number;
  /** User and system time of the tool commands; builtins do not count, ms. */
  readonly cpuMs: number;
  /** Printable; the commands of the task one a line. */
  readonly command: string;
  readonly stderrTail: string;
  /** True when somebody else had published this key and that result stands. */
  readonly wasPublished: boolean;
}

export interface FailedAttempt {
  readonly status: 'failed';
  readonly error: ErrorRecord;
  /** Wall time of the commands until the failure, ms. */
  readonly wallMs: number;
  readonly exitCode: number | null;
  /** Name of the signal that killed the culprit, e.g. `SIGKILL`. */
  readonly signal: string | null;
  /** The culprit among the tools of a pipeline. */
  readonly failedStage: string | null;
  readonly command: string;
  /** Last 20 lines of the culprit's standard error, at most 8 KiB. */
  readonly stderrTail: string;
}
