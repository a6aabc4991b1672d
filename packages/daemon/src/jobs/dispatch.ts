/**
 * Carries start orders from SQL to the durable engine, and mends what a crash left between them.
 *
 * D1  A start order is marked sent only after the engine has taken it; sending it twice is one
 *     start, for the workflow's key is `jobId#generation`.
 * D2  A wait whose outcome is known but unread is woken again.
 * D3  A job that SQL holds for RUNNING and of which the engine knows nothing (its data was lost)
 *     is started under the next generation, or CANCELED if that was asked for; finished tasks are
 *     reused.
 */

import { AppError } from '@helixmesh/protocol';
import { type EngineAddress, engineRequest } from '../restate/engine-http.ts';
import { workflowKey } from '../restate/pipeline-workflow.ts';
import type { Database } from '../sql/database.ts';
import { unacknowledgedWaits } from './attempts.ts';
import { endCanceled } from './cancel.ts';
import { restartJob } from './jobs.ts';

export interface Dispatcher {
  /** Sends every start order that waits; with the engine down they wait on, and this is told. */
  dispatch(): Promise<void>;
  /** Answers a wait; answering it twice changes nothing. */
  wake(awakeable: string, value: unknown): Promise<void>;
  /** D2 and D3. */
  reconcile(): Promise<void>;
}

export interface DispatcherOptions {
  readonly database: Database;
  readonly ingress: EngineAddress;
  /** The engine could not be told: `reconcile` is due as soon as it answers again. */
  readonly postponed: () => void;
}

export function createDispatcher({ database, ingress, postponed }: DispatcherOptions): Dispatcher {
  async function dispatch(): Promise<void> {
    try {
      await sendOrders();
    } catch (error) {
      if (AppError.from(error).code !== 'ENGINE_UNAVAILABLE') throw error;
      postponed();
    }
  }

  async function sendOrders(): Promise<void> {
    const orders = await database
      .selectFrom('outbox')
      .innerJoin('jobs', 'jobs.job_id', 'outbox.job_id')
      .select(['outbox.id', 'outbox.job_id', 'outbox.generation', 'jobs.workflow'])
      .where('outbox.sent_at', 'is', null)
      .orderBy('outbox.id')
      .execute();
    for (const { id, job_id: jobId, generation, workflow } of orders) {
      const key = encodeURIComponent(workflowKey({ jobId, generation }));
      const reply = await engineRequest(ingress, {
        method: 'POST',
        path: `/${workflow}/${key}/run/send`,
        body: { jobId, generation },
      });
      // 409: this workflow has been started before, by an order whose mark was lost.
      if (reply.status >= 300 && reply.status !== 409) throw refused(workflow, reply.body);
      await database
        .updateTable('outbox')
        .set({ sent_at: Date.now() })
        .where('id', '=', id)
        .execute();
    }
  }

  async function wake(awakeable: string, value: unknown): Promise<void> {
    const reply = await engineRequest(ingress, {
      method: 'POST',
      path: `/restate/awakeables/${awakeable}/resolve`,
      body: value,
    });
    if (reply.status >= 500) throw refused('a wait', reply.body);
  }

  async function reconcile(): Promise<void> {
    for (const awakeable of await unacknowledgedWaits(database)) await wake(awakeable, null);
    await restartLost();
    await sendOrders();
  }

  async function restartLost(): Promise<void> {
    const jobs = await database
      .selectFrom('jobs')
      .innerJoin('outbox', (join) =>
        join
          .onRef('outbox.job_id', '=', 'jobs.job_id')
          .onRef('outbox.generation', '=', 'jobs.generation'),
      )
      .select(['jobs.job_id', 'jobs.generation', 'jobs.state'])
      .select(['jobs.workflow', 'jobs.out_dir'])
      .where('jobs.state', 'in', ['QUEUED', 'RUNNING', 'PAUSED', 'CANCELING'])
      .where('jobs.result', 'is', null)
      .where('outbox.sent_at', 'is not', null)
      .execute();
    for (const { job_id: jobId, generation, state, workflow, out_dir: outDir } of jobs) {
      const job = { jobId, generation };
      if (await isKnown(ingress, workflow, workflowKey(job))) continue;
      if (state === 'CANCELING') await endCanceled(database, job, outDir);
      else await restartJob(database, job);
    }
  }

  return { dispatch, wake, reconcile };
}

/**
 * Whether the engine has the workflow, finished or not; true when it cannot say. Asked through the
 * ingress, which answers from the partition's leader: the admin API's tables lack, for a moment
 * after a crash, what the engine has still to read back from its log.
 */
async function isKnown(ingress: EngineAddress, workflow: string, key: string): Promise<boolean> {
  const path = `/restate/workflow/${workflow}/${encodeURIComponent(key)}/output`;
  return (await engineRequest(ingress, { method: 'GET', path })).status !== 404;
}

function refused(what: string, body: unknown): AppError {
  return new AppError('ENGINE_UNAVAILABLE', `the engine refused ${what}: ${JSON.stringify(body)}`, {
    hint: 'Restart `helixmesh up`; the job goes on from where it is.',
  });
}
