import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import type { Channel } from '@helixmesh/client/network';
import { AppError, type ErrorCode, type NodeId } from '@helixmesh/protocol';
import { nodeCrypto } from '@helixmesh/protocol/node';
import {
  assignmentRefusal,
  documentId,
  encodeDocument,
  fromBase64,
  parseAssignment,
  parseChainEntry,
  parseNetworkJob,
  signWithKey,
  toBase64,
  verifyChain,
} from '@helixmesh/protocol/sealing';
import { operatorOf } from '@helixmesh/scheduler/testing/fleet';
import type { NodeIdentity } from '../../network/identity.ts';
import {
  channelOf,
  NETWORK,
  nodeChannelOf,
  startTestNode,
  type TestAccount,
  testAccount,
  testIdentity,
} from '../../network/testing/test-node.ts';
import { openDatabase } from '../../sql/database.ts';
import { serveTasks } from './handlers.ts';
import { evidenceText, manifestBy } from './testing/evidence.ts';
import {
  OTHER_RESULT,
  placed,
  RESULT,
  saidOf,
  signedJob,
  type TaskBench,
  type TestAttempt,
} from './testing/task-bench.ts';

function failsWith(code: ErrorCode): (error: unknown) => boolean {
  return (error) => error instanceof AppError && error.code === code;
}

interface Coordinator {
  readonly bench: TaskBench;
  readonly account: TestAccount;
  /** The requester's channel. */
  readonly requester: Channel;
  readonly stranger: Channel;
  channel(nodeId: NodeId): Channel;
}

/** A coordinator on a port of this machine, its requester, and nodes of three operators. */
async function startCoordinator(
  t: TestContext,
  isServed: (account: string) => boolean = () => true,
): Promise<Coordinator> {
  const database = await openDatabase(':memory:');
  t.after(() => database.destroy());
  const identity = testIdentity();
  const keeper = {
    crypto: nodeCrypto,
    network: NETWORK,
    coordinator: identity.nodeId,
    secretKey: identity.signingKey.secretKey,
  };
  const { address } = await startTestNode(
    t,
    (listener) =>
      serveTasks({ database, listener, keeper, isServed, zoneOf: async () => null, now: Date.now }),
    { identity },
  );
  const account = await testAccount(['list', 'cancel', 'submit']);
  const identities: readonly NodeIdentity[] = [testIdentity(), testIdentity(), testIdentity()];
  const channels = new Map(
    identities.map((each) => [each.nodeId, nodeChannelOf(t, address, each)]),
  );
  return {
    bench: {
      database,
      keeper,
      requester: account.wallet,
      workers: identities.map(({ nodeId, signingKey }, index) => ({
        nodeId,
        secretKey: signingKey.secretKey,
        operator: operatorOf(index + 1),
      })),
    },
    account,
    requester: channelOf(t, address, account),
    stranger: channelOf(t, address, await testAccount(['list', 'cancel', 'submit'])),
    channel: (nodeId) => channels.get(nodeId) ?? assert.fail(),
  };
}

/** A job of the requester on a dataset of their own, as it is sent. */
async function jobBody({ bench }: Coordinator) {
  const job = await signedJob(bench, { issuedAtMs: Date.now() });
  const { signed } = await manifestBy({ owner: bench.requester, network: NETWORK });
  return { job: toBase64(encodeDocument(job)), evidence: [evidenceText(signed)] };
}

function refOf({ attemptId, fencingToken }: TestAttempt) {
  return { attemptId, fencingToken };
}

function statementOf({ bench }: Coordinator, attempt: TestAttempt, result = RESULT): string {
  const { statement } = saidOf(bench, attempt, result);
  return toBase64(encodeDocument(signWithKey(nodeCrypto, attempt.worker.secretKey, statement)));
}

function revealOf({ bench }: Coordinator, attempt: TestAttempt, result = RESULT): string {
  const { reveal } = saidOf(bench, attempt, result);
  return toBase64(encodeDocument(signWithKey(nodeCrypto, attempt.worker.secretKey, reveal)));
}

test('a job goes from its requester over two nodes to a result, all over TLS', async (t) => {
  const coordinator = await startCoordinator(t);
  const { bench, requester, stranger, channel } = coordinator;
  const body = await jobBody(coordinator);
  const view = await requester.call('submitNetworkJob', { body });
  assert.equal(view.state, 'QUEUED');
  assert.deepEqual(await requester.call('submitNetworkJob', { body }), view, 'said again');
  const params = { jobId: view.jobId };
  await assert.rejects(stranger.call('getNetworkJob', { params }), failsWith('OBJECT_NOT_FOUND'));
  await assert.rejects(
    stranger.call('cancelNetworkJob', { params }),
    failsWith('OBJECT_NOT_FOUND'),
  );

  const attempts = await placed(bench, Date.now());
  assert.equal(attempts.length, 2);
  for (const attempt of attempts) {
    const node = channel(attempt.worker.nodeId);
    const [offer = assert.fail(), ...more] = await node.call('listOffers', {});
    assert.equal(more.length, 0);
    assert.deepEqual([offer.attemptId, offer.job], [attempt.attemptId, body.job]);
    const lease = await node.call('claimOffer', { body: refOf(attempt) });
    const assignment = parseAssignment(fromBase64(lease.assignment ?? '', 'an assignment'));
    const signed = parseNetworkJob(fromBase64(offer.job, 'a job')).document;
    const facts = { job: signed, id: documentId(nodeCrypto, signed), nowMs: Date.now() };
    assert.equal(assignmentRefusal(nodeCrypto, assignment, facts), null);
    assert.equal(assignment.document.nodeId, attempt.worker.nodeId);
    assert.equal(assignment.document.tier, undefined, 'of a node that has not registered');
    const again = await node.call('renewLease', { body: refOf(attempt) });
    assert.equal(again.phase, 'work');
    assert.notEqual(again.assignment, null);
  }

  const entries: string[] = [];
  for (const attempt of attempts) {
    const statement = statementOf(coordinator, attempt);
    const node = channel(attempt.worker.nodeId);
    entries.push((await node.call('commitResult', { body: { statement } })).entry);
  }
  for (const attempt of attempts) {
    const node = channel(attempt.worker.nodeId);
    const lease = await node.call('renewLease', { body: refOf(attempt) });
    assert.deepEqual([lease.phase, lease.assignment], ['reveal', null]);
    const body = { reveal: revealOf(coordinator, attempt) };
    entries.push((await node.call('revealResult', { body })).entry);
  }
  const chain = entries.map((entry) => parseChainEntry(fromBase64(entry, 'an entry')));
  assert.equal(verifyChain(nodeCrypto, chain, bench.keeper).status, 'valid');
  const done = await requester.call('getNetworkJob', { params });
  assert.deepEqual([done.state, done.tasks[0]?.resultDigest], ['COMPLETE', RESULT]);
});

test('a node can do nothing with an attempt of another one', async (t) => {
  const coordinator = await startCoordinator(t);
  const { bench, requester, channel } = coordinator;
  await requester.call('submitNetworkJob', { body: await jobBody(coordinator) });
  const [a = assert.fail(), b = assert.fail()] = await placed(bench, Date.now());
  const thief = channel(b.worker.nodeId);
  const body = refOf(a);
  const lost = failsWith('LEASE_EXPIRED');
  await assert.rejects(thief.call('claimOffer', { body }), lost);
  await channel(a.worker.nodeId).call('claimOffer', { body });
  await assert.rejects(thief.call('claimOffer', { body }), lost);
  await assert.rejects(thief.call('renewLease', { body }), lost);
  const failed = { ...body, code: 'TOOL_CRASHED' };
  await assert.rejects(thief.call('failAttempt', { body: failed }), lost);
  // A statement of the owner that was overheard, and one in the owner's place with the own key.
  const overheard = { statement: statementOf(coordinator, a) };
  const refused = failsWith('ACCESS_REFUSED');
  await assert.rejects(thief.call('commitResult', { body: overheard }), refused);
  const forged = { statement: statementOf(coordinator, { ...a, worker: b.worker }) };
  await assert.rejects(thief.call('commitResult', { body: forged }), lost);
  const liar = { ...a.worker, secretKey: b.worker.secretKey };
  const unsigned = { statement: statementOf(coordinator, { ...a, worker: liar }) };
  const owner = channel(a.worker.nodeId);
  await assert.rejects(owner.call('commitResult', { body: unsigned }), refused);
  assert.equal((await owner.call('renewLease', { body })).phase, 'work', 'nothing has happened');
});

test('a node hears why its statement is not taken', async (t) => {
  const coordinator = await startCoordinator(t);
  const { bench, requester, channel } = coordinator;
  const { jobId } = await requester.call('submitNetworkJob', {
    body: await jobBody(coordinator),
  });
  const [a = assert.fail(), b = assert.fail()] = await placed(bench, Date.now());
  const node = channel(a.worker.nodeId);
  await node.call('claimOffer', { body: refOf(a) });
  await channel(b.worker.nodeId).call('claimOffer', { body: refOf(b) });
  const early = { reveal: revealOf(coordinator, a) };
  await assert.rejects(node.call('revealResult', { body: early }), failsWith('BUSY'));
  const first = { statement: statementOf(coordinator, a) };
  const taken = await node.call('commitResult', { body: first });
  assert.deepEqual(await node.call('commitResult', { body: first }), taken);
  const second = { statement: statementOf(coordinator, a, OTHER_RESULT) };
  await assert.rejects(node.call('commitResult', { body: second }), failsWith('CONFLICT'));
  const waiting = await node.call('renewLease', { body: refOf(a) });
  assert.equal(waiting.phase, 'wait');
  const params = { jobId };
  assert.equal((await requester.call('cancelNetworkJob', { params })).state, 'CANCELED');
  const lost = failsWith('LEASE_EXPIRED');
  await assert.rejects(node.call('renewLease', { body: refOf(a) }), lost, 'to be wiped');
  await assert.rejects(node.call('revealResult', { body: early }), failsWith('LEASE_EXPIRED'));
});

test('a coordinator takes the jobs of those whom its operator names, and of nobody else', async (t) => {
  const served = new Set<string>();
  const coordinator = await startCoordinator(t, (account) => served.has(account));
  const { requester, account } = coordinator;
  const body = await jobBody(coordinator);
  await assert.rejects(requester.call('submitNetworkJob', { body }), failsWith('ACCESS_REFUSED'));
  served.add(account.wallet.address);
  assert.equal((await requester.call('submitNetworkJob', { body })).state, 'QUEUED');
});

test('only accounts submit, for themselves and within their scopes; only nodes fetch offers', async (t) => {
  const coordinator = await startCoordinator(t);
  const { requester, stranger, channel, bench } = coordinator;
  const body = await jobBody(coordinator);
  const refused = failsWith('ACCESS_REFUSED');
  await assert.rejects(stranger.call('submitNetworkJob', { body }), refused, "another's job");
  const [worker = assert.fail()] = bench.workers;
  const node = channel(worker.nodeId);
  const unsigned = (error: unknown) =>
    error instanceof AppError && ['UNAUTHENTICATED', 'ACCESS_REFUSED'].includes(error.code);
  await assert.rejects(node.call('submitNetworkJob', { body }), unsigned);
  await assert.rejects(requester.call('listOffers', {}), unsigned);
  const nobody = channelOf(t, requester.address);
  await assert.rejects(nobody.call('submitNetworkJob', { body }), unsigned);
  const reader = channelOf(t, requester.address, await testAccount(['read']));
  const params = { jobId: RESULT };
  await assert.rejects(reader.call('getNetworkJob', { params }), unsigned, 'needs the scope list');
  await assert.rejects(reader.call('cancelNetworkJob', { params }), unsigned);
});
