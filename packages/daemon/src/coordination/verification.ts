/**
 * The verification of nodes at a coordinator: it hands out canaries, does the same work with its own
 * tools, and admits the nodes that answer right.
 *
 * V1  A canary is one node's: its seed is drawn when it is handed out, and an answer to it from another
 *     node is refused. So no answer can be copied or looked up.
 * V2  Nothing is handed out to a node for which no operator's statement vouches, and nothing at all
 *     while this coordinator could not tell whether an answer is right; its health says so.
 * V3  An answer is in SQL before it is judged: a coordinator that dies judges it after its start.
 * V4  After a wrong answer, none in time, or an analysis that failed, the node waits; each time longer.
 */
import { setTimeout as delay } from 'node:timers/promises';
import { AppError, type Digest, type NodeId } from '@helixmesh/protocol';
import { type Crypto, digestBytes } from '@helixmesh/protocol/sealing';
import { nodeOf } from '../network/caller.ts';
import type { NetworkListener } from '../network/listener.ts';
import { type Application, OK } from '../node/application.ts';
import type { Logger } from '../node/logger.ts';
import type { Database } from '../sql/database.ts';
import {
  answerCanary,
  type CanaryCall,
  type CanaryGenome,
  type Judgement,
  judgeCanary,
  takeCanary,
  type Unjudged,
  unjudgedCanaries,
} from './canaries.ts';
import { CANARY_TOOLS_MS, NODES_MAX } from './limits.ts';

export interface VerificationOptions {
  readonly database: Database;
  readonly network: Digest;
  readonly crypto: Crypto;
  readonly listener: Pick<NetworkListener, 'route'>;
  /** Does the work of a canary here, for the right answer. */
  readonly analyse: (genome: CanaryGenome, signal: AbortSignal) => Promise<Digest>;
  /** What this machine lacks to do it, in words; null for nothing. */
  readonly lacking: () => Promise<string | null>;
  /** Milliseconds since 1970. */
  readonly now: () => number;
  readonly logger: Logger;
}

/** Adds its routes to the listener at once; judges from `start` to `stop`. */
export function createVerification(options: VerificationOptions): Application {
  const { database, network, crypto, listener, now, logger } = options;
  let stopping = new AbortController();
  let lacking: string | null = null;
  let failing: string | null = null;
  /** Of the round of judgements that goes on. */
  let trouble: string | null = null;
  let woken = new AbortController();
  let running: Promise<unknown> = Promise.resolve();
  let turn: Promise<unknown> = Promise.resolve();

  const callOf = (nodeId: NodeId): CanaryCall => ({
    ...{ database, network, crypto, nodeId, nodesMax: NODES_MAX },
    nowMs: now(),
    lacking,
  });
  /** One after the other: two questions of a node at once must not make two canaries. */
  const inTurn = <T>(ask: () => Promise<T>): Promise<T> => {
    const answer = turn.then(ask);
    turn = answer.catch(() => undefined);
    return answer;
  };

  listener.route('takeCanary', async (_input, caller) => {
    const { nodeId } = nodeOf(caller);
    return inTurn(() => takeCanary(callOf(nodeId)));
  });
  listener.route('answerCanary', async ({ body }, caller) => {
    const { nodeId } = nodeOf(caller);
    const standing = await inTurn(() => answerCanary(callOf(nodeId), body));
    woken.abort();
    return standing;
  });

  async function lookAtTools(): Promise<void> {
    const before = lacking;
    lacking = await options.lacking();
    if (lacking !== null && before === null) logger.error({}, 'no tools to verify nodes with');
  }

  /** Null where it could not be found out yet. */
  async function outcomeOf(canary: Unjudged): Promise<Judgement['outcome'] | null> {
    try {
      const expected = await options.analyse(canary.genome, stopping.signal);
      return crypto.equal(digestBytes(expected), digestBytes(canary.answer)) ? 'right' : 'wrong';
    } catch (thrown) {
      stopping.signal.throwIfAborted();
      // It is tried again until its time is over; health tells of it meanwhile.
      trouble = AppError.from(thrown).code;
      logger.warn({ code: trouble, canaryId: canary.canaryId }, 'a canary could not be judged');
      return canary.expiresAtMs <= now() ? 'unknown' : null;
    }
  }

  async function judgeAll(): Promise<void> {
    for (const canary of await unjudgedCanaries(database)) {
      const { nodeId, canaryId } = canary;
      const outcome = await outcomeOf(canary);
      if (outcome === null) continue;
      await inTurn(() => judgeCanary(callOf(nodeId), { canaryId, outcome }));
      logger.info({ nodeId, canaryId, outcome }, 'canary judged');
    }
  }

  async function run(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      woken = new AbortController();
      try {
        trouble = null;
        await lookAtTools();
        if (lacking === null) await judgeAll();
      } catch (thrown) {
        if (signal.aborted) return;
        // What could not be judged is looked at again; health tells of it meanwhile.
        trouble = AppError.from(thrown).code;
        logger.warn({ code: trouble }, 'canaries could not be judged');
      }
      failing = trouble;
      const until = AbortSignal.any([signal, woken.signal]);
      await delay(CANARY_TOOLS_MS, undefined, { signal: until, ref: false }).catch(() => undefined);
    }
  }

  return {
    name: 'verification',
    async start() {
      await lookAtTools();
      stopping = new AbortController();
      running = run(stopping.signal);
    },
    async stop() {
      stopping.abort();
      await running;
    },
    health() {
      const why = lacking === null ? failing : `no node can be verified: ${lacking}`;
      return why === null ? OK : { status: 'failing', why };
    },
  };
}
