/** Where a job goes, who may know why, and what ends it: a coordinator, custodian and nodes over TLS. */
import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { gunzipSync } from 'node:zlib';
import type { TaskId } from '@helixmesh/protocol';
import { nodeCrypto } from '@helixmesh/protocol/node';
import {
  encodeDocument,
  fromBase64,
  type NetworkJobView,
  type NodeAddress,
  parseAssignment,
  signWithKey,
  toBase64,
} from '@helixmesh/protocol/sealing';
import { INVALID_MAX, parsePlacement, toolSetOf, verifyPlacement } from '@helixmesh/scheduler';
import { channelOf, nodeChannelOf, testAccount } from '../../network/testing/test-node.ts';
import { network, sealedDataset, signedGrant, walletNamed } from '../../testing/sealed-dataset.ts';
import { temporaryFolder } from '../../testing/temporary-folder.ts';
import { HEAD_POLL_MS } from './limits.ts';
import {
  attemptsOf,
  claimAll,
  finish,
  isPlaced,
  jobWhen,
  offeredTo,
  refOf,
  type SetUp,
  saidBy,
  setUp as setUpIn,
  startCoordinator,
  submitAgain,
  TOOLS,
} from './testing/placing-bench.ts';
import { OTHER_RESULT, RESULT } from './testing/task-bench.ts';

const folder = temporaryFolder('placing');
const setUp = (t: TestContext, options?: SetUp) => setUpIn(t, folder, options);

test('a job goes to nodes that evidence and registry make lawful, and its parties may know why', async (t) => {
  const world = await setUp(t);
  const { requester, nodes, identity, coordinator, body } = world;
  const { jobId } = await requester.call('submitNetworkJob', { body });
  const job = await jobWhen(requester, jobId, isPlaced);
  const offered = await offeredTo(nodes);
  assert.equal(offered.length, 2);
  for (const { nodeId, address } of attemptsOf(job)) {
    assert.equal(address, `${nodeId}@127.0.0.1:7410`);
  }
  const [first = assert.fail()] = offered;
  const { assignment } = await first.channel.call('claimOffer', { body: refOf(first) });
  const { document } = parseAssignment(fromBase64(assignment ?? '', 'an assignment'));
  assert.equal(document.zone, 'MX', 'by the statement of its operator');
  assert.equal(document.tier, 'gpu', 'by the hardware of its registration');

  const params = { subject: jobId };
  const told = await requester.call('explainPlacement', { params });
  const signed = parsePlacement(gunzipSync(fromBase64(told.record, 'a record')));
  const by = { network, coordinator: identity.nodeId };
  const verdict = verifyPlacement(nodeCrypto, signed, by);
  assert.deepEqual(verdict, { status: 'valid', id: told.placements[0]?.placement });
  assert.equal(signed.document.decision.candidates.length, nodes.length);
  const { outcome, candidates, ...rest } = signed.document.decision;
  const other = candidates.find(({ facts }) => !outcome.chosen.includes(facts.nodeId));
  const lying = { ...outcome, chosen: [other?.facts.nodeId ?? assert.fail(), outcome.chosen[0]] };
  const changed = { ...rest, candidates, outcome: lying } as typeof signed.document.decision;
  const forged = { ...signed, document: { ...signed.document, decision: changed } };
  assert.deepEqual(verifyPlacement(nodeCrypto, forged, by), {
    ...{ status: 'invalid', reason: 'signature', differing: [] },
  });
  const { secretKey } = identity.signingKey;
  const liar = signWithKey(nodeCrypto, secretKey, forged.document);
  assert.deepEqual(verifyPlacement(nodeCrypto, liar, by), {
    ...{ status: 'invalid', reason: 'replay', differing: [] },
  });

  const task = { subject: first.offer.taskId };
  const nodesAnswer = await first.channel.call('explainPlacement', { params: task });
  assert.equal(nodesAnswer.record, told.record, 'a node that was chosen');
  const own = nodeChannelOf(t, coordinator.address, identity);
  assert.equal((await own.call('explainPlacement', { params })).record, told.record);
  const chosen = offered.map((each) => each.identity.nodeId);
  const outsider = nodes.find((node) => !chosen.includes(node.identity.nodeId)) ?? assert.fail();
  const stranger = channelOf(t, coordinator.address, await testAccount(['list']));
  for (const channel of [outsider.channel, stranger]) {
    const asked = channel.call('explainPlacement', { params });
    await assert.rejects(asked, { code: 'OBJECT_NOT_FOUND' });
  }
});

test('what does not show that the requester may use the data is no job', async (t) => {
  const { requester, body, owner, account } = await setUp(t);
  const [{ manifest, grant } = assert.fail()] = body.evidence;
  const other = await sealedDataset(walletNamed('owner'), new Uint8Array(32).fill(9));
  const grantee = account.wallet.address;
  const stolen = await signedGrant(walletNamed('thief'), { dataset: owner.dataset.id, grantee });
  const text = (document: unknown) => toBase64(encodeDocument(document));
  const wrong = [
    [{ manifest: text(other.manifest), grant }],
    [{ manifest: text({ ...owner.dataset.manifest, signature: `0x${'1'.repeat(130)}` }), grant }],
    [{ manifest, grant: null }],
    [{ manifest, grant: text(stolen.signed) }],
  ];
  for (const evidence of wrong) {
    const sent = requester.call('submitNetworkJob', { body: { ...body, evidence } });
    await assert.rejects(sent, { code: 'ACCESS_REFUSED' });
  }
  const evidence = [...body.evidence, ...body.evidence];
  const more = requester.call('submitNetworkJob', { body: { ...body, evidence } });
  await assert.rejects(more, { code: 'USAGE' });
  assert.equal((await requester.call('submitNetworkJob', { body })).state, 'QUEUED');
});

test('a job waits for the custodian of its data, and goes on when that answers', async (t) => {
  const { requester, body, owner, clock } = await setUp(t, { hasHead: false });
  const { jobId } = await requester.call('submitNetworkJob', { body });
  const isWaiting = ({ reason }: NetworkJobView) => reason?.code === 'CUSTODIAN_OFFLINE';
  const waiting = await jobWhen(requester, jobId, isWaiting);
  assert.equal(waiting.state, 'QUEUED');
  assert.deepEqual(attemptsOf(waiting), []);
  await owner.addHead([]);
  clock.advance(5_000);
  const placed = await jobWhen(requester, jobId, isPlaced);
  assert.equal(placed.reason, null);
});

test('a grant that is revoked ends a running job, and its nodes hear that all is lost', async (t) => {
  const { requester, body, owner, clock, nodes } = await setUp(t);
  const { jobId } = await requester.call('submitNetworkJob', { body });
  await jobWhen(requester, jobId, isPlaced);
  const offered = await offeredTo(nodes);
  await claimAll(offered);
  const [first = assert.fail()] = offered;
  const { statement } = saidBy(first, RESULT);
  await first.channel.call('commitResult', { body: { statement } });
  await owner.addHead([owner.grant.id]);
  clock.advance(HEAD_POLL_MS);
  const ended = await jobWhen(requester, jobId, ({ state }) => state === 'CANCELED');
  assert.equal(ended.reason?.code, 'ACCESS_REFUSED');
  for (const each of offered) {
    const renewed = each.channel.call('renewLease', { body: refOf(each) });
    await assert.rejects(renewed, { code: 'LEASE_EXPIRED' });
  }
  const { reveal } = saidBy(first, RESULT);
  const shown = first.channel.call('revealResult', { body: { reveal } });
  await assert.rejects(shown, { code: 'LEASE_EXPIRED' }, 'the result is withheld');
});

test('a coordinator that is started again in the middle of a job goes on with it', async (t) => {
  const world = await setUp(t);
  const { requester, body, nodes, clock, database, identity, coordinator } = world;
  const { jobId } = await requester.call('submitNetworkJob', { body });
  await jobWhen(requester, jobId, isPlaced);
  const offered = await offeredTo(nodes);
  await claimAll(offered);
  const again = async (address: NodeAddress, stop: () => Promise<void>) => {
    await stop();
    return startCoordinator(t, { clock, database, identity, port: address.port });
  };
  const second = await again(coordinator.address, coordinator.stop);
  for (const each of offered) {
    const lease = await each.channel.call('renewLease', { body: refOf(each) });
    assert.equal(lease.phase, 'work');
  }
  const [one = assert.fail()] = offered;
  const { statement } = saidBy(one, RESULT);
  const before = await one.channel.call('commitResult', { body: { statement } });
  await again(second.address, second.stop);
  const after = await one.channel.call('commitResult', { body: { statement } });
  assert.deepEqual(after, before, 'the countersignature is the same one');
  await finish(offered, [RESULT, RESULT]);
  const done = await jobWhen(requester, jobId, ({ state }) => state === 'COMPLETE');
  assert.equal(done.tasks[0]?.isChecked, true);
});

test('wrong results are held against a node and its tools, until it is banned for them', async (t) => {
  const world = await setUp(t, { change: { redundancy: 2, replicasMax: 3 } });
  const { requester, body, nodes, coordinator } = world;
  const { jobId } = await requester.call('submitNetworkJob', { body });
  await jobWhen(requester, jobId, isPlaced);
  const offered = await offeredTo(nodes);
  await claimAll(offered);
  await finish(offered, [RESULT, OTHER_RESULT]);
  // They disagree: the third operator decides.
  await jobWhen(requester, jobId, (job) => attemptsOf(job).length === 3);
  const third = await offeredTo(nodes);
  await claimAll(third);
  await finish(third, [RESULT]);
  await jobWhen(requester, jobId, ({ state }) => state === 'COMPLETE');
  const rows = await coordinator.database.selectFrom('network_reputations').selectAll().execute();
  const wrong = offered[1]?.identity.nodeId ?? assert.fail();
  for (const row of rows) {
    const isWrong = row.node_id === wrong;
    assert.deepEqual([row.invalid, row.consecutive_valid], isWrong ? [1, 0] : [0, 1]);
    assert.equal(row.tool_set, toolSetOf(TOOLS));
  }
  assert.equal(rows.length, 3);

  await coordinator.database
    .updateTable('network_reputations')
    .set({ invalid: INVALID_MAX })
    .where('node_id', '=', wrong)
    .execute();
  const next = await submitAgain(world);
  await jobWhen(requester, next, isPlaced);
  const { record } = await requester.call('explainPlacement', { params: { subject: next } });
  const { decision } = parsePlacement(gunzipSync(fromBase64(record, 'a record'))).document;
  const failed = decision.candidates.find(({ facts }) => facts.nodeId === wrong)?.failed;
  assert.deepEqual(
    failed?.map(({ reason }) => reason),
    ['tool_set_banned'],
  );
});

test('dead tasks are listed and retried by the operator of the coordinator alone', async (t) => {
  const world = await setUp(t, { change: { redundancy: 1, replicasMax: 1 } });
  const { requester, body, nodes, coordinator, identity } = world;
  const { jobId } = await requester.call('submitNetworkJob', { body });
  await jobWhen(requester, jobId, isPlaced);
  const [one = assert.fail()] = await offeredTo(nodes);
  await claimAll([one]);
  await one.channel.call('failAttempt', { body: { ...refOf(one), code: 'TOOL_CRASHED' } });
  await jobWhen(requester, jobId, ({ state }) => state === 'SYSTEM_ERROR');
  const operator = nodeChannelOf(t, coordinator.address, identity);
  const [dead = assert.fail(), ...more] = await operator.call('listDeadTasks', {});
  assert.deepEqual([dead.jobId, dead.reason.code, more.length], [jobId, 'RESULT_DIFFERS', 0]);
  const params = { taskId: dead.taskId };
  for (const call of ['listDeadTasks', 'retryTask'] as const) {
    const asked =
      call === 'retryTask' ? one.channel.call(call, { params }) : one.channel.call(call, {});
    await assert.rejects(asked, { code: 'ACCESS_REFUSED' });
  }
  assert.deepEqual(await operator.call('retryTask', { params }), { status: 'retried' });
  assert.deepEqual(await operator.call('listDeadTasks', {}), []);
  await jobWhen(requester, jobId, isPlaced);
  const unknown = { taskId: `task_${'0'.repeat(32)}` as TaskId };
  assert.deepEqual(await operator.call('retryTask', { params: unknown }), { status: 'not_dead' });
});
