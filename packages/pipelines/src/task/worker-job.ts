/** What a worker thread of tasks is given and answers, and where its entry lies. */
import { extname } from 'node:path';
import type { ErrorRecord } from '@helixmesh/protocol';
import type { OutputFormat } from './spec.ts';

export type WorkerJob = BuiltinJob | DigestJob;

export interface BuiltinJob {
  readonly kind: 'builtin';
  readonly name: string;
  readonly module?: string;
  readonly folder: string;
  readonly args: Readonly<Record<string, unknown>>;
  readonly threads: number;
}

export interface DigestJob {
  readonly kind: 'digest';
  readonly path: string;
  readonly format: OutputFormat;
}

export type WorkerReply =
  | { readonly kind: 'progress'; readonly fraction: number }
  | { readonly kind: 'done'; readonly value: string }
  | { readonly kind: 'failed'; readonly error: ErrorRecord };

/**
 * Entry of the worker thread. It stands in this package so that it need not load all of it: a task
 * starts several threads, and each loads what it runs alone.
 */
// From source under type stripping this file ends in .ts, built in .js; so does the worker.
export const TASK_WORKER = new URL(`./task-worker${extname(import.meta.url)}`, import.meta.url);
