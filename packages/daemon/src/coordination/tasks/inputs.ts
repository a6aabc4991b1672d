/**
 * What an attempt is given that other tasks of its job have made: for each task before its own the digest
 * that was agreed on, and the attempts that agreed, at whose nodes it lies.
 */
import type { AttemptId, Digest } from '@helixmesh/protocol';
import { parseNetworkJob, type TaskInputs, utf8 } from '@helixmesh/protocol/sealing';
import { atomically, type Database } from '../../sql/database.ts';
import { addressOf } from '../node-rows.ts';
import { isFinal } from './advance.ts';
import { loadAttempt } from './attempts.ts';
import { predecessorsOf } from './barrier.ts';
import type { AttemptCall } from './placement.ts';

/** For the node of an attempt that runs; undefined for any other. */
export async function inputsOf(
  database: Database,
  call: AttemptCall,
): Promise<TaskInputs | undefined> {
  return atomically(database, async (trx) => {
    const loaded = await loadAttempt(trx, call);
    if (loaded === undefined || !loaded.isOfThisGeneration) return undefined;
    const { task, replica } = loaded;
    if (isFinal(task.state) || replica.state !== 'RUNNING') return undefined;
    if (replica.lease_ends_at <= call.nowMs) return undefined;
    const { document } = await trx
      .selectFrom('network_jobs')
      .select('document')
      .where('job_id', '=', task.job_id)
      .executeTakeFirstOrThrow();
    const names = predecessorsOf(task.name, parseNetworkJob(utf8(document)).document);
    const inputs: TaskInputs = [];
    for (const name of names) inputs.push(await inputOf(trx, task.job_id, name));
    return inputs;
  });
}

async function inputOf(trx: Database, jobId: string, name: string): Promise<TaskInputs[number]> {
  const task = await trx
    .selectFrom('network_tasks')
    .select(['task_id', 'generation', 'result_digest'])
    .where('job_id', '=', jobId)
    .where('name', '=', name)
    .executeTakeFirstOrThrow();
  const rows = await trx
    .selectFrom('network_replicas')
    .innerJoin('nodes', 'nodes.node_id', 'network_replicas.node_id')
    .select(['network_replicas.attempt_id', 'nodes.registration'])
    .where('network_replicas.task_id', '=', task.task_id)
    .where('network_replicas.generation', '=', task.generation)
    .where('network_replicas.verdict', '=', 'valid')
    .orderBy('network_replicas.fencing_token')
    .execute();
  const sources = rows.flatMap(({ attempt_id, registration }) => {
    const address = addressOf({ registration });
    return address === null ? [] : [{ attemptId: attempt_id as AttemptId, address }];
  });
  // A task that another one waits for is COMPLETE before that is placed.
  return { task: name, resultDigest: task.result_digest as Digest, sources };
}
