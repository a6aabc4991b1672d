/**
 * What a pipeline may ask of the engine that runs it. Pipelines import this and no engine.
 *
 * Invariants (upheld by every adapter, tested by ./testing/workflow-compliance.ts)
 *   W1  A pipeline function is deterministic: it reads the outside world through this port alone.
 *   W2  Each operation is journaled in the order in which it was called; after a crash the function
 *       runs again from its start and finished operations answer from the journal.
 *   W3  `task` and `step` run to a recorded completion exactly once; a crash before the record may
 *       start them again, so their effects must be idempotent or published by rename.
 *   W4  Promises of this port are combined by `all` and `race` only. Continuations of two port
 *       promises must not race each other to call the port.
 *   W5  A journaled value is JSON of at most JOURNAL_VALUE_MAX_BYTES: digests and figures, no files.
 */
import type { Digest, Json, TaskKey } from '@helixmesh/protocol';
import type { TaskResult, TaskSpec } from '../task/spec.ts';

/** A journal holds digests and paths, no data (docs/adr/0001-restate.md). */
export const JOURNAL_VALUE_MAX_BYTES = 65_536;

export interface Workflow {
  /** Runs a tool task somewhere; answers when its outputs are published under the task's key. */
  task(spec: TaskSpec): Promise<TaskResult>;
  /** Journals the JSON content of a small output, so that the pipeline can decide on it. */
  readJson(output: OutputRef): Promise<Json>;
  /** Journals the value of a short side effect (milliseconds; never a tool). */
  step<T extends Json>(name: string, action: () => T | Promise<T>): Promise<T>;
  all<T>(pending: readonly Promise<T>[]): Promise<T[]>;
  race<T>(pending: readonly Promise<T>[]): Promise<T>;
  /** Waits for a value that someone outside sends once under this name. */
  signal<T extends Json>(name: string): Promise<T>;
  sleep(durationMs: number): Promise<void>;
  /** Unix time in milliseconds, the same on replay. */
  now(): Promise<number>;
  /** In [0, 1), from a seed fixed by the job, the same on replay. */
  random(): number;
  /** Appends one event to the job's journal table, once per (job, name). */
  emit(name: string, payload: Json): Promise<void>;
}

export interface OutputRef {
  readonly task: TaskKey;
  readonly output: string;
}

/** A versioned analysis. A change that alters the order of port calls needs a new version. */
export interface Pipeline<Input> {
  readonly name: string;
  readonly version: number;
  run(workflow: Workflow, input: Input): Promise<PipelineResult>;
}

export interface PipelineResult {
  /** What decided the result; equal hashes promise equal results. */
  readonly jobHash: Digest;
  /** Files for the user, in the order in which they should be shown. */
  readonly deliverables: readonly Deliverable[];
  /** Figures for the status display and `--json`; no genotypes. */
  readonly summary: { readonly [key: string]: Json };
}

export interface Deliverable {
  /** Relative path in the output folder, e.g. `S1.bam`. */
  readonly path: string;
  readonly source: OutputRef;
  readonly description: string;
}
