/**
 * A coordinator with its registry, an owner's custodian, a requester with a grant and nodes of several
 * operators, over real TLS and by a clock of the test's.
 */
import assert from 'node:assert/strict';
import { mkdtempSync } from 'node:fs';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import type { Channel } from '@helixmesh/client/network';
import type { Digest } from '@helixmesh/protocol';
import { nodeCrypto } from '@helixmesh/protocol/node';
import {
  type CommitStatement,
  commitOf,
  encodeDocument,
  formatNodeAddress,
  GENESIS_TYPE,
  type Genesis,
  type NetworkJob,
  type NetworkJobView,
  type Reveal,
  signWithKey,
  toBase64,
  toHex,
} from '@helixmesh/protocol/sealing';
import { registrationOf } from '@helixmesh/scheduler/testing/fleet';
import { pino } from 'pino';
import { createCustodian } from '../../../custody/custodian.ts';
import { openCustody } from '../../../custody/custody.ts';
import type { NodeIdentity } from '../../../network/identity.ts';
import {
  channelOf,
  startTestNode,
  testAccount,
  testIdentity,
} from '../../../network/testing/test-node.ts';
import { openDatabase } from '../../../sql/database.ts';
import {
  network,
  sealedDataset,
  signedCustodian,
  signedGrant,
  signedHead,
  vault,
  walletNamed,
} from '../../../testing/sealed-dataset.ts';
import { createCoordinator } from '../../coordinator.ts';
import { startComputeNode } from '../../testing/compute-nodes.ts';
import type { Clock } from '../../testing/network-bench.ts';
import { RESULT, signedJob } from './task-bench.ts';

const LOOK_MS = 20;
/** Many rounds of the coordinator, however slow the machine is. */
const LOOKS_MAX = 2_000;
export const TOOLS = {
  bcftools: '1.16',
  bgzip: '1.16',
  bwa: '0.7.17',
  fastp: '0.23.2',
  freebayes: '1.3.6',
  helixmesh: '2',
  samtools: '1.16.1',
  tabix: '1.16',
};
const OPERATORS = ['a', 'b', 'c'].map((name) => walletNamed(`operator ${name}`));
const logger = pino({ level: 'silent' });

/** The machine's, set ahead by the test. */
function tickingClock(): Clock {
  let aheadMs = 0;
  return {
    now: () => Date.now() + aheadMs,
    advance: (ms) => {
      aheadMs += ms;
    },
  };
}

interface Given {
  readonly clock: Clock;
  readonly database: string;
  readonly identity: NodeIdentity;
  readonly port?: number;
}

/** As `helixmesh up` makes it; `stop` leaves nothing but its database. */
export async function startCoordinator(t: TestContext, { clock, identity, ...given }: Given) {
  const database = await openDatabase(given.database);
  const genesis: Genesis = {
    ...{ type: GENESIS_TYPE, name: 'test', createdAtMs: 0, nonce: '0'.repeat(32) },
    coordinators: [identity.nodeId],
    attestedOperators: OPERATORS.map(({ address }) => address).sort(),
  };
  let coordinator: ReturnType<typeof createCoordinator> | undefined;
  const { address, listener } = await startTestNode(
    t,
    (own) => {
      coordinator = createCoordinator({
        ...{ database, identity, genesis, network, listener: own, roundMs: LOOK_MS },
        ...{ crypto: nodeCrypto, now: clock.now, logger },
      });
    },
    { identity, now: clock.now, port: given.port ?? 0 },
  );
  await coordinator?.start();
  let stopped: Promise<void> | undefined;
  const stop = async () => {
    await listener.close();
    await coordinator?.stop();
    await database.destroy();
  };
  const once = () => {
    stopped ??= stop();
    return stopped;
  };
  t.after(once);
  return { address, database, stop: once };
}

/** An owner's custodian with one dataset, granted to the requester; its body is nowhere. */
async function startOwner(t: TestContext, { folder, clock, coordinators, grantee }: OwnerOptions) {
  const owner = walletNamed('owner');
  const identity = testIdentity();
  const own = mkdtempSync(join(folder, 'owner-'));
  const common = { network, crypto: nodeCrypto, now: clock.now, logger };
  const custody = await openCustody({ ...common, folder: own });
  t.after(() => custody.close());
  const { address } = await startTestNode(
    t,
    (listener) => {
      createCustodian({ ...common, custody, identity, listener, coordinators });
    },
    { identity, now: clock.now },
  );
  const endpoint = { host: '127.0.0.1', port: address.port };
  custody.setCustodian(await signedCustodian(owner, { nodeId: identity.nodeId, endpoint }));
  const dataset = await sealedDataset(owner, custody.publicKey);
  const grant = await signedGrant(owner, { dataset: dataset.id, grantee });
  let head: { readonly id: Digest; readonly number: number } | null = null;
  const addHead = async (revoked: readonly Digest[]) => {
    const number: number = (head?.number ?? 0) + 1;
    const next = await signedHead(owner, {
      ...{ number, previous: head?.id ?? null, revoked: [...revoked] },
      custodian: toHex(identity.signingKey.publicKey),
    });
    custody.addHead(next.signed);
    head = { id: next.id, number };
  };
  return { address, dataset, grant, addHead };
}

interface OwnerOptions {
  readonly folder: string;
  readonly clock: Clock;
  readonly coordinators: readonly NodeIdentity['nodeId'][];
  readonly grantee: string;
}

/** A requester with a job for the owner's dataset, and three nodes of as many operators. */
export async function setUp(
  t: TestContext,
  folder: string,
  { hasHead = true, change = {} }: SetUp = {},
) {
  const clock = tickingClock();
  const identity = testIdentity();
  const database = join(mkdtempSync(join(folder, 'coordinator-')), 'coordinator.sqlite');
  const coordinator = await startCoordinator(t, { clock, database, identity });
  const account = await testAccount(['list', 'cancel', 'submit']);
  const grantee = account.wallet.address;
  const owner = await startOwner(t, { folder, clock, coordinators: [identity.nodeId], grantee });
  if (hasHead) await owner.addHead([]);
  const nodes = [];
  for (const operator of OPERATORS) {
    const { address, database: rows } = coordinator;
    const hardware = { ...registrationOf(1).hardware, tools: TOOLS };
    nodes.push(
      await startComputeNode(t, {
        ...{ coordinator: address, database: rows, network, operator, now: clock.now },
        change: { hardware },
      }),
    );
  }
  const keeper = { crypto: nodeCrypto, network, coordinator: identity.nodeId };
  const signed = await signedJob(
    { keeper: { ...keeper, secretKey: identity.signingKey.secretKey }, requester: account.wallet },
    {
      issuedAtMs: clock.now(),
      parameters: {},
      datasets: [
        {
          dataset: owner.dataset.id,
          grant: owner.grant.id,
          custodian: formatNodeAddress(owner.address),
          vaults: [formatNodeAddress(vault)],
        },
      ],
      ...change,
    },
  );
  const body = {
    job: toBase64(encodeDocument(signed)),
    evidence: [
      {
        manifest: toBase64(encodeDocument(owner.dataset.manifest)),
        grant: toBase64(encodeDocument(owner.grant.signed)) as string | null,
      },
    ],
  };
  const requester = channelOf(t, coordinator.address, account, clock.now);
  return { clock, identity, database, coordinator, account, owner, nodes, body, requester };
}

export interface SetUp {
  /** False for a custodian that attests no head yet. */
  readonly hasHead?: boolean;
  readonly change?: Partial<NetworkJob>;
}

type World = Awaited<ReturnType<typeof setUp>>;

/** The job when `holds`; fails with what it last was. */
export async function jobWhen(
  requester: Channel,
  jobId: Digest,
  holds: (job: NetworkJobView) => boolean,
): Promise<NetworkJobView> {
  for (let look = 1; ; look += 1) {
    const job = await requester.call('getNetworkJob', { params: { jobId } });
    if (holds(job)) return job;
    assert.ok(look < LOOKS_MAX, JSON.stringify(job));
    await delay(LOOK_MS);
  }
}

export const attemptsOf = (job: NetworkJobView) => job.tasks[0]?.attempts ?? [];
export const isPlaced = (job: NetworkJobView) =>
  attemptsOf(job).some(({ state }) => state === 'OFFERED');

export async function offeredTo(nodes: World['nodes']) {
  const taken = [];
  for (const { identity, channel } of nodes) {
    const [offer] = await channel.call('listOffers', {});
    if (offer !== undefined) taken.push({ identity, channel, offer });
  }
  return taken;
}

type Offered = Awaited<ReturnType<typeof offeredTo>>[number];

export function refOf({ offer: { attemptId, fencingToken } }: Offered) {
  return { attemptId, fencingToken };
}

/** What the node binds itself to, and shows. */
export function saidBy({ identity, offer }: Offered, resultDigest: Digest) {
  const { attemptId, fencingToken, taskId } = offer;
  const { nodeId } = identity;
  const named = { network, taskId, attemptId, fencingToken, nodeId };
  const salt = toHex(nodeCrypto.sha256(encodeDocument([attemptId])));
  const reveal: Reveal = { type: 'helixmesh/reveal/v1', ...named, resultDigest, salt };
  const commit = commitOf(nodeCrypto, reveal);
  const statement: CommitStatement = { type: 'helixmesh/commit-statement/v1', ...named, commit };
  const { secretKey } = identity.signingKey;
  const text = (document: Reveal | CommitStatement) =>
    toBase64(encodeDocument(signWithKey(nodeCrypto, secretKey, document as Reveal)));
  return { statement: text(statement), reveal: text(reveal) };
}

export async function claimAll(offered: readonly Offered[]): Promise<void> {
  for (const each of offered) await each.channel.call('claimOffer', { body: refOf(each) });
}

/** Every node commits, then every node reveals. */
export async function finish(
  offered: readonly Offered[],
  results: readonly Digest[],
): Promise<void> {
  for (const route of ['commitResult', 'revealResult'] as const) {
    for (const [i, each] of offered.entries()) {
      const { statement, reveal } = saidBy(each, results[i] ?? RESULT);
      if (route === 'commitResult') await each.channel.call(route, { body: { statement } });
      else await each.channel.call(route, { body: { reveal } });
    }
  }
}

/** The same job with another nonce. */
export async function submitAgain({
  account,
  identity,
  clock,
  body,
  requester,
}: World): Promise<Digest> {
  const { document } = JSON.parse(Buffer.from(body.job, 'base64').toString('utf8'));
  const { secretKey } = identity.signingKey;
  const keeper = { crypto: nodeCrypto, network, coordinator: identity.nodeId, secretKey };
  const nonce = toHex(nodeCrypto.random(16));
  const change = { ...document, nonce, issuedAtMs: clock.now() };
  const signed = await signedJob({ keeper, requester: account.wallet }, change);
  const sent = { ...body, job: toBase64(encodeDocument(signed)) };
  return (await requester.call('submitNetworkJob', { body: sent })).jobId;
}
