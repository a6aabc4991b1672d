/**
 * Tells the custodians of spread jobs that nothing of them goes on, so that the keys of what their tasks
 * handed to each other are destroyed. A job that has failed may be retried by the coordinator's operator
 * until it expires, and then its custodian forgets the key by itself.
 *
 * A custodian that does not answer is told later, after a restart too.
 */
import { openChannel } from '@helixmesh/client/network';
import { AppError, type Digest } from '@helixmesh/protocol';
import { parseNodeAddress } from '@helixmesh/protocol/sealing';
import type { NodeIdentity } from '../../network/identity.ts';
import type { Logger } from '../../node/logger.ts';
import type { Database } from '../../sql/database.ts';
import { HEAD_ASK_MAX_MS, HEAD_RETRY_MS, TASKS_AT_ONCE_MAX } from './limits.ts';

/** Throws what the channel throws. `custodian` is `node_…@host:port`. */
export type TellEnd = (custodian: string, job: Digest, signal: AbortSignal) => Promise<void>;

export interface JobEndsOptions {
  readonly database: Database;
  readonly tell: TellEnd;
  readonly now: () => number;
  readonly logger: Logger;
}

export interface JobEnds {
  /** Tells what is to be told now; answers how many were. */
  look(signal: AbortSignal): Promise<number>;
}

export function createJobEnds({ database, tell, now, logger }: JobEndsOptions): JobEnds {
  /** When a custodian that did not answer is asked again. */
  const notBefore = new Map<string, number>();

  async function tellOne(job: Digest, custodian: string, signal: AbortSignal): Promise<boolean> {
    try {
      await tell(custodian, job, AbortSignal.any([signal, AbortSignal.timeout(HEAD_ASK_MAX_MS)]));
      notBefore.delete(custodian);
      return true;
    } catch (error) {
      if (signal.aborted) throw error;
      notBefore.set(custodian, now() + HEAD_RETRY_MS);
      logger.warn({ code: AppError.from(error).code }, 'a custodian is not told of an end');
      return false;
    }
  }

  return {
    async look(signal) {
      await database.deleteFrom('network_handovers').where('expires_at', '<=', now()).execute();
      const ended = await database
        .selectFrom('network_handovers')
        .innerJoin('network_jobs', 'network_jobs.job_id', 'network_handovers.job_id')
        .select(['network_handovers.job_id', 'network_handovers.custodian'])
        .where('network_jobs.state', 'in', ['COMPLETE', 'CANCELED'])
        .limit(TASKS_AT_ONCE_MAX)
        .execute();
      let told = 0;
      for (const { job_id, custodian } of ended) {
        if ((notBefore.get(custodian) ?? 0) > now()) continue;
        if (!(await tellOne(job_id as Digest, custodian, signal))) continue;
        await database.deleteFrom('network_handovers').where('job_id', '=', job_id).execute();
        told += 1;
      }
      return told;
    },
  };
}

/** A connection for each: there is one at the end of each spread job. */
export function tellOverNetwork({
  network,
  identity,
}: {
  readonly network: Digest;
  readonly identity: NodeIdentity;
}): TellEnd {
  const { secretKey } = identity.signingKey;
  return async (custodian, job, signal) => {
    const address = parseNodeAddress(custodian);
    const channel = openChannel({ address, network, signer: { secretKey }, certificate: identity });
    try {
      await channel.call('endJob', { params: {}, body: { job }, signal });
    } finally {
      channel.close();
    }
  };
}
