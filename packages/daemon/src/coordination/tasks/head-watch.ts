/**
 * Asks the custodians of the datasets of open jobs for the owners' revocation heads, and ends jobs
 * whose grant was revoked.
 *
 * Invariants
 * W1  A head is asked for as soon as a job needs it, then every 30 s while one does.
 * W2  A revoked grant ends each open job that rests on it, in one transaction with its attempts; what
 *     is ended stays so. A head that was kept ends jobs after a restart too.
 * W3  A custodian that does not answer ends nothing: without a fresh head nothing is placed.
 */
import type { Digest } from '@helixmesh/protocol';
import { AppError } from '@helixmesh/protocol';
import type { Heads } from '@helixmesh/vault';
import type { Logger } from '../../node/logger.ts';
import { atomically, type Database } from '../../sql/database.ts';
import { endTask, isFinal, loadTask } from './advance.ts';
import type { AskHead } from './heads.ts';
import { HEAD_ASK_MAX_MS, HEAD_POLL_MS, HEAD_RETRY_MS, HEADS_AT_ONCE_MAX } from './limits.ts';

export interface HeadWatchOptions {
  readonly database: Database;
  readonly heads: () => Promise<Heads>;
  readonly ask: AskHead;
  readonly now: () => number;
  readonly logger: Logger;
}

export interface HeadWatch {
  /** Asks whom it is time to ask, and ends what was revoked; answers how many jobs were ended. */
  look(signal: AbortSignal): Promise<number>;
}

interface Source {
  readonly owner: string;
  /** `node_…@host:port` */
  readonly custodian: string;
}

export function createHeadWatch(options: HeadWatchOptions): HeadWatch {
  const { database, now } = options;
  /** When each source is to be asked next. */
  let due = new Map<string, number>();

  async function askOne({ owner, custodian }: Source, signal: AbortSignal): Promise<number> {
    const { logger, ask } = options;
    const within = AbortSignal.any([signal, AbortSignal.timeout(HEAD_ASK_MAX_MS)]);
    try {
      const update = await ask(custodian, owner, within);
      const { refused } = await (await options.heads()).push(update);
      if (refused === undefined && update.attestation.document.owner === owner) {
        return now() + HEAD_POLL_MS;
      }
      logger.warn({ reason: refused ?? 'owner' }, 'a revocation head is not taken');
    } catch (error) {
      if (signal.aborted) throw error;
      logger.warn({ code: AppError.from(error).code }, 'a custodian does not answer');
    }
    return now() + HEAD_RETRY_MS;
  }

  return {
    async look(signal) {
      const sources = await openSources(database);
      const next = new Map<string, number>();
      const waiting: Source[] = [];
      for (const source of sources) {
        const at = due.get(keyOf(source)) ?? 0;
        next.set(keyOf(source), at);
        if (at <= now()) waiting.push(source);
      }
      due = next;
      while (waiting.length > 0) {
        const some = waiting.splice(0, HEADS_AT_ONCE_MAX);
        const times = await Promise.all(some.map((source) => askOne(source, signal)));
        for (const [index, source] of some.entries()) due.set(keyOf(source), times[index] ?? 0);
      }
      return endRevoked(database, await options.heads(), now());
    },
  };
}

function keyOf({ owner, custodian }: Source): string {
  return `${owner} ${custodian}`;
}

/** Whose heads the open jobs need. */
async function openSources(database: Database): Promise<Source[]> {
  return database
    .selectFrom('network_evidence')
    .innerJoin('network_jobs', 'network_jobs.job_id', 'network_evidence.job_id')
    .select(['network_evidence.owner', 'network_evidence.custodian'])
    .where('network_jobs.ended_at', 'is', null)
    .distinct()
    .execute();
}

/** W2 */
async function endRevoked(database: Database, heads: Heads, nowMs: number): Promise<number> {
  const granted = await database
    .selectFrom('network_evidence')
    .innerJoin('network_jobs', 'network_jobs.job_id', 'network_evidence.job_id')
    .select(['network_evidence.job_id', 'network_evidence.owner', 'network_evidence.grant_id'])
    .where('network_jobs.ended_at', 'is', null)
    .where('network_evidence.grant_id', 'is not', null)
    .execute();
  const revoked = new Map<string, ReadonlySet<Digest>>();
  for (const { owner } of granted) {
    if (!revoked.has(owner)) revoked.set(owner, new Set(heads.revokedOf(owner)));
  }
  const ending = new Set(
    granted.flatMap(({ job_id, owner, grant_id }) =>
      revoked.get(owner)?.has(grant_id as Digest) === true ? [job_id] : [],
    ),
  );
  for (const jobId of ending) await endJob(database, jobId, nowMs);
  return ending.size;
}

async function endJob(database: Database, jobId: string, nowMs: number): Promise<void> {
  const reason = {
    code: 'ACCESS_REFUSED',
    message: 'the owner of a dataset has revoked the grant that the job rests on',
  } as const;
  await atomically(database, async (trx) => {
    const tasks = await trx
      .selectFrom('network_tasks')
      .select('task_id')
      .where('job_id', '=', jobId)
      .execute();
    for (const { task_id } of tasks) {
      const loaded = await loadTask(trx, task_id);
      if (loaded === undefined || isFinal(loaded.task.state)) continue;
      await endTask(trx, { ...loaded, nowMs }, { state: 'CANCELED', reason });
    }
  });
}
