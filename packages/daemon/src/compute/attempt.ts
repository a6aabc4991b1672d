/**
 * One attempt that this node holds, from its reads to the end of the task.
 *
 *   fetch → analyse → seal → commit → (all have committed) reveal → final: outputs stay until fetched
 *
 * Invariants
 * A1  Plaintext is wiped before the result is committed to, and when the attempt is lost or fails.
 * A2  The salt is on disk before the commit is told, so that a node that dies can still reveal.
 * A3  A coordinator that does not answer stops nothing: work goes on, and it is told later. Only
 *     its word `lost` ends an attempt.
 * A4  No key is asked for before it is known that the machine can hold the tools in, and no read before
 *     there is room for it.
 * A5  What is for later tasks of the job is sealed to the key of the job alone, which its custodian has.
 */
import { rm } from 'node:fs/promises';
import { setTimeout as delay } from 'node:timers/promises';
import { AppError } from '@helixmesh/protocol';
import { toHex } from '@helixmesh/protocol/sealing';
import { assertContained, type Containment } from './admission.ts';
import { analyseStage, type StageOptions } from './analyse-stage.ts';
import {
  type AttemptRecord,
  enclosureOf,
  handedOf,
  readRecord,
  sealedOf,
  writeRecord,
} from './attempt-folder.ts';
import { wipeEnclosed } from './enclosed-analysis.ts';
import { ORDER_POLL_MAX_MS, RENEW_SHARE, RETRY_FIRST_MS, RETRY_MAX_MS } from './limits.ts';
import { resultDigest } from './result-digest.ts';
import { sealOutputs } from './seal-outputs.ts';
import { type StatementOptions, stateResult } from './state-result.ts';
import type { Held, Order, Secret } from './work-source.ts';

const SALT_BYTES = 32;

export interface AttemptOptions extends StageOptions, StatementOptions {
  readonly containment: Containment;
}

/** What ends an attempt from outside, and who waits for its plaintext to be gone. */
export interface AttemptRun {
  readonly stopping: AbortSignal;
  /** Called when the outputs are sealed: from then on it takes no cores, and waits for the others. */
  readonly onSealed?: () => void;
}

/**
 * Brings the attempt in `folder` as far as it goes: until it is final, lost or has failed, or until
 * `stopping` aborts; the next call goes on from there.
 */
export async function runAttempt(
  options: AttemptOptions,
  folder: string,
  { stopping, onSealed }: AttemptRun,
): Promise<void> {
  const record = await readRecord(folder);
  if (record === null || record.keepUntilMs !== null) return;
  try {
    const secret = record.secret ?? (await makeResult(options, { folder, record, stopping }));
    await wipeEnclosed(enclosureOf(folder)); // A1, also where the node died right before.
    await rm(handedOf(folder), { recursive: true, force: true });
    onSealed?.();
    await agree(options, { folder, record: { ...record, secret }, stopping });
  } catch (thrown) {
    if (stopping.aborted) return;
    await giveUp(options, { folder, record, error: AppError.from(thrown) });
  }
}

interface Step {
  readonly folder: string;
  readonly record: AttemptRecord;
  readonly stopping: AbortSignal;
}

/** Analyses and seals; the secret is on disk when it answers. */
async function makeResult(options: AttemptOptions, step: Step): Promise<Secret> {
  await using lease = keepLease(options, step.record.assignment, step.stopping);
  try {
    return await analyseAndSeal(options, step, lease.signal);
  } catch (thrown) {
    throw lease.isLost() ? lost() : thrown;
  }
}

async function analyseAndSeal(
  options: AttemptOptions,
  { folder, record }: Step,
  signal: AbortSignal,
): Promise<Secret> {
  const { crypto, network, now } = options;
  const { assignment, startedAtMs = now() } = record;
  await assertContained(options.containment, assignment.job); // A4
  const { result, recipients } = await analyseStage(options, { folder, assignment, signal });
  const target = sealedOf(folder);
  await sealOutputs({
    ...{ crypto, outDir: result.outDir, result, recipients, target },
    state: (files) => stateResult(options, { assignment, result, startedAtMs }, files),
  });
  const salt = toHex(crypto.random(SALT_BYTES));
  const secret = { resultDigest: resultDigest(crypto, network, result), salt };
  await writeRecord(folder, { ...record, secret });
  return secret;
}

/** Commits, reveals when told to, and notes how long the outputs are to stay. */
async function agree(
  options: AttemptOptions,
  { folder, record, stopping }: Step & { readonly record: { readonly secret: Secret } },
): Promise<void> {
  const { work } = options;
  const { assignment, secret } = record;
  let order = await told(options, stopping, () => work.commit(assignment, secret));
  for (;;) {
    if (order.status === 'lost') throw lost();
    if (order.status === 'final') break;
    if (order.status === 'reveal') {
      order = await told(options, stopping, () => work.reveal(assignment, secret));
      if (order.status !== 'reveal') continue;
    }
    const waitMs = order.status === 'held' ? order.leaseMs * RENEW_SHARE : ORDER_POLL_MAX_MS;
    await delay(Math.min(waitMs, ORDER_POLL_MAX_MS), undefined, { signal: stopping });
    order = await told(options, stopping, () => work.renew(assignment));
  }
  await writeRecord(folder, { ...record, keepUntilMs: order.keepUntilMs });
  options.logger.info({ attemptId: assignment.attemptId }, 'attempt final');
}

/** Wipes everything and tells the coordinator why, unless it was the coordinator who said so. */
async function giveUp(
  options: AttemptOptions,
  { folder, record, error }: { folder: string; record: AttemptRecord; error: AppError },
): Promise<void> {
  const { attemptId } = record.assignment;
  options.logger.warn({ attemptId, code: error.code }, 'attempt given up');
  await wipeEnclosed(enclosureOf(folder));
  await rm(folder, { recursive: true, force: true });
  if (error.details?.['lost'] === true) return;
  // Whom nobody can tell finds out by the lease.
  await options.work.fail(record.assignment, error.code).catch((thrown) => {
    options.logger.warn({ attemptId, code: AppError.from(thrown).code }, 'failure not told');
  });
}

interface Lease extends AsyncDisposable {
  /** Aborted when the lease is lost or the node stops. */
  readonly signal: AbortSignal;
  isLost(): boolean;
}

function keepLease(options: AttemptOptions, held: Held, stopping: AbortSignal): Lease {
  const ended = new AbortController();
  const losing = new AbortController();
  const until = AbortSignal.any([stopping, ended.signal]);

  async function keep(): Promise<void> {
    for (;;) {
      const order = await told(options, until, () => options.work.renew(held));
      if (order.status === 'lost') return losing.abort();
      const waitMs = order.status === 'held' ? order.leaseMs * RENEW_SHARE : ORDER_POLL_MAX_MS;
      await delay(waitMs, undefined, { signal: until });
    }
  }

  // A coordinator that refuses us for good has taken the lease too.
  const keeping = keep().catch(() => until.aborted || losing.abort());
  return {
    signal: AbortSignal.any([stopping, losing.signal]),
    isLost: () => losing.signal.aborted,
    [Symbol.asyncDispose]: async () => {
      ended.abort();
      await keeping;
    },
  };
}

/** What the coordinator answers; asked again for as long as it does not (A3). */
async function told(
  { logger }: AttemptOptions,
  signal: AbortSignal,
  ask: () => Promise<Order>,
): Promise<Order> {
  for (let waitMs = RETRY_FIRST_MS; ; waitMs = Math.min(2 * waitMs, RETRY_MAX_MS)) {
    signal.throwIfAborted();
    try {
      return await ask();
    } catch (thrown) {
      const error = AppError.from(thrown);
      if (!error.retryable) throw error;
      logger.warn({ code: error.code }, 'coordinator does not answer');
      await delay(waitMs, undefined, { signal });
    }
  }
}

function lost(): AppError {
  return new AppError('CANCELED', 'the lease of the attempt is lost', { details: { lost: true } });
}
