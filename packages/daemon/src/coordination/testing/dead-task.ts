/** A job with a signed decision about it, whose one attempt failed: for tests of what is told of it. */
import assert from 'node:assert/strict';
import type { Digest, NodeId, TaskId } from '@helixmesh/protocol';
import { nodeCrypto } from '@helixmesh/protocol/node';
import type { WalletSigner } from '@helixmesh/protocol/sealing';
import type { NodeIdentity } from '../../network/identity.ts';
import type { Database } from '../../sql/database.ts';
import { failAttempt } from '../tasks/attempts.ts';
import { callOf, claimed, submitted, workerOf } from '../tasks/testing/task-bench.ts';

export interface DeadTaskOptions {
  readonly database: Database;
  readonly network: Digest;
  /** Of the coordinator. */
  readonly identity: NodeIdentity;
  readonly requester: WalletSigner;
}

export async function deadTask(
  options: DeadTaskOptions,
): Promise<{ readonly jobId: Digest; readonly taskId: TaskId; readonly chosen: NodeId }> {
  const { database, network, identity, requester } = options;
  const { secretKey } = identity.signingKey;
  const keeper = { crypto: nodeCrypto, network, coordinator: identity.nodeId, secretKey };
  const bench = { database, keeper, requester, workers: [1, 2].map((n) => workerOf(n)) };
  const { jobId } = await submitted(bench, { redundancy: 1, replicasMax: 1 });
  const [attempt = assert.fail()] = await claimed(bench);
  await failAttempt(database, { ...callOf(attempt), code: 'TOOL_CRASHED' });
  return { jobId, taskId: attempt.taskId, chosen: attempt.worker.nodeId };
}
