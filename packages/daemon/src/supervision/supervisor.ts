/**
 * Supervision as Erlang/OTP has it: permanent children, each restarted alone when it ends by
 * itself (one-for-one), and a limit on how often.
 *
 * S1  Children start in order and stop in reverse order.
 * S2  A child that ends is started again; its siblings are not touched.
 * S3  More than `maxRestarts` restarts within `withinMs`: the supervisor stops all its children and
 *     its own `exited` rejects, so that whoever supervises it takes it for a crashed child.
 * S4  Stopping ends, at the latest after `drainMs`, whatever its children do; a child that was just
 *     being started is awaited and stopped too, or its process would outlive this one.
 */
import { setTimeout as delay } from 'node:timers/promises';
import { AppError } from '@helixmesh/protocol';

/** A started child. */
export interface Child {
  /** Resolves or rejects when the child has ended, by itself or by `stop`. */
  readonly exited: Promise<void>;
  stop(): Promise<void>;
}

export interface ChildSpec {
  readonly name: string;
  start(): Promise<Child>;
  /** Wait before this child is started again; none by default. */
  readonly restartDelayMs?: number;
}

export interface SupervisorOptions {
  readonly name: string;
  readonly children: readonly ChildSpec[];
  readonly maxRestarts?: number;
  readonly withinMs?: number;
  /** How long all children together have to stop. */
  readonly drainMs?: number;
  /** Monotonic milliseconds. */
  readonly now?: () => number;
  readonly onRestart?: (child: string, reason: unknown) => void;
}

/** OTP's usual intensity, and the seed's: 3 restarts in 5 seconds. */
export const MAX_RESTARTS = 3;
export const RESTART_WINDOW_MS = 5_000;
/** A node that is asked to end has this long, as service managers expect. */
export const DRAIN_MS = 10_000;

export class Supervisor implements Child, AsyncDisposable {
  readonly exited: Promise<void>;
  readonly #options: Required<Omit<SupervisorOptions, 'onRestart'>> &
    Pick<SupervisorOptions, 'onRestart'>;
  readonly #children = new Map<string, Child>();
  readonly #starting = new Set<Promise<void>>();
  readonly #ended = Promise.withResolvers<void>();
  readonly #stopAsked = new AbortController();
  #restarts: number[] = [];
  #stopping: Promise<void> | null = null;

  constructor(options: SupervisorOptions) {
    this.#options = {
      maxRestarts: MAX_RESTARTS,
      withinMs: RESTART_WINDOW_MS,
      drainMs: DRAIN_MS,
      now: () => performance.now(),
      ...options,
    };
    this.exited = this.#ended.promise;
    // An escalation nobody listens for must not end the process; whoever awaits it still sees it.
    this.exited.catch(() => undefined);
  }

  /** Starts every child; if one cannot start, those before it are stopped and the error is thrown. */
  async start(): Promise<this> {
    for (const spec of this.#options.children) {
      try {
        await this.#startChild(spec);
      } catch (error) {
        await this.stop();
        throw error;
      }
    }
    return this;
  }

  stop(): Promise<void> {
    this.#stopping ??= this.#stopChildren().then(() => this.#ended.resolve());
    return this.#stopping;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop();
  }

  async #startChild(spec: ChildSpec): Promise<void> {
    const starting = this.#startOne(spec);
    this.#starting.add(starting);
    try {
      await starting;
    } finally {
      this.#starting.delete(starting);
    }
  }

  async #startOne(spec: ChildSpec): Promise<void> {
    const child = await spec.start();
    if (this.#stopping !== null) {
      child.exited.catch(() => undefined); // Nobody restarts it any more.
      return child.stop();
    }
    this.#children.set(spec.name, child);
    child.exited.then(
      () => this.#childEnded(spec, null),
      (reason) => this.#childEnded(spec, reason),
    );
  }

  async #childEnded(spec: ChildSpec, reason: unknown): Promise<void> {
    this.#children.delete(spec.name);
    for (let cause = reason; this.#stopping === null; ) {
      if (this.#tooMany()) return this.#escalate(spec.name, cause);
      this.#options.onRestart?.(spec.name, cause);
      await this.#pause(spec.restartDelayMs ?? 0);
      if (this.#stopping !== null) return;
      try {
        await this.#startChild(spec);
        return;
      } catch (error) {
        cause = error;
      }
    }
  }

  /** Waits, but no longer than until the supervisor is stopped. */
  async #pause(durationMs: number): Promise<void> {
    if (durationMs === 0) return;
    const { signal } = this.#stopAsked;
    await delay(durationMs, undefined, { signal }).catch(() => undefined);
  }

  /** Counts a restart that is about to be made. */
  #tooMany(): boolean {
    const now = this.#options.now();
    this.#restarts = this.#restarts.filter((at) => now - at < this.#options.withinMs);
    if (this.#restarts.length >= this.#options.maxRestarts) return true;
    this.#restarts.push(now);
    return false;
  }

  #escalate(child: string, cause: unknown): void {
    const { name, maxRestarts, withinMs } = this.#options;
    const error = new AppError(
      'INTERNAL',
      `${name}: ${child} ended more than ${maxRestarts} times in ${withinMs} ms`,
      { hint: 'Read the log of the node for what ended it.', cause },
    );
    this.#stopping ??= this.#stopChildren().then(() => this.#ended.reject(error));
  }

  async #stopChildren(): Promise<void> {
    this.#stopAsked.abort();
    const deadline = new AbortController();
    const { drainMs } = this.#options;
    const late = delay(drainMs, undefined, { signal: deadline.signal }).catch(() => undefined);
    await Promise.race([this.#stopEach(), late]);
    deadline.abort();
  }

  async #stopEach(): Promise<void> {
    const starting = Promise.allSettled(this.#starting);
    for (const child of [...this.#children.values()].reverse()) {
      // How a child ends while it is being stopped changes nothing for the others.
      await child.stop().catch(() => undefined);
      await child.exited.catch(() => undefined);
    }
    await starting;
  }
}
