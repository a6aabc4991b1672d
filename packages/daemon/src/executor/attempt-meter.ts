/**
 * Tells how far one attempt is while it runs. It is kept in memory alone.
 *
 * Builtins tell their fraction. Of tools it looks at how far they have read their input, when
 * somebody asks and not again within the interval: nobody asks, nothing is read.
 */
import { join } from 'node:path';
import type { Command, TaskSpec } from '@helixmesh/pipelines';
import { attemptFraction, type FileReading, readFraction, weightOf } from './fraction.ts';
import { LOOK_INTERVAL_MS } from './limits.ts';
import { readPositions } from './read-positions.ts';
import { streamedFiles } from './streamed-files.ts';

interface Reader {
  readonly pid: number;
  /** Absolute paths of what it streams, and how far it was seen in each. */
  readonly files: Map<string, FileReading>;
}

interface CommandState {
  readonly weight: number;
  done: number | null;
  reader: Reader | null;
}

export class AttemptMeter {
  readonly #spec: TaskSpec;
  readonly #intervalMs: number;
  readonly #commands: ReadonlyMap<Command, CommandState>;
  #told: number | null = null;
  #lookedMs = Number.NEGATIVE_INFINITY;
  #looking: Promise<void> | null = null;

  constructor(spec: TaskSpec, { intervalMs = LOOK_INTERVAL_MS } = {}) {
    this.#spec = spec;
    this.#intervalMs = intervalMs;
    this.#commands = new Map(
      spec.commands.map((command) => {
        return [command, { weight: weightOf(command), done: null, reader: null }];
      }),
    );
  }

  /** A tool command runs in the folder `work` as the host's process `pid`. */
  started(command: Command, { pid, work }: { pid: number; work: string }): void {
    const state = this.#commands.get(command);
    if (state === undefined || command.kind === 'builtin') return;
    const paths = streamedFiles(this.#spec, command).map((name) => join(work, name));
    const files = new Map(paths.map((path) => [path, { position: 0, sizeBytes: 0 }]));
    if (paths.length > 0) state.reader = { pid, files };
  }

  /** A builtin has said how far it is, 0–1. */
  reached(command: Command, fraction: number): void {
    const state = this.#commands.get(command);
    if (state !== undefined) state.done = Math.max(state.done ?? 0, Math.min(1, fraction));
  }

  ended(command: Command): void {
    const state = this.#commands.get(command);
    if (state === undefined) return;
    state.reader = null;
    state.done = 1;
  }

  /** 0–1, never less than before; null while nothing can be told. Never throws. */
  async fraction(): Promise<number | null> {
    if (performance.now() - this.#lookedMs >= this.#intervalMs) {
      this.#looking ??= this.#look().finally(() => {
        this.#lookedMs = performance.now();
        this.#looking = null;
      });
      await this.#looking;
    }
    this.#told = attemptFraction([...this.#commands.values()], this.#told);
    return this.#told;
  }

  async #look(): Promise<void> {
    for (const state of this.#commands.values()) {
      const { reader } = state;
      if (reader === null) continue;
      const seen = await readPositions(reader.pid, [...reader.files.keys()]);
      for (const [path, now] of seen) {
        const position = Math.max(now.position, reader.files.get(path)?.position ?? 0);
        reader.files.set(path, { ...now, position });
      }
      const done = readFraction([...reader.files.values()]);
      // What ended during the look has said so itself.
      if (done !== null && state.reader === reader) state.done = Math.max(state.done ?? 0, done);
    }
  }
}
