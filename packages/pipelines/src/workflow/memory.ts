/**
 * The in-memory twin of the durable engine: a `Workflow` over an array, with a virtual clock and
 * seeded chance. For tests and simulation; nothing outlives the process.
 *
 *   W2  `#operate` numbers calls in the order in which they come and answers from the journal.
 *   W3  An effect is started after `called` and its value counts once `ended` stands there.
 *   W5  Values above the limit end their call with INTERNAL.
 *
 * A crash stops the engine at a chosen number of journal entries: no promise of the port settles
 * any more, and the next `run` of the job begins at the start of the function. The clock jumps to
 * the next timer when nothing else is under way.
 */
import { createHash } from 'node:crypto';
import { AppError, type ErrorRecord, type Json } from '@helixmesh/protocol';
import type { TaskResult, TaskSpec } from '../task/spec.ts';
import { type JobJournal, type OperationKind, type Outcome, Replay } from './journal.ts';
import {
  JOURNAL_VALUE_MAX_BYTES,
  type OutputRef,
  type Pipeline,
  type PipelineResult,
  type Workflow,
} from './port.ts';

export interface EngineEffects {
  runTask(spec: TaskSpec): Promise<TaskResult>;
  readOutput(output: OutputRef): Promise<Json>;
  /** Idempotent by (job, name). */
  emit?(event: {
    readonly jobId: string;
    readonly name: string;
    readonly payload: Json;
  }): Promise<void>;
}

export interface RunRequest<Input> {
  readonly jobId: string;
  readonly pipeline: Pipeline<Input>;
  readonly input: Input;
  /** Stop as if killed once the job's journal has so many entries. */
  readonly crashAt?: number;
}

export type RunOutcome =
  | { readonly status: 'completed'; readonly result: PipelineResult }
  | { readonly status: 'failed'; readonly error: ErrorRecord }
  | { readonly status: 'crashed' };

export interface MemoryEngine extends AsyncDisposable {
  /** Runs a job to its end or crash; goes on where an earlier run of the job id stopped. */
  run<Input>(request: RunRequest<Input>): Promise<RunOutcome>;
  signal(jobId: string, name: string, value: Json): Promise<void>;
  journal(jobId: string): JobJournal;
}

/** A fixed start keeps runs comparable: 2026-01-01T00:00:00Z. */
const CLOCK_START_MS = 1_767_225_600_000;

export function createMemoryEngine(effects: EngineEffects): MemoryEngine {
  const journals = new Map<string, JobJournal>();
  const running = new Map<string, Execution>();
  const journal = (jobId: string): JobJournal => {
    const known = journals.get(jobId);
    if (known !== undefined) return known;
    const fresh = { entries: [], signals: new Map<string, Json>(), clockMs: CLOCK_START_MS };
    journals.set(jobId, fresh);
    return fresh;
  };
  return {
    journal,
    run: async ({ jobId, pipeline, input, crashAt }) => {
      const limit = crashAt ?? Number.POSITIVE_INFINITY;
      const execution = new Execution({ jobId, journal: journal(jobId), limit, effects });
      running.set(jobId, execution);
      try {
        return await execution.run((workflow) => pipeline.run(workflow, input));
      } finally {
        running.delete(jobId);
      }
    },
    signal: async (jobId, name, value) => {
      const { signals } = journal(jobId);
      if (!signals.has(name)) signals.set(name, value);
      running.get(jobId)?.wake(name);
    },
    [Symbol.asyncDispose]: async () => {
      for (const execution of running.values()) execution.crash();
    },
  };
}

interface ExecutionOptions {
  readonly jobId: string;
  readonly journal: JobJournal;
  readonly limit: number;
  readonly effects: EngineEffects;
}

interface Timer {
  readonly atMs: number;
  readonly fire: () => void;
}

/** One run of the pipeline function over the job's journal. */
class Execution {
  readonly #options: ExecutionOptions;
  readonly #replay: Replay;
  readonly #random: () => number;
  readonly #crash = Promise.withResolvers<RunOutcome>();
  readonly #waiting = new Map<string, () => void>();
  #timers: Timer[] = [];
  #busy = 0;
  #calls = 0;
  #isCrashed = false;

  constructor(options: ExecutionOptions) {
    this.#options = options;
    this.#replay = new Replay(options.journal.entries);
    this.#random = seededRandom(options.jobId);
  }

  async run(body: (workflow: Workflow) => Promise<PipelineResult>): Promise<RunOutcome> {
    const finished = body(this.#port()).then(
      (result): RunOutcome => ({ status: 'completed', result }),
      (error: unknown): RunOutcome => ({
        status: 'failed',
        error: AppError.from(error).toRecord(),
      }),
    );
    return Promise.race([this.#crash.promise, finished]);
  }

  wake(signal: string): void {
    this.#waiting.get(signal)?.();
  }

  crash(): void {
    this.#isCrashed = true;
    this.#crash.resolve({ status: 'crashed' });
  }

  #port(): Workflow {
    const { effects, jobId, journal } = this.#options;
    return {
      task: (spec) => this.#effect('task', spec.name, () => effects.runTask(spec)),
      readJson: (output) =>
        this.#effect('readJson', output.output, () => effects.readOutput(output)),
      step: (name, action) => this.#effect('step', name, async () => action()),
      all: (pending) => Promise.all(pending),
      race: (pending) => this.#race(pending),
      signal: (name) => this.#operate('signal', name, () => this.#signalled(name)),
      sleep: (durationMs) =>
        this.#operate('sleep', String(durationMs), async () => {
          await this.#elapsed(durationMs);
          return null;
        }).then(() => undefined),
      now: () => this.#operate('now', '', async () => journal.clockMs),
      random: () => this.#random(),
      emit: (name, payload) =>
        this.#effect('emit', name, async () => {
          checkSize(payload, name);
          await effects.emit?.({ jobId, name, payload });
          return null;
        }).then(() => undefined),
    };
  }

  /** An operation that keeps the clock from jumping while it is under way. */
  #effect<T>(kind: OperationKind, label: string, action: () => Promise<T>): Promise<T> {
    return this.#operate(kind, label, async () => {
      this.#busy += 1;
      try {
        return await action();
      } finally {
        this.#busy -= 1;
        this.#advanceWhenIdle();
      }
    });
  }

  #operate<T>(kind: OperationKind, label: string, action: () => Promise<T>): Promise<T> {
    const call = this.#calls++;
    const promise = this.#answer(call, { kind, label, action });
    // A promise that nobody awaits after another one failed must not end the process.
    promise.catch(() => undefined);
    return promise;
  }

  async #answer<T>(
    call: number,
    { kind, label, action }: { kind: OperationKind; label: string; action: () => Promise<T> },
  ): Promise<T> {
    if (!this.#replay.isKnown(call, kind, label)) {
      this.#append({ type: 'called', call, kind, label });
    }
    const known = this.#replay.outcome(call);
    if (known !== undefined) return settle(known) as T;
    if (this.#isCrashed) return never();
    const outcome = await outcomeOf(action, label);
    if (this.#isCrashed) return never();
    this.#append({ type: 'ended', call, outcome });
    if (this.#isCrashed) return never();
    return settle(outcome) as T;
  }

  /** The winner is journaled, for on replay both answers may be there at once. */
  async #race<T>(pending: readonly Promise<T>[]): Promise<T> {
    const winner = await this.#operate('race', String(pending.length), () =>
      Promise.race(
        pending.map((each, i) =>
          each.then(
            () => i,
            () => i,
          ),
        ),
      ),
    );
    return pending[winner] as Promise<T>;
  }

  #append(entry: JobJournal['entries'][number]): void {
    const { entries } = this.#options.journal;
    if (this.#isCrashed) return;
    entries.push(entry);
    if (entries.length >= this.#options.limit) this.crash();
  }

  async #signalled<T extends Json>(name: string): Promise<T> {
    const { signals } = this.#options.journal;
    if (!signals.has(name)) {
      const { promise, resolve } = Promise.withResolvers<void>();
      this.#waiting.set(name, resolve);
      await promise;
    }
    return signals.get(name) as T;
  }

  async #elapsed(durationMs: number): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    const atMs = this.#options.journal.clockMs + durationMs;
    this.#timers.push({ atMs, fire: resolve });
    this.#advanceWhenIdle();
    await promise;
  }

  #advanceWhenIdle(): void {
    // After all continuations that are due: they may start something.
    setImmediate(() => {
      if (this.#busy > 0 || this.#isCrashed || this.#timers.length === 0) return;
      this.#timers = this.#timers.toSorted((left, right) => left.atMs - right.atMs);
      const next = this.#timers.shift();
      if (next === undefined) return;
      const { journal } = this.#options;
      journal.clockMs = Math.max(journal.clockMs, next.atMs);
      next.fire();
      this.#advanceWhenIdle();
    });
  }
}

async function outcomeOf(action: () => Promise<unknown>, label: string): Promise<Outcome> {
  try {
    const value = ((await action()) ?? null) as Json;
    checkSize(value, label);
    // What is read back is what a journal gives: a copy.
    return { status: 'value', value: JSON.parse(JSON.stringify(value)) };
  } catch (error) {
    return { status: 'error', error: AppError.from(error).toRecord() };
  }
}

function settle(outcome: Outcome): Json {
  if (outcome.status === 'value') return outcome.value;
  throw AppError.fromRecord(outcome.error);
}

function checkSize(value: unknown, label: string): void {
  const sizeBytes = Buffer.byteLength(JSON.stringify(value) ?? '');
  if (sizeBytes <= JOURNAL_VALUE_MAX_BYTES) return;
  throw new AppError('INTERNAL', `${label}: a value of ${sizeBytes} bytes cannot be journaled`, {
    hint: `Journal digests and figures of at most ${JOURNAL_VALUE_MAX_BYTES} bytes.`,
  });
}

function never<T>(): Promise<T> {
  return new Promise(() => undefined);
}

/** SHA-256 in counter mode: the same numbers for the same job on every machine. */
function seededRandom(seed: string): () => number {
  let counter = 0;
  return () => {
    const hash = createHash('sha256').update(`${seed}\0${counter++}`).digest();
    return hash.readUIntBE(0, 6) / 2 ** 48;
  };
}
