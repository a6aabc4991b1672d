/**
 * Work from a coordinator over the network: offers are fetched and claimed, leases renewed, results
 * committed to and revealed. Each call may be sent again; the second answer is that of the first.
 */
import { setTimeout as delay } from 'node:timers/promises';
import type { Channel } from '@helixmesh/client/network';
import {
  AppError,
  DIGEST_PATTERN,
  type Digest,
  jobSubmissionSchema,
  type NodeId,
  SPREAD_MAX,
  spreadOf,
  stagesOf,
  taskOfStage,
} from '@helixmesh/protocol';
import {
  COMMIT_STATEMENT_TYPE,
  type Commitment,
  type Crypto,
  commitOf,
  encodeDocument,
  fromBase64,
  fromHex,
  KEY_BYTES,
  type NetworkJob,
  networkTaskId,
  parseNetworkJob,
  REVEAL_TYPE,
  signWithKey,
  toBase64,
  verifyNetworkJob,
} from '@helixmesh/protocol/sealing';
import { z } from 'zod';
import { KEEP_OUTPUTS_MS, OFFER_POLL_MS } from './limits.ts';
import type { Assignment, Held, Order, SealedReads, Secret, WorkSource } from './work-source.ts';

export interface CoordinatorWorkOptions {
  readonly crypto: Crypto;
  readonly network: Digest;
  readonly nodeId: NodeId;
  /** Ed25519. */
  readonly secretKey: Uint8Array;
  /** To the coordinator, signed by this node. */
  readonly channel: Pick<Channel, 'address' | 'call'>;
  /** Whether this node takes anything new now; always where it is left out. */
  readonly mayTake?: () => Promise<boolean>;
  readonly now: () => number;
}

export function coordinatorWork(options: CoordinatorWorkOptions): WorkSource {
  const { crypto, network, nodeId, secretKey, channel, now } = options;
  const { mayTake = async () => true } = options;

  async function renewed(held: Held, signal?: AbortSignal) {
    return channel.call('renewLease', { params: {}, body: refOf(held), ...(signal && { signal }) });
  }

  async function orderOf(held: Held): Promise<Order> {
    try {
      const { phase, leaseEndsAtMs } = await renewed(held);
      if (phase === 'reveal') return { status: 'reveal' };
      if (phase === 'over') return { status: 'final', keepUntilMs: now() + KEEP_OUTPUTS_MS };
      return { status: 'held', leaseMs: Math.max(leaseEndsAtMs - now(), 0) };
    } catch (thrown) {
      if (isLost(thrown)) return { status: 'lost' };
      throw thrown;
    }
  }

  function commitment(held: Held, secret: Secret): Commitment {
    const { attemptId, fencingToken, taskId } = held;
    return { network, taskId, attemptId, fencingToken, nodeId, ...secret };
  }

  async function takeOffer(signal: AbortSignal): Promise<Assignment | null> {
    const offers = await channel.call('listOffers', { params: {}, signal });
    for (const { attemptId, fencingToken, taskId, job } of offers) {
      const signed = parseNetworkJob(fromBase64(job, 'a job of the network'));
      const coordinator = channel.address.nodeId;
      const expected = { network, coordinator, nowMs: now() };
      const verdict = verifyNetworkJob(crypto, signed, expected);
      if (verdict.status === 'invalid') continue;
      const work = workOf(signed.document);
      if (work === null) continue;
      const ids = { network, job: verdict.id };
      const stage = stagesOf(spreadOf(signed.document.parameters)).find(
        (each) => networkTaskId(crypto, { ...ids, name: taskOfStage(each) }) === taskId,
      );
      if (stage === undefined) continue;
      try {
        await channel.call('claimOffer', { params: {}, body: { attemptId, fencingToken }, signal });
      } catch (thrown) {
        if (isLost(thrown)) continue;
        throw thrown;
      }
      return { attemptId, fencingToken, taskId, job, ...partOf(work, stage) };
    }
    return null;
  }

  return {
    async claim(signal) {
      for (;;) {
        const taken = (await mayTake()) ? await takeOffer(signal) : null;
        if (taken !== null) return taken;
        await delay(OFFER_POLL_MS, undefined, { signal });
      }
    },
    renew: orderOf,
    async proof({ job, ...held }) {
      const { assignment } = await renewed(held);
      if (assignment !== null) return { job, assignment };
      throw new AppError('LEASE_EXPIRED', 'the coordinator has no work on this attempt any more');
    },
    inputs: (held) => channel.call('listInputs', { params: {}, body: refOf(held) }),
    async commit(held, secret) {
      const { salt: _salt, resultDigest: _digest, ...attempt } = commitment(held, secret);
      const commit = commitOf(crypto, commitment(held, secret));
      const document = { type: COMMIT_STATEMENT_TYPE, ...attempt, commit } as const;
      const statement = toBase64(encodeDocument(signWithKey(crypto, secretKey, document)));
      await unlessLost(channel.call('commitResult', { params: {}, body: { statement } }));
      return orderOf(held);
    },
    async reveal(held, secret) {
      const document = { type: REVEAL_TYPE, ...commitment(held, secret) } as const;
      const reveal = toBase64(encodeDocument(signWithKey(crypto, secretKey, document)));
      await unlessLost(channel.call('revealResult', { params: {}, body: { reveal } }));
      return orderOf(held);
    },
    async fail(held, code) {
      await unlessLost(channel.call('failAttempt', { params: {}, body: { ...refOf(held), code } }));
    },
  };
}

const parametersSchema = jobSubmissionSchema.shape.parameters.unwrap().extend({
  /** Of the bundle, by content: names differ from node to node. */
  reference: z.string().regex(DIGEST_PATTERN),
  /** Ids of the manifests of the reads; without the second they are single-end. */
  r1: z.string().regex(DIGEST_PATTERN),
  r2: z.string().regex(DIGEST_PATTERN).optional(),
  /** Over how many parts the calls are spread: no parameter of an analysis, for its result is the same. */
  spread: z.int().min(1).max(SPREAD_MAX).optional(),
});

type Work = Pick<Assignment, 'reads' | 'analysis' | 'recipients' | 'custodian'>;

/** What this node does for a job; null for a job that it does not understand. */
function workOf(job: NetworkJob): Work | null {
  if (job.pipeline.name !== 'germline' || job.pipeline.version !== 1) return null;
  const parsed = parametersSchema.safeParse(job.parameters);
  if (!parsed.success) return null;
  const { reference, r1, r2, spread = 1, ...parameters } = parsed.data;
  const sources = [r1, ...(r2 === undefined ? [] : [r2])].map((id) =>
    job.datasets.find(({ dataset }) => dataset === id),
  );
  const reads: SealedReads[] = [];
  for (const source of sources) {
    if (source === undefined) return null;
    const { dataset, custodian, vaults } = source;
    reads.push({ dataset, custodian, vaults });
  }
  const what = 'the key that outputs are sealed to';
  const key = fromHex(job.outputCustodian.encryptionKey, { what, bytes: KEY_BYTES });
  const custodian = spread === 1 ? null : (reads[0]?.custodian ?? null);
  const analysis = { pipeline: 'germline', reference, parameters } as const;
  return { reads, analysis, recipients: [key], custodian };
}

/** What one task of the job begins with, and for whom its outputs are. */
function partOf(work: Work, stage: Assignment['stage']): Work & Pick<Assignment, 'stage'> {
  const { kind } = stage;
  const isFirst = kind === 'whole' || kind === 'align';
  const isLast = kind === 'whole' || kind === 'finish';
  return {
    ...work,
    stage,
    reads: isFirst ? work.reads : [],
    recipients: isLast ? work.recipients : [],
  };
}

function refOf({ attemptId, fencingToken }: Held) {
  return { attemptId, fencingToken };
}

/** The coordinator has given the attempt to somebody else, or ended it. */
function isLost(thrown: unknown): boolean {
  const { code } = AppError.from(thrown);
  return code === 'LEASE_EXPIRED' || code === 'NOT_FOUND' || code === 'CONFLICT';
}

/** What came too late changes nothing; the next look at the lease says so. */
async function unlessLost(telling: Promise<unknown>): Promise<void> {
  try {
    await telling;
  } catch (thrown) {
    if (!isLost(thrown)) throw thrown;
  }
}
