/**
 * Digests of outputs that a task finishes before its last command, made while the others run: the
 * digest of an alignment costs as much as a pass over it.
 *
 * A digest is used only if the file has not been touched since it was begun.
 */
import { lstat } from 'node:fs/promises';
import { join } from 'node:path';
import type { TaskSpec } from '@helixmesh/pipelines';
import type { Digest } from '@helixmesh/protocol';
import { inWorker } from './in-worker.ts';
import { INLINE_DIGEST_MAX_BYTES } from './limits.ts';

interface Begun {
  readonly stamp: string;
  /** Null when it failed; the caller makes it again and meets the error itself. */
  readonly digest: Promise<Digest | null>;
}

export class EarlyDigests {
  readonly #work: string;
  readonly #outputs: TaskSpec['outputs'];
  readonly #signal: AbortSignal;
  readonly #begun = new Map<string, Begun>();

  constructor(work: string, { outputs }: TaskSpec, signal: AbortSignal) {
    this.#work = work;
    this.#outputs = outputs.filter(({ format }) => format !== 'index');
    this.#signal = signal;
  }

  /** Begins with the large outputs that are there now. */
  async begin(): Promise<void> {
    for (const { name, format } of this.#outputs) {
      if (this.#begun.has(name)) continue;
      const path = join(this.#work, name);
      const found = await stampOf(path);
      if (found === null || found.sizeBytes <= INLINE_DIGEST_MAX_BYTES) continue;
      const digest = inWorker({ kind: 'digest', path, format }, { signal: this.#signal }).then(
        (value) => value as Digest,
        () => null,
      );
      this.#begun.set(name, { stamp: found.stamp, digest });
    }
  }

  /** The digest of an output as it is now, or null when none was made of it. */
  async take(name: string): Promise<Digest | null> {
    const begun = this.#begun.get(name);
    if (begun === undefined) return null;
    const found = await stampOf(join(this.#work, name));
    return found?.stamp === begun.stamp ? begun.digest : null;
  }
}

async function stampOf(path: string): Promise<{ stamp: string; sizeBytes: number } | null> {
  try {
    const { ino, size, mtimeNs, ctimeNs } = await lstat(path, { bigint: true });
    return { stamp: [ino, size, mtimeNs, ctimeNs].join('/'), sizeBytes: Number(size) };
  } catch {
    // Not there yet.
    return null;
  }
}
