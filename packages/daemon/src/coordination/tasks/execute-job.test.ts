/** `execute_job` of the Sequentias protocol, by a client that has nothing but the body: over TLS. */
import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { executeJobBody } from '@helixmesh/client/network';
import { AppError, type Digest, type ErrorCode, type NodeId } from '@helixmesh/protocol';
import { nodeCrypto } from '@helixmesh/protocol/node';
import { documentId, type ExecuteJob, encodeDocument, toBase64 } from '@helixmesh/protocol/sealing';
import {
  channelOf,
  NETWORK,
  startTestNode,
  type TestAccount,
  testAccount,
  testIdentity,
} from '../../network/testing/test-node.ts';
import { openDatabase } from '../../sql/database.ts';
import { replyOf } from './execute-job.ts';
import { serveTasks } from './handlers.ts';
import { evidenceText, manifestBy } from './testing/evidence.ts';
import { claimed, commit, RESULT, reveal, signedJob, workerOf } from './testing/task-bench.ts';

const failsWith = (code: ErrorCode) => (error: unknown) => AppError.from(error).code === code;

async function startCoordinator(t: TestContext) {
  const database = await openDatabase(':memory:');
  t.after(() => database.destroy());
  const identity = testIdentity();
  const { nodeId: coordinator, signingKey } = identity;
  const { secretKey } = signingKey;
  const keeper = { crypto: nodeCrypto, network: NETWORK, coordinator, secretKey };
  const own = { database, keeper, zoneOf: async () => null, now: Date.now };
  const serve = (listener: Parameters<typeof serveTasks>[0]['listener']) =>
    serveTasks({ ...own, listener });
  const { address } = await startTestNode(t, serve, { identity });
  const account = await testAccount(['list', 'submit']);
  const workers = [workerOf(1), workerOf(2)];
  const bench = { database, keeper, requester: account.wallet, workers };
  const job = await signedJob(bench, { issuedAtMs: Date.now() });
  const { id, signed } = await manifestBy({ owner: account.wallet, network: NETWORK });
  const asked = {
    ip_id: id,
    pipeline: 'germline',
    parameters: { job: toBase64(encodeDocument(job)), evidence: [evidenceText(signed)] },
  };
  /** By nobody: what counts is in the body. */
  const client = channelOf(t, address);
  const bodyOf = (change: Partial<typeof asked> = {}, by: TestAccount = account, to?: NodeId) => {
    const at = to === undefined ? address : { ...address, nodeId: to };
    const options = { address: at, network: NETWORK, signer: by, now: Date.now };
    return executeJobBody(options, { ...asked, ...change });
  };
  const execute = (body: ExecuteJob) => client.call('executeJob', { body });
  const jobId = documentId(nodeCrypto, job.document);
  return { bench, address, account, jobId, bodyOf, execute };
}

test('a job comes in by the body alone, is the same job when it is sent again, and ends with a result', async (t) => {
  const { bench, address, account, jobId, bodyOf, execute } = await startCoordinator(t);
  const first = await execute(bodyOf());
  const waiting = { status: 'queued', job_id: jobId, result_ip_id: null, download_url: null };
  assert.deepEqual(first, { ...waiting, error: null });
  const requester = channelOf(t, address, account);
  assert.equal((await requester.call('getNetworkJob', { params: { jobId } })).state, 'QUEUED');
  const attempts = await claimed(bench, Date.now());
  assert.equal((await execute(bodyOf())).status, 'running');
  for (const say of [commit, reveal]) {
    for (const attempt of attempts) await say(bench, attempt, { nowMs: Date.now() });
  }
  const last = await execute(bodyOf());
  assert.deepEqual([last.status, last.job_id, last.result_ip_id], ['success', jobId, RESULT]);
  assert.equal(last.download_url, null, 'where it is nobody can say: no node is registered');
  const view = await requester.call('getNetworkJob', { params: { jobId } });
  const place = `node_${'a'.repeat(64)}@127.0.0.1:7401`;
  const [task = assert.fail()] = view.tasks;
  const [one = assert.fail()] = task.attempts;
  const registered = { ...task, attempts: [{ ...one, address: place }] };
  const { download_url } = replyOf({ ...view, tasks: [registered] });
  assert.equal(download_url, `bionfs://${place}/${one.attemptId}`);
});

test('a token is good for one request, at one node, in a session that may submit', async (t) => {
  const { bodyOf, execute } = await startCoordinator(t);
  const body = bodyOf();
  await execute(body);
  await assert.rejects(execute(body), failsWith('UNAUTHENTICATED'), 'sent again');
  const other = { ...bodyOf(), pipeline: 'alphagenome' };
  await assert.rejects(execute(other), failsWith('UNAUTHENTICATED'), 'other than signed');
  const elsewhere = bodyOf({}, undefined, testIdentity().nodeId);
  await assert.rejects(execute(elsewhere), failsWith('UNAUTHENTICATED'), 'for another node');
  const reader = bodyOf({}, await testAccount(['read', 'list']));
  await assert.rejects(execute(reader), failsWith('ACCESS_REFUSED'), 'without the scope');
  const stranger = bodyOf({}, await testAccount(['submit']));
  await assert.rejects(execute(stranger), failsWith('ACCESS_REFUSED'), "another's job");
  const { session_token: _, ...bare } = bodyOf();
  await assert.rejects(execute(bare as ExecuteJob), failsWith('USAGE'), 'no token');
  const made = { ...bodyOf(), session_token: 'AAAA' };
  await assert.rejects(execute(made), failsWith('INPUT_MALFORMED'), 'not a token');
});

test('what nobody can do here is refused with the reason', async (t) => {
  const { bodyOf, execute } = await startCoordinator(t);
  const gpu = execute(bodyOf({ pipeline: 'alphagenome' }));
  await assert.rejects(gpu, (error) => {
    return failsWith('TOOL_MISSING')(error) && /needs a GPU/.test(AppError.from(error).message);
  });
  await assert.rejects(execute(bodyOf({ pipeline: 'rare_coding' })), failsWith('NOT_FOUND'));
  const ip_id = `sha256:${'1'.repeat(64)}` as Digest;
  await assert.rejects(execute(bodyOf({ ip_id })), failsWith('USAGE'), 'not of the signed job');
});
