/**
 * Carries start orders from SQL to the durable engine, and mends what a crash left between them.
 *
 * D1  A start order is marked sent only after the engine has taken it; sending it twice is one
 *     start, for the workflow's key is `jobId#generation`.
 * D2  A wait whose outcome is known but unread is woken again.
 * D3  A job that SQL holds for RUNNING and of which the engine knows nothing (its data was lost)
 *     is started under the next generation; finished tasks are reused.
 */

import { AppError } from '@helixmesh/protocol';
import { type EngineAddress, engineRequest } from '../restate/engine-http.ts';
import { workflowKey } from '../restate/pipeline-workflow.ts';
import type { Database } from '../sql/database.ts';
import { unacknowledgedWaits } from './attempts.ts';
import { restartJob } from './jobs.ts';

export interface Dispatcher {
  /** Sends every start order that waits. */
  dispatch(): Promise<void>;
  /** Answers a wait; answering it twice changes nothing. */
  wake(awakeable: string, value: unknown): Promise<void>;
  /** D2 and D3. */
  reconcile(): Promise<void>;
}

export interface DispatcherOptions {
  readonly database: Database;
  readonly ingress: EngineAddress;
  readonly admin: EngineAddress;
}

export function createDispatcher({ database, ingress, admin }: DispatcherOptions): Dispatcher {
  async function dispatch(): Promise<void> {
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
    await dispatch();
  }

  async function restartLost(): Promise<void> {
    const jobs = await database
      .selectFrom('jobs')
      .innerJoin('outbox', (join) =>
        join
          .onRef('outbox.job_id', '=', 'jobs.job_id')
          .onRef('outbox.generation', '=', 'jobs.generation'),
      )
      .select(['jobs.job_id', 'jobs.generation'])
      .where('jobs.state', 'in', ['QUEUED', 'RUNNING', 'PAUSED'])
      .where('jobs.result', 'is', null)
      .where('outbox.sent_at', 'is not', null)
      .execute();
    if (jobs.length === 0) return;
    const known = await knownInvocations(admin);
    if (known === null) return;
    for (const { job_id: jobId, generation } of jobs) {
      if (!known.has(workflowKey({ jobId, generation }))) await restartJob(database, jobId);
    }
  }

  return { dispatch, wake, reconcile };
}

/** Keys of the workflows that the engine knows, finished ones included; null when it cannot say. */
async function knownInvocations(admin: EngineAddress): Promise<Set<string> | null> {
  const query =
    "SELECT target_service_key FROM sys_invocation WHERE target_service_ty = 'workflow'";
  const reply = await engineRequest(admin, { method: 'POST', path: '/query', body: { query } });
  if (reply.status !== 200) return null;
  const { rows } = reply.body as { rows: { target_service_key: string }[] };
  return new Set(rows.map((row) => row.target_service_key));
}

function refused(what: string, body: unknown): AppError {
  return new AppError('ENGINE_UNAVAILABLE', `the engine refused ${what}: ${JSON.stringify(body)}`, {
    hint: 'Restart `helixmesh up`; the job goes on from where it is.',
  });
}
