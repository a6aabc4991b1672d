/**
 * The list of sites of `evaluate --sites`: written aside and renamed when the comparison is done, so
 * that a file under the given name is always whole.
 */
import { closeSync, openSync, renameSync, rmSync, writeSync } from 'node:fs';
import { type EvaluatedSite, formatSite, SITES_TSV_HEADER } from '@helixmesh/pipelines';
import { AppError } from '@helixmesh/protocol';

/** Letters that wait before they are written. */
const BUFFER_LETTERS = 64 * 1024;

export class SitesFile implements Disposable {
  readonly #path: string;
  readonly #partial: string;
  readonly #file: number;
  #waiting = SITES_TSV_HEADER;
  #isDone = false;

  /** Throws OUTPUT_UNWRITABLE. */
  constructor(path: string) {
    this.#path = path;
    this.#partial = `${path}.${process.pid}.partial`;
    this.#file = attempt(path, () => openSync(this.#partial, 'wx', 0o600));
  }

  /** Takes what is missed or falsely called; a site that is right is not listed. */
  add(site: EvaluatedSite): void {
    if (site.status !== 'FN' && site.status !== 'FP') return;
    this.#waiting += formatSite(site);
    if (this.#waiting.length >= BUFFER_LETTERS) this.#flush();
  }

  /** Puts the file under its name. */
  finish(): void {
    this.#flush();
    attempt(this.#path, () => renameSync(this.#partial, this.#path));
    this.#isDone = true;
  }

  /** Removes what was written, unless `finish` was called. */
  [Symbol.dispose](): void {
    closeSync(this.#file);
    if (!this.#isDone) rmSync(this.#partial, { force: true });
  }

  #flush(): void {
    attempt(this.#path, () => writeSync(this.#file, this.#waiting));
    this.#waiting = '';
  }
}

function attempt<T>(path: string, action: () => T): T {
  try {
    return action();
  } catch (cause) {
    const error = AppError.from(cause);
    if (error.code === 'DISK_FULL') throw error;
    throw new AppError('OUTPUT_UNWRITABLE', `cannot write the sites to ${path}`, {
      hint: 'Give --sites a file in a folder that exists and that you may write to.',
      cause,
    });
  }
}
