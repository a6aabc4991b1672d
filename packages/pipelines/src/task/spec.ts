/**
 * A task: one tool step as pure data. It names its inputs by content, its commands as argument
 * vectors over relative file names, its outputs by name and format. Nothing in it depends on the
 * machine that runs it except `location`, which is not part of the key.
 *
 * Invariants
 *   T1  The key is a function of names, content digests, commands, outputs and tool versions only.
 *   T2  A command sees its folder, the declared inputs in it, and nothing else by relative name.
 *   T3  `{threads}` in an argument is replaced by the executor and must not change the result.
 *   T4  Outputs appear under their final path together, by one rename of a folder, or not at all.
 */
import type { Digest, TaskKey } from '@helixmesh/protocol';
import type { ToolName } from '../tools/catalogue.ts';

export type PoolName = 'qc' | 'align' | 'call' | 'annotate' | 'report';
export const POOL_NAMES: readonly PoolName[] = ['qc', 'align', 'call', 'annotate', 'report'];

export interface TaskSpec {
  /** The step's name for people and the journal, e.g. `call.chr7`. Not part of the key. */
  readonly name: string;
  readonly pool: PoolName;
  readonly inputs: readonly TaskInput[];
  readonly commands: readonly Command[];
  readonly outputs: readonly TaskOutput[];
  /** Exact version of every tool that the commands use; the executor refuses another one. */
  readonly toolVersions: Readonly<Partial<Record<ToolName, string>>>;
  readonly resources: Resources;
}

export interface Resources {
  /** Cores the task can use; the executor grants 1..cores and fills `{threads}` with the grant. */
  readonly cores: number;
  readonly memoryMib: number;
}

export type TaskInput = FileInput | OutputInput | TextInput;

/** A file of the machine, identified by content. */
export interface FileInput {
  readonly kind: 'file';
  /** Relative name in the working folder. */
  readonly name: string;
  readonly digest: Digest;
  /** Absolute path. Not part of the key. */
  readonly location: string;
}

/** An output of another task. */
export interface OutputInput {
  readonly kind: 'output';
  readonly name: string;
  /** Digest of the output's canonical content; for an index, the digest of what it indexes. */
  readonly digest: Digest;
  /** Who makes it. Not part of the key. */
  readonly task: TaskKey;
  readonly output: string;
}

/** A small file whose content stands in the specification. */
export interface TextInput {
  readonly kind: 'text';
  readonly name: string;
  readonly text: string;
}

export type Command = ToolCommand | BuiltinCommand;

/** One shell-free pipeline: the stages run together, each reading the one before it. */
export interface ToolCommand {
  readonly kind: 'tools';
  readonly stages: readonly Stage[];
  /** Relative name that receives the last stage's standard output. */
  readonly stdout?: string;
  /** Starts together with the command before it instead of after it. */
  readonly beside?: true;
}

export interface Stage {
  readonly tool: ToolName;
  readonly args: readonly string[];
}

/** A function of our own, run in a worker thread; its version is `toolVersions.helixmesh`. */
export interface BuiltinCommand {
  readonly kind: 'builtin';
  readonly name: string;
  readonly args: Readonly<Record<string, unknown>>;
}

export interface TaskOutput {
  readonly name: string;
  readonly format: OutputFormat;
  /** `intermediate` is deleted once nothing of the job needs it, unless the job keeps all. */
  readonly retention: 'result' | 'intermediate';
  /** What its canonical digest must be; of another content the attempt fails (RESULT_DIFFERS). */
  readonly expected?: Digest;
}

/**
 * How an output is hashed (packages/pipelines/src/canonical). `index` is rebuilt from its data
 * file and takes no part in comparison; `opaque` is hashed as bytes.
 */
export type OutputFormat = 'bam' | 'vcf' | 'json' | 'fastp-json' | 'text' | 'opaque' | 'index';

export interface TaskResult {
  readonly key: TaskKey;
  readonly outputs: Readonly<Record<string, OutputRecord>>;
}

export interface OutputRecord {
  readonly digest: Digest;
  readonly sizeBytes: number;
}
