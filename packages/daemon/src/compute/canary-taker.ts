/**
 * A compute node's way to be admitted: it asks its coordinator for a canary, does the work, answers,
 * and asks again until it is admitted; then now and then, for other hardware is verified anew.
 *
 * T1  A coordinator that does not answer stops nothing; it is asked again.
 * T2  One canary at a time, and its folder is empty before and after.
 */
import { setTimeout as delay } from 'node:timers/promises';
import type { Channel } from '@helixmesh/client/network';
import { AppError, type Digest } from '@helixmesh/protocol';
import type { Canary, CanaryStanding } from '@helixmesh/protocol/sealing';
import { type ApplicationHealth, OK } from '../node/application.ts';
import type { Logger } from '../node/logger.ts';
import { CANARY_ASK_MS_MAX, CANARY_ASK_MS_MIN, RETRY_FIRST_MS } from './limits.ts';

export interface CanaryTakerOptions {
  /** To the coordinator, signed by this node. */
  readonly channel: Pick<Channel, 'call'>;
  /** Does the work: `runCanary`. */
  readonly analyse: (canary: Canary, signal: AbortSignal) => Promise<Digest>;
  /** Milliseconds since 1970. */
  readonly now: () => number;
  readonly logger: Logger;
}

export interface CanaryTaker {
  /** Begins to ask; ends when `signal` aborts. */
  run(signal: AbortSignal): Promise<void>;
  /** The coordinator has admitted this node, as far as this node knows. */
  readonly isAdmitted: boolean;
  /** Whether a canary runs now, which takes the cores of an attempt. */
  readonly isAtWork: boolean;
  health(): ApplicationHealth;
}

export function createCanaryTaker(options: CanaryTakerOptions): CanaryTaker {
  const { channel, logger, now } = options;
  let standing: CanaryStanding | null = null;
  let isAtWork = false;

  async function turn(signal: AbortSignal): Promise<void> {
    const asked = await channel.call('takeCanary', { params: {}, signal });
    note(asked);
    if (asked.canary === null) return;
    isAtWork = true;
    try {
      const body = await answerOf(options, asked.canary, signal);
      note(await told(() => channel.call('answerCanary', { params: {}, body, signal }), signal));
    } finally {
      isAtWork = false;
    }
  }

  function note(next: CanaryStanding): void {
    const isNews = standing?.admission !== next.admission;
    standing = next;
    const { admission, reason } = next;
    if (isNews) logger.info({ admission, code: reason?.code }, 'standing at the coordinator');
  }

  return {
    async run(signal) {
      for (let retryMs = RETRY_FIRST_MS; !signal.aborted; ) {
        let waitMs: number;
        try {
          await turn(signal);
          retryMs = RETRY_FIRST_MS;
          const untilMs = standing === null ? 0 : standing.askAgainAtMs - now();
          waitMs = Math.min(Math.max(untilMs, CANARY_ASK_MS_MIN), CANARY_ASK_MS_MAX);
        } catch (thrown) {
          if (signal.aborted) return;
          // T1. Before the first registration it is NOT_FOUND, which passes soon.
          logger.info({ code: AppError.from(thrown).code }, 'no answer about a canary');
          waitMs = retryMs;
          retryMs = Math.min(2 * retryMs, CANARY_ASK_MS_MAX);
        }
        await delay(waitMs, undefined, { signal }).catch(() => undefined);
      }
    },
    get isAdmitted() {
      return standing?.admission === 'available';
    },
    get isAtWork() {
      return isAtWork;
    },
    health() {
      if (standing === null || standing.admission === 'available') return OK;
      const { reason } = standing;
      return reason === null ? OK : { status: 'failing', why: `not admitted: ${reason.message}` };
    },
  };
}

async function answerOf(
  { analyse, logger }: CanaryTakerOptions,
  canary: Canary,
  signal: AbortSignal,
): Promise<{ canaryId: string; resultDigest: Digest | null; code: string | null }> {
  const { canaryId } = canary;
  try {
    return { canaryId, resultDigest: await analyse(canary, signal), code: null };
  } catch (thrown) {
    signal.throwIfAborted();
    const { code } = AppError.from(thrown);
    logger.warn({ canaryId, code }, 'the analysis of a canary failed');
    return { canaryId, resultDigest: null, code };
  }
}

/** What is answered; told again while nobody is there, for the work was done (T1). */
async function told<T>(tell: () => Promise<T>, signal: AbortSignal): Promise<T> {
  for (let waitMs = RETRY_FIRST_MS; ; waitMs = Math.min(2 * waitMs, CANARY_ASK_MS_MAX)) {
    try {
      return await tell();
    } catch (thrown) {
      if (signal.aborted || !AppError.from(thrown).retryable) throw thrown;
      await delay(waitMs, undefined, { signal });
    }
  }
}
