/**
 * The routes of work on the network, on the listener of a coordinator. Who calls has been verified;
 * what a caller may see or do with which job or attempt is decided here and in the SQL functions.
 *
 * Outcomes become errors here: a lost attempt is LEASE_EXPIRED, and the same for one that never was.
 */
import { AppError, type Digest, type NodeId } from '@helixmesh/protocol';
import {
  ASSIGNMENT_TYPE,
  type Assignment,
  encodeDocument,
  fromBase64,
  type NetworkJob,
  parseCommitStatement,
  parseNetworkJob,
  parseReveal,
  signWithKey,
  toBase64,
  utf8,
} from '@helixmesh/protocol/sealing';
import { tierOf } from '@helixmesh/scheduler';
import { accountOf, type Caller, nodeOf } from '../../network/caller.ts';
import type { NetworkListener } from '../../network/listener.ts';
import type { Database } from '../../sql/database.ts';
import { registrationOf } from '../node-rows.ts';
import { failAttempt, renewLease } from './attempts.ts';
import { predecessorsOf } from './barrier.ts';
import { type ChainKeeper, commitResult, revealResult, type Taken } from './commits.ts';
import { deadLetters, retryDead } from './dead-letters.ts';
import { explain } from './decisions.ts';
import { serveExecuteJob } from './execute-job.ts';
import { inputsOf } from './inputs.ts';
import { type AttemptCall, claim, offersOf } from './placement.ts';
import { cancelNetworkJob, viewNetworkJob } from './submit.ts';
import { submitSent } from './submit-request.ts';

export interface TaskRoutesOptions {
  readonly database: Database;
  readonly listener: NetworkListener;
  readonly keeper: ChainKeeper;
  readonly zoneOf: ZoneOf;
  /** Milliseconds since 1970. */
  readonly now: () => number;
  /** Whose jobs are taken; by default anybody's. */
  readonly isServed?: (account: string) => boolean;
}

/**
 * The zone of a node that a job's custodians are told: of those that its operator's verified statement
 * names, one that the job's data may be in; null where none is known.
 */
export type ZoneOf = (
  nodeId: NodeId,
  job: { readonly id: Digest; readonly document: NetworkJob },
  nowMs: number,
) => Promise<string | null>;

/** Before the listener listens. */
export function serveTasks(options: TaskRoutesOptions): void {
  serveRequesters(options);
  serveExecuteJob(options);
  serveOffers(options);
  serveResults(options);
  serveExplanations(options);
  serveOperator(options);
}

function serveRequesters({ database, listener, keeper, now, isServed }: TaskRoutesOptions): void {
  listener.route('submitNetworkJob', async ({ body }, caller) => {
    const { account } = accountOf(caller, 'submit');
    return submitSent(database, body, { ...keeper, account, isServed, nowMs: now() });
  });
  listener.route('getNetworkJob', async ({ params: { jobId } }, caller) => {
    const { account } = accountOf(caller, 'list');
    return viewNetworkJob(database, { jobId, requester: account });
  });
  listener.route('cancelNetworkJob', async ({ params: { jobId } }, caller) => {
    const { account } = accountOf(caller, 'cancel');
    return cancelNetworkJob(database, { jobId, requester: account, nowMs: now() });
  });
}

function serveOffers(options: TaskRoutesOptions): void {
  const { database, listener, now } = options;
  listener.route('listOffers', async (_input, caller) => {
    const offers = await offersOf(database, nodeOf(caller).nodeId, now());
    return offers.map((offer) => ({ ...offer, job: toBase64(utf8(offer.job)) }));
  });
  listener.route('claimOffer', async ({ body }, caller) => {
    const call = { ...body, nodeId: nodeOf(caller).nodeId, nowMs: now() };
    const claimed = await claim(database, call);
    if (claimed.status === 'lost') throw lost();
    const { leaseEndsAtMs } = claimed;
    const assignment = await assignmentOf(options, call, leaseEndsAtMs);
    return { phase: 'work', leaseEndsAtMs, assignment };
  });
  listener.route('renewLease', async ({ body }, caller) => {
    const call = { ...body, nodeId: nodeOf(caller).nodeId, nowMs: now() };
    const lease = await renewLease(database, call);
    if (lease.status === 'lost') throw lost();
    if (lease.status === 'over') {
      return { phase: 'over', leaseEndsAtMs: call.nowMs, assignment: null };
    }
    const { phase, leaseEndsAtMs } = lease;
    if (phase !== 'work') return { phase, leaseEndsAtMs, assignment: null };
    const assignment = await assignmentOf(options, call, leaseEndsAtMs);
    return { phase, leaseEndsAtMs, assignment };
  });
  listener.route('listInputs', async ({ body }, caller) => {
    const call = { ...body, nodeId: nodeOf(caller).nodeId, nowMs: now() };
    const inputs = await inputsOf(database, call);
    if (inputs === undefined) throw lost();
    return inputs;
  });
  listener.route('failAttempt', async ({ body }, caller) => {
    const call = { ...body, nodeId: nodeOf(caller).nodeId, nowMs: now() };
    if (!(await failAttempt(database, call))) throw lost();
    return {};
  });
}

function serveResults({ database, listener, keeper, now }: TaskRoutesOptions): void {
  listener.route('commitResult', async ({ body }, caller) => {
    const signed = parseCommitStatement(fromBase64(body.statement, 'a commit'));
    assertOwn(signed.document.nodeId, nodeOf(caller).nodeId);
    return entryOf(await commitResult(database, { signed, keeper, nowMs: now() }));
  });
  listener.route('revealResult', async ({ body }, caller) => {
    const signed = parseReveal(fromBase64(body.reveal, 'a reveal'));
    assertOwn(signed.document.nodeId, nodeOf(caller).nodeId);
    return entryOf(await revealResult(database, { signed, keeper, nowMs: now() }));
  });
}

function serveExplanations({ database, listener, keeper }: TaskRoutesOptions): void {
  listener.route('explainPlacement', async ({ params: { subject }, query }, caller) =>
    explain(database, { subject, placement: query.placement, caller, keeper }),
  );
}

/** Whoever holds the coordinator's own key is its operator. */
function serveOperator({ database, listener, keeper, now }: TaskRoutesOptions): void {
  const assertOperator = (caller: Caller) => {
    if (nodeOf(caller).nodeId === keeper.coordinator) return;
    throw new AppError('ACCESS_REFUSED', 'only the operator of the coordinator may do this', {
      hint: 'Run the command on the machine of the coordinator, with its data folder as --data.',
    });
  };
  listener.route('listDeadTasks', async (_input, caller) => {
    assertOperator(caller);
    return deadLetters(database);
  });
  listener.route('retryTask', async ({ params: { taskId } }, caller) => {
    assertOperator(caller);
    return { status: await retryDead(database, taskId, now()) };
  });
}

/** For custodians: this attempt is that node's, until its lease ends. */
async function assignmentOf(
  { database, keeper, zoneOf }: TaskRoutesOptions,
  call: AttemptCall,
  leaseEndsAtMs: number,
): Promise<string> {
  const row = await database
    .selectFrom('network_replicas')
    .innerJoin('network_tasks', 'network_tasks.task_id', 'network_replicas.task_id')
    .innerJoin('network_jobs', 'network_jobs.job_id', 'network_tasks.job_id')
    .select(['network_replicas.task_id', 'network_tasks.name', 'network_replicas.operator'])
    .leftJoin('nodes', 'nodes.node_id', 'network_replicas.node_id')
    .select(['network_jobs.job_id', 'network_jobs.document', 'nodes.registration'])
    .where('network_replicas.attempt_id', '=', call.attemptId)
    .executeTakeFirstOrThrow();
  const job = parseNetworkJob(utf8(row.document)).document;
  const isFirst = predecessorsOf(row.name, job).length === 0;
  const { registration } = row;
  const document: Assignment = {
    type: ASSIGNMENT_TYPE,
    network: keeper.network,
    coordinator: keeper.coordinator,
    job: row.job_id as Digest,
    taskId: row.task_id as Assignment['taskId'],
    ...(row.name === 'main' ? {} : { task: row.name }),
    attemptId: call.attemptId,
    fencingToken: call.fencingToken,
    nodeId: call.nodeId,
    operator: row.operator,
    ...(registration === null ? {} : { tier: tierOf(registrationOf({ registration })) }),
    zone: await zoneOf(call.nodeId, { id: row.job_id as Digest, document: job }, call.nowMs),
    // Who works on what other tasks have made needs no key of the reads.
    datasets: isFirst ? job.datasets.map(({ dataset }) => dataset) : [],
    issuedAtMs: call.nowMs,
    expiresAtMs: leaseEndsAtMs,
  };
  const signed = signWithKey(keeper.crypto, keeper.secretKey, document);
  return toBase64(encodeDocument(signed));
}

function entryOf(taken: Taken): { readonly entry: string } {
  switch (taken.status) {
    case 'taken':
      return { entry: toBase64(utf8(taken.entry)) };
    case 'lost':
      throw lost();
    case 'too_early':
      throw new AppError('BUSY', 'reveals of this task are not open yet', {
        hint: 'Renew the lease until its phase is `reveal`, then send it again.',
      });
    case 'different':
      throw new AppError('CONFLICT', 'this attempt has said something else before', {
        hint: 'Send the statement that was countersigned; an attempt has one result.',
      });
    case 'bad_signature':
      throw new AppError('ACCESS_REFUSED', 'the statement is not signed by its node', {
        hint: 'Sign it with the key of the node that it names, for this network.',
      });
  }
}

function assertOwn(named: string, caller: string): void {
  if (named === caller) return;
  throw new AppError('ACCESS_REFUSED', 'the statement names another node than its sender', {
    hint: 'Send statements of your own node only.',
  });
}

function lost(): AppError {
  return new AppError('LEASE_EXPIRED', 'this attempt is not yours, or not any more', {
    hint: 'Stop its tools, delete its scratch folder, and fetch your offers again.',
  });
}
