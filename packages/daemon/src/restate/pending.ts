/**
 * A promise of the port over one of the engine. It is awaited lazily, as the engine wants it, and
 * rejects with the AppError that the engine's terminal error carries.
 */
import { AppError } from '@helixmesh/protocol';
import { RestatePromise, TerminalError } from '@restatedev/restate-sdk';
import { recordOf } from './failure.ts';

type Inner<T> = PromiseLike<T>;

export class Pending<T> implements Promise<T> {
  readonly [Symbol.toStringTag] = 'Pending';
  readonly #inner: Inner<T>;

  constructor(inner: Inner<T>) {
    this.#inner = inner;
  }

  // biome-ignore lint/suspicious/noThenProperty: this class is a promise.
  then<A = T, B = never>(
    fulfilled?: ((value: T) => A | PromiseLike<A>) | null,
    rejected?: ((reason: unknown) => B | PromiseLike<B>) | null,
  ): Promise<A | B> {
    const whenRejected = (reason: unknown) => {
      const error = translated(reason);
      if (rejected) return rejected(error);
      throw error;
    };
    return this.#inner.then(fulfilled, whenRejected) as Promise<A | B>;
  }

  catch<B = never>(rejected?: ((reason: unknown) => B | PromiseLike<B>) | null): Promise<T | B> {
    return this.then(undefined, rejected);
  }

  finally(settled?: (() => void) | null): Promise<T> {
    const after = () => settled?.();
    return this.then(
      (value) => {
        after();
        return value;
      },
      (reason) => {
        after();
        throw reason;
      },
    );
  }

  static all<T>(pending: readonly Promise<T>[]): Promise<T[]> {
    return new Pending(RestatePromise.all(pending.map(innerOf)) as Inner<T[]>);
  }

  static race<T>(pending: readonly Promise<T>[]): Promise<T> {
    return new Pending(RestatePromise.race(pending.map(innerOf)) as Inner<T>);
  }

  static inner<T>(pending: Pending<T>): Inner<T> {
    return pending.#inner;
  }
}

function innerOf<T>(pending: Promise<T>): RestatePromise<T> {
  if (pending instanceof Pending) return Pending.inner(pending) as RestatePromise<T>;
  throw new AppError('INTERNAL', 'all and race take promises of the port only', {
    hint: 'Hand them what task, step, signal, sleep … return, as it is.',
  });
}

function translated(reason: unknown): unknown {
  if (!(reason instanceof TerminalError)) return reason;
  const { code, message, ...options } = recordOf(reason);
  return new AppError(code, message, { ...options, cause: reason });
}
