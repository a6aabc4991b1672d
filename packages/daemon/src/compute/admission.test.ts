/** What a node takes and what it refuses, against a coordinator of tasks over TLS. */
import assert from 'node:assert/strict';
import { mkdtempSync } from 'node:fs';
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { AppError } from '@helixmesh/protocol';
import { nodeCrypto } from '@helixmesh/protocol/node';
import {
  encodeDocument,
  type NetworkJob,
  signDocument,
  toBase64,
} from '@helixmesh/protocol/sealing';
import { createTaskCoordination } from '../coordination/tasks/coordination.ts';
import { evidenceText, manifestBy } from '../coordination/tasks/testing/evidence.ts';
import {
  decisionOf,
  RESULT,
  signedJob,
  type TestWorker,
} from '../coordination/tasks/testing/task-bench.ts';
import type { NetworkListener } from '../network/listener.ts';
import {
  channelOf,
  NETWORK,
  nodeChannelOf,
  startTestNode,
  testAccount,
  testIdentity,
} from '../network/testing/test-node.ts';
import { createLogger } from '../node/logger.ts';
import { type Database, openDatabase } from '../sql/database.ts';
import { walletNamed } from '../testing/sealed-dataset.ts';
import { temporaryFolder } from '../testing/temporary-folder.ts';
import { assertContained, assertRoom } from './admission.ts';
import { coordinatorWork } from './coordinator-work.ts';
import { networkJob } from './testing/network-job.ts';
import { createWorker, type WorkerOptions } from './worker.ts';

const LOOK_MS = 20;
const folder = temporaryFolder('admission');
const logger = createLogger(join(folder, 'log'), 'info');
const weak = async () => ({ strength: 'weak', mend: 'mend it' }) as const;
const strong = async () => ({ strength: 'strong', mend: null }) as const;

/** A coordinator with one job for one node, and what this node asked custodians for. */
async function bench(t: TestContext, change: Partial<NetworkJob> = {}) {
  const database = await openDatabase(':memory:');
  const [identity, own] = [testIdentity(), testIdentity()];
  const requester = await testAccount(['list', 'submit']);
  const keeper = {
    ...{ crypto: nodeCrypto, network: NETWORK, coordinator: identity.nodeId },
    secretKey: identity.signingKey.secretKey,
  };
  const worker: TestWorker = {
    nodeId: own.nodeId,
    secretKey: own.signingKey.secretKey,
    operator: requester.wallet.address as TestWorker['operator'],
  };
  let coordination: ReturnType<typeof createTaskCoordination> | undefined;
  const serve = (listener: NetworkListener) => {
    coordination = createTaskCoordination({
      ...{ database, listener, keeper, logger, roundMs: LOOK_MS, now: Date.now },
      zoneOf: async () => 'MX',
      decide: async (task, nowMs) => ({
        status: 'decided',
        decision: decisionOf({ workers: [worker] }, task, { nowMs, onShortfall: 'run_once' }),
      }),
    });
  };
  const { address } = await startTestNode(t, serve, { identity });
  await coordination?.start();
  t.after(async () => {
    await coordination?.stop();
    await database.destroy();
  });
  const { id: dataset, signed } = await manifestBy({ owner: requester.wallet, network: NETWORK });
  const job = await signedJob(
    { keeper, requester: requester.wallet },
    {
      issuedAtMs: Date.now(),
      parameters: { reference: RESULT, r1: dataset },
      redundancy: 1,
      replicasMax: 1,
      ...change,
    },
  );
  const channel = channelOf(t, address, requester);
  const node = nodeChannelOf(t, address, own);
  await channel.call('submitNetworkJob', {
    body: { job: toBase64(encodeDocument(job)), evidence: [evidenceText(signed)] },
  });
  while ((await node.call('listOffers', { params: {} })).length === 0) await delay(LOOK_MS);
  return { database, identity: own, node, requester, dataset };
}

type Bench = Awaited<ReturnType<typeof bench>>;

/** A worker whose attempts end where reads would be asked for. */
async function work(
  t: TestContext,
  { identity, node, requester }: Bench,
  change: Partial<WorkerOptions> & { readonly mayTake?: () => Promise<boolean> },
) {
  const root = mkdtempSync(join(folder, 'node-'));
  const asked: string[] = [];
  const { mayTake = async () => true } = change;
  const common = { crypto: nodeCrypto, network: NETWORK, logger, now: Date.now };
  const { secretKey } = identity.signingKey;
  const worker = createWorker({
    ...{ ...common, root, slots: 1 },
    work: coordinatorWork({
      ...{ ...common, secretKey, channel: node, mayTake },
      nodeId: identity.nodeId,
    }),
    openReads: async (reads) => {
      asked.push(...reads.map(({ dataset }) => dataset));
      throw new AppError('KEY_NOT_HELD', 'no keys here');
    },
    openHandover: () => assert.fail('a job of one task hands over nothing'),
    node: { referenceRoot: folder, config: { cores: 1, limitsFactor: 1 } },
    containment: { strength: strong, operator: requester.wallet.address },
    stater: { nodeId: identity.nodeId, secretKey, operator: requester.wallet.address },
    ...change,
  });
  await worker.start();
  t.after(() => worker.stop());
  return { asked, root };
}

async function endOf(database: Database) {
  for (;;) {
    const row = await database.selectFrom('network_replicas').selectAll().executeTakeFirst();
    if (row?.state === 'ENDED') return row.end_reason;
    await delay(LOOK_MS);
  }
}

test('with a weak sandbox an attempt ends before keys are asked for, and nothing is left', async (t) => {
  const made = await bench(t, { constraints: constraintsOf(true) });
  const operator = made.requester.wallet.address;
  const { asked, root } = await work(t, made, { containment: { strength: weak, operator } });
  assert.equal(await endOf(made.database), 'SANDBOX_WEAK');
  assert.deepEqual(asked, []);
  assert.deepEqual(await readdir(root), []);
});

test('data of others is refused in a weak sandbox, whatever the job demands', async () => {
  const wallet = walletNamed('operator');
  const containment = { strength: weak, operator: wallet.address };
  const own = networkJob({ network: NETWORK, requester: wallet.address });
  const jobOf = async (change: Partial<NetworkJob>) =>
    toBase64(encodeDocument(await signDocument(wallet, { ...own, ...change })));
  const constraints = constraintsOf(false);
  await assertContained(containment, await jobOf({ constraints }));
  const granted = own.datasets.map((each) => ({ ...each, grant: NETWORK }));
  const others = await jobOf({ constraints, datasets: granted });
  await assert.rejects(assertContained(containment, others), { code: 'SANDBOX_WEAK' });
  await assertContained({ ...containment, strength: strong }, others);
});

test('what is the own of the operator may be done in a weak one, and nothing of a stranger', async (t) => {
  const made = await bench(t, { constraints: constraintsOf(false) });
  const { asked } = await work(t, made, {
    containment: { strength: weak, operator: made.requester.wallet.address },
  });
  assert.equal(await endOf(made.database), 'KEY_NOT_HELD');
  assert.deepEqual(asked, [made.dataset]);
  const stranger = await bench(t, { constraints: constraintsOf(false) });
  const other = await work(t, stranger, { containment: { strength: weak, operator: null } });
  assert.equal(await endOf(stranger.database), 'SANDBOX_WEAK');
  assert.deepEqual(other.asked, []);
});

test('a node that drains leaves its offers, and takes them when it resumes', async (t) => {
  const made = await bench(t);
  let isDraining = true;
  let looks = 0;
  const mayTake = async () => {
    looks += 1;
    return !isDraining;
  };
  const { asked } = await work(t, made, { mayTake });
  while (looks < 2) await delay(LOOK_MS);
  assert.equal((await made.node.call('listOffers', { params: {} })).length, 1);
  assert.deepEqual(asked, []);
  isDraining = false;
  assert.equal(await endOf(made.database), 'KEY_NOT_HELD');
  assert.deepEqual(asked, [made.dataset]);
});

test('reads that do not fit the disk are not begun', async () => {
  const open = () => assert.fail('opened');
  const huge = { fileName: 'r1.fastq.gz', sizeBytes: 2 ** 50, open };
  await assert.rejects(assertRoom(folder, [huge]), { code: 'DISK_FULL' });
  await assertRoom(folder, [{ ...huge, sizeBytes: 1 }]);
});

function constraintsOf(needsStrongSandbox: boolean): NetworkJob['constraints'] {
  return {
    ...{ zones: null, operators: null, isCommercial: false, needsStrongSandbox },
    onShortfall: 'run_once',
  };
}
