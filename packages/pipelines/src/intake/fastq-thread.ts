/**
 * One FASTQ file of the intake, scanned in a thread of its own and some pieces ahead of its reader.
 * Of the reads only the names pass between the threads.
 */
import assert from 'node:assert/strict';
import { on } from 'node:events';
import { extname } from 'node:path';
import { Worker } from 'node:worker_threads';
import { AppError, type ErrorRecord } from '@helixmesh/protocol';
import type { ReadsInput, ReadsSummary } from './fastq-input.ts';
import { PIECES_AHEAD } from './limits.ts';

export interface FastqJob {
  readonly path: string;
  /** Names the file in messages. */
  readonly label: string;
}

export type FastqReply = PieceReply | EndReply | FailedReply;

interface PieceReply {
  readonly kind: 'piece';
  readonly names: Uint8Array;
  /** Up to this piece and with it. */
  readonly reads: number;
  readonly readBytes: number;
}

interface EndReply {
  readonly kind: 'end';
  readonly reads: number;
  readonly readBytes: number;
  readonly outcome: SummaryReply;
}

interface FailedReply {
  readonly kind: 'failed';
  readonly error: ErrorRecord;
}

type Replies = AsyncIterator<readonly [FastqReply]>;

export type SummaryReply = { readonly summary: ReadsSummary } | { readonly error: ErrorRecord };

// From source under type stripping this file ends in .ts, built in .js; so does the worker.
const FASTQ_WORKER = new URL(`./fastq-worker${extname(import.meta.url)}`, import.meta.url);

export class FastqThread implements ReadsInput {
  readonly sizeBytes: number;
  readonly #worker: Worker;
  readonly #replies: Replies;
  #taken: PieceReply | EndReply | null = null;

  /** Starts to read at once. Errors of the file come from `next` and `summary`. */
  constructor(job: FastqJob, sizeBytes: number) {
    this.sizeBytes = sizeBytes;
    this.#worker = new Worker(FASTQ_WORKER, { workerData: job, env: {} });
    this.#replies = on(this.#worker, 'message', { close: ['exit'] }) as Replies;
    for (let i = 0; i < PIECES_AHEAD; i++) this.#ask();
  }

  get readBytes(): number {
    return this.#taken?.readBytes ?? 0;
  }

  get reads(): number {
    return this.#taken?.reads ?? 0;
  }

  async next(): Promise<Uint8Array | null> {
    if (this.#taken?.kind === 'end') return null;
    const { value, done } = await this.#replies.next();
    if (done === true) throw new AppError('INTERNAL', 'a thread ended unasked');
    const [reply] = value;
    if (reply.kind === 'failed') throw AppError.fromRecord(reply.error);
    this.#taken = reply;
    if (reply.kind === 'end') return null;
    this.#ask();
    return reply.names;
  }

  summary(): ReadsSummary {
    assert(this.#taken?.kind === 'end', 'a file is summed up after its last record');
    const { outcome } = this.#taken;
    if ('error' in outcome) throw AppError.fromRecord(outcome.error);
    return outcome.summary;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#worker.terminate();
  }

  #ask(): void {
    this.#worker.postMessage(null);
  }
}
