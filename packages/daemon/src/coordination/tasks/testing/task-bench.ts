/** A coordinator's database, a requester, and nodes that do tasks for it or lie about them. */
import assert from 'node:assert/strict';
import type { AttemptId, Digest, NodeId, TaskId } from '@helixmesh/protocol';
import { nodeCrypto } from '@helixmesh/protocol/node';
import {
  type CommitStatement,
  commitOf,
  digestFrom,
  encodeDocument,
  type NetworkJob,
  nodeIdOf,
  type Reveal,
  type Signed,
  signDocument,
  signWithKey,
  toHex,
  type WalletSigner,
  walletOf,
} from '@helixmesh/protocol/sealing';
import {
  DEFAULT_POLICY,
  type Decision,
  decide,
  fleetOf,
  type OperatorId,
} from '@helixmesh/scheduler';
import { NOW_MS, nodeOf, operatorOf, requestOf } from '@helixmesh/scheduler/testing/fleet';
import { type Database, openDatabase } from '../../../sql/database.ts';
import { type ChainKeeper, commitResult, revealResult, type Taken } from '../commits.ts';
import { claim, placeReplicas, type TaskToPlace, tasksToPlace } from '../placement.ts';
import { type JobPapers, submitNetworkJob } from '../submit.ts';
import { manifestBy } from './evidence.ts';

export { NOW_MS };

/** A node and who answers for it. */
export interface TestWorker {
  readonly nodeId: NodeId;
  readonly secretKey: Uint8Array;
  readonly operator: OperatorId;
}

export interface TaskBench {
  readonly database: Database;
  readonly keeper: ChainKeeper;
  readonly requester: WalletSigner;
  readonly workers: readonly TestWorker[];
}

/** What a node is at work on. */
export interface TestAttempt {
  readonly worker: TestWorker;
  readonly attemptId: AttemptId;
  readonly fencingToken: number;
  readonly taskId: TaskId;
}

export const RESULT: Digest = digestFrom(nodeCrypto.sha256(Uint8Array.of(1)));
export const OTHER_RESULT: Digest = digestFrom(nodeCrypto.sha256(Uint8Array.of(2)));
const PLACE = `node_${'a'.repeat(64)}@127.0.0.1:7401`;
const NETWORK: Digest = digestFrom(nodeCrypto.sha256(Uint8Array.of(3)));

/** `operators[i]` is the number of the operator of node i. The caller destroys the database. */
export async function taskBench(operators: readonly number[]): Promise<TaskBench> {
  const secretKey = nodeCrypto.random(32);
  return {
    database: await openDatabase(':memory:'),
    keeper: { crypto: nodeCrypto, network: NETWORK, coordinator: idOf(secretKey), secretKey },
    requester: walletOf(nodeCrypto, nodeCrypto.random(32)),
    workers: operators.map((operator) => workerOf(operator)),
  };
}

export function workerOf(operator: number, secretKey = nodeCrypto.random(32)): TestWorker {
  return { nodeId: idOf(secretKey), secretKey, operator: operatorOf(operator) };
}

function idOf(secretKey: Uint8Array): NodeId {
  return nodeIdOf(toHex(nodeCrypto.ed25519PublicKey(secretKey)));
}

/** A job for two operators and five attempts, as its requester signs it. */
export async function signedJob(
  { keeper, requester }: Pick<TaskBench, 'keeper' | 'requester'>,
  change: Partial<NetworkJob> = {},
): Promise<Signed<NetworkJob>> {
  const issuedAtMs = change.issuedAtMs ?? NOW_MS;
  const { id: dataset } = await manifestBy({ owner: requester, network: keeper.network });
  return signDocument(requester, {
    type: 'helixmesh/network-job/v1',
    network: keeper.network,
    requester: requester.address,
    coordinator: keeper.coordinator,
    chainId: null,
    nonce: toHex(nodeCrypto.random(16)),
    issuedAtMs,
    expiresAtMs: issuedAtMs + 7 * 86_400_000,
    datasets: [{ dataset, grant: null, custodian: PLACE, vaults: [PLACE] }],
    pipeline: { name: 'germline', version: 1 },
    parameters: { aligner: 'bwa' },
    constraints: {
      zones: null,
      operators: null,
      isCommercial: false,
      needsStrongSandbox: true,
      onShortfall: 'wait',
    },
    redundancy: 2,
    replicasMax: 5,
    maxPriceMicroUsd: '1000000',
    outputCustodian: {
      owner: requester.address,
      nodeId: keeper.coordinator,
      encryptionKey: '1'.repeat(64),
    },
    ...change,
  });
}

export async function submitted(bench: TaskBench, change: Partial<NetworkJob> = {}) {
  const { crypto, network, coordinator } = bench.keeper;
  const papers = await papersOf(bench, await signedJob(bench, change));
  const options = { crypto, network, coordinator, nowMs: NOW_MS };
  const { jobId } = await submitNetworkJob(bench.database, papers, options);
  return { jobId, requester: bench.requester.address };
}

/** The job as it is sent, with the manifest of the requester's own dataset. */
export async function papersOf(
  { keeper, requester }: Pick<TaskBench, 'keeper' | 'requester'>,
  job: Signed<NetworkJob>,
): Promise<JobPapers> {
  const { signed } = await manifestBy({ owner: requester, network: keeper.network });
  const evidence = [{ manifest: encodeDocument(signed), grant: null }];
  return { job: encodeDocument(job), evidence };
}

/** The scheduler's decision for one task over all nodes of the bench. */
export function decisionOf(
  bench: Pick<TaskBench, 'workers'>,
  task: TaskToPlace,
  { nowMs, onShortfall }: { nowMs: number; onShortfall: 'wait' | 'run_once' },
): Decision {
  return decide({
    fleet: fleetOf(bench.workers.map(({ nodeId, operator }) => nodeOf(1, { nodeId, operator }))),
    request: requestOf({
      taskId: task.taskId,
      inputs: [],
      replicas: task.count,
      takenOperators: [...task.takenOperators],
      onShortfall,
      maxPriceMicroUsd: 1_000_000_000,
    }),
    policy: DEFAULT_POLICY,
    nowMs,
  });
}

/** Places what is wanted now; answers the offers that were made. */
export async function placed(bench: TaskBench, nowMs: number = NOW_MS): Promise<TestAttempt[]> {
  const made: AttemptId[] = [];
  for (const task of await tasksToPlace(bench.database, nowMs)) {
    const decision = decisionOf(bench, task, { nowMs, onShortfall: 'wait' });
    const outcome = await placeReplicas(bench.database, { decision, keeper: bench.keeper, nowMs });
    if (outcome.status === 'placed') made.push(...outcome.attempts);
  }
  const rows = await bench.database
    .selectFrom('network_replicas')
    .selectAll()
    .where('attempt_id', 'in', [...made, ''])
    .orderBy('fencing_token')
    .execute();
  return rows.map((row) => ({
    worker: bench.workers.find(({ nodeId }) => nodeId === row.node_id) ?? assert.fail(),
    attemptId: row.attempt_id as AttemptId,
    fencingToken: row.fencing_token,
    taskId: row.task_id as TaskId,
  }));
}

/** Places, and every node claims what it was offered. */
export async function claimed(bench: TaskBench, nowMs: number = NOW_MS): Promise<TestAttempt[]> {
  const attempts = await placed(bench, nowMs);
  for (const attempt of attempts) {
    const { status } = await claim(bench.database, callOf(attempt, nowMs));
    assert.equal(status, 'claimed');
  }
  return attempts;
}

export function callOf({ attemptId, fencingToken, worker }: TestAttempt, nowMs: number = NOW_MS) {
  return { attemptId, fencingToken, nodeId: worker.nodeId, nowMs };
}

/** What a node signs for a result; the salt follows from the attempt, as if it had been kept. */
export function saidOf(
  { keeper }: Pick<TaskBench, 'keeper'>,
  attempt: TestAttempt,
  resultDigest: Digest = RESULT,
) {
  const { worker, attemptId, fencingToken, taskId } = attempt;
  const salt = toHex(nodeCrypto.sha256(encodeDocument([attemptId, worker.nodeId])));
  const { network } = keeper;
  const named = { network, taskId, attemptId, fencingToken, nodeId: worker.nodeId };
  const reveal: Reveal = { type: 'helixmesh/reveal/v1', ...named, resultDigest, salt };
  const statement: CommitStatement = {
    type: 'helixmesh/commit-statement/v1',
    ...named,
    commit: commitOf(nodeCrypto, reveal),
  };
  return { statement, reveal };
}

export async function commit(
  bench: TaskBench,
  attempt: TestAttempt,
  { result = RESULT, nowMs = NOW_MS }: { result?: Digest; nowMs?: number } = {},
): Promise<Taken> {
  const { statement } = saidOf(bench, attempt, result);
  const signed = signWithKey(nodeCrypto, attempt.worker.secretKey, statement);
  return commitResult(bench.database, { signed, keeper: bench.keeper, nowMs });
}

export async function reveal(
  bench: TaskBench,
  attempt: TestAttempt,
  { result = RESULT, nowMs = NOW_MS }: { result?: Digest; nowMs?: number } = {},
): Promise<Taken> {
  const { reveal: document } = saidOf(bench, attempt, result);
  const signed = signWithKey(nodeCrypto, attempt.worker.secretKey, document);
  return revealResult(bench.database, { signed, keeper: bench.keeper, nowMs });
}
