/**
 * The cores that all tools of a node share. First come, first served: who wants several waits until
 * enough are free and is not overtaken, so that single-core work cannot starve it.
 */
export interface Grant {
  readonly cores: number;
  release(): void;
}

export class CoreBudget {
  readonly total: number;
  #free: number;
  readonly #waiting: { readonly wanted: number; readonly grant: () => void }[] = [];

  constructor(total: number) {
    this.total = total;
    this.#free = total;
  }

  /** Cores that somebody has now. */
  get held(): number {
    return this.total - this.#free;
  }

  /**
   * Waits for `wanted` cores, or all of them where the node has fewer. Rejects when `signal`
   * aborts; nothing is held then.
   */
  async acquire(wanted: number, signal: AbortSignal): Promise<Grant> {
    signal.throwIfAborted();
    const cores = Math.max(1, Math.min(wanted, this.total));
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    const entry = { wanted: cores, grant: resolve };
    const abort = () => {
      const position = this.#waiting.indexOf(entry);
      if (position < 0) return;
      this.#waiting.splice(position, 1);
      reject(signal.reason);
      this.#serve();
    };
    signal.addEventListener('abort', abort, { once: true });
    this.#waiting.push(entry);
    this.#serve();
    try {
      await promise;
    } finally {
      signal.removeEventListener('abort', abort);
    }
    return { cores, release: this.#releaseOnce(cores) };
  }

  #serve(): void {
    for (let next = this.#waiting[0]; next !== undefined; next = this.#waiting[0]) {
      if (next.wanted > this.#free) return;
      this.#waiting.shift();
      this.#free -= next.wanted;
      next.grant();
    }
  }

  #releaseOnce(cores: number): () => void {
    let held = true;
    return () => {
      if (!held) return;
      held = false;
      this.#free += cores;
      this.#serve();
    };
  }
}
