/**
 * A builtin: a step that is a function of this package instead of an outside program. The executor
 * runs it in a worker thread, in the attempt's working folder, with the same inputs and outputs as
 * a tool would have. It reads and writes by relative name under `folder` and nothing else.
 */
export interface BuiltinContext {
  /** Absolute path of the working folder; inputs lie in it under their relative names. */
  readonly folder: string;
  /** The command's arguments as they stand in the task's key. */
  readonly args: Readonly<Record<string, unknown>>;
  /** Cores granted; the result must not depend on it. */
  readonly threads: number;
  /** Tells how much is done, 0–1; cheap enough to call often. */
  progress(fraction: number): void;
}

/** Throws AppError for input that cannot be used. Must be deterministic in the inputs and args. */
export type Builtin = (context: BuiltinContext) => Promise<void>;
