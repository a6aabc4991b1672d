/**
 * The check of a spread job that one operator alone does: one of its calls, drawn by lot, is done again
 * by another operator (verification, section 8).
 *
 * Invariants
 * R1  The lot is drawn when the alignment is final. The replica that does it again is placed after the
 *     first has shown its result, in a round of its own, so that nothing tells a node before its commit.
 * R2  Where no other operator may do it for `RERUN_WAIT_MS`, the result stands, checked by nobody.
 */
import { randomInt } from 'node:crypto';
import { spreadOf } from '@helixmesh/protocol';
import { type NetworkJob, parseNetworkJob, utf8 } from '@helixmesh/protocol/sealing';
import type { Database } from '../../sql/database.ts';
import { RERUN_WAIT_MS } from './limits.ts';
import type { ReplicaRow, TaskRow } from './rounds.ts';

/** Replicas of the task that the lot has chosen. */
const REPLICAS = 2;

/** Draws the lot when `task`, which is COMPLETE, is the alignment of such a job. */
export async function chooseRerun(trx: Database, task: TaskRow): Promise<void> {
  if (task.name !== 'align') return;
  const { redundancy, replicasMax, parameters } = await jobOf(trx, task.job_id);
  if (redundancy > 1 || replicasMax < REPLICAS) return;
  const part = randomInt(spreadOf(parameters)) + 1;
  await trx
    .updateTable('network_tasks')
    .set({ redundancy: REPLICAS })
    .where('job_id', '=', task.job_id)
    .where('name', '=', `call.${part}`)
    .execute();
}

/** True when `task` has waited so long for its second operator that it goes on without (R2). */
export async function giveUpRerun(
  trx: Database,
  at: {
    readonly task: TaskRow;
    readonly replicas: readonly ReplicaRow[];
    readonly nowMs: number;
  },
): Promise<boolean> {
  const { task, replicas, nowMs } = at;
  const first = replicas.find(({ state }) => state === 'REVEALED');
  if (task.redundancy !== REPLICAS || first === undefined) return false;
  if ((await jobOf(trx, task.job_id)).redundancy > 1) return false;
  const shown = await trx
    .selectFrom('network_chain')
    .select('at')
    .where('attempt_id', '=', first.attempt_id)
    .where('kind', '=', 'reveal')
    .executeTakeFirstOrThrow();
  if (nowMs - shown.at < RERUN_WAIT_MS) return false;
  await trx
    .updateTable('network_tasks')
    .set({ redundancy: 1, round_target: 0 })
    .where('task_id', '=', task.task_id)
    .execute();
  return true;
}

async function jobOf(trx: Database, jobId: string): Promise<NetworkJob> {
  const { document } = await trx
    .selectFrom('network_jobs')
    .select('document')
    .where('job_id', '=', jobId)
    .executeTakeFirstOrThrow();
  return parseNetworkJob(utf8(document)).document;
}
