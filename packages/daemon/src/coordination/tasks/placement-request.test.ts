import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Digest, TaskId } from '@helixmesh/protocol';
import { nodeCrypto } from '@helixmesh/protocol/node';
import type { Grant, Manifest, NetworkJob } from '@helixmesh/protocol/sealing';
import {
  DEFAULT_POLICY,
  decide,
  fleetOf,
  LIST_MAX,
  type NodeFacts,
  quoteMicroUsd,
  referenceService,
  requestSchema,
} from '@helixmesh/scheduler';
import { NOW_MS, nodeOf, operatorOf } from '@helixmesh/scheduler/testing/fleet';
import fc from 'fast-check';
import { network, sealedDataset, signedGrant, walletNamed } from '../../testing/sealed-dataset.ts';
import { needsOf } from './needs.ts';
import { type DatasetFacts, type PlacementFacts, placementRequest } from './placement-request.ts';
import { signedJob } from './testing/task-bench.ts';
import { commonTools, toolsService } from './tool-groups.ts';

const owner = walletNamed('owner');
const requester = walletNamed('requester');
const coordinator = nodeOf(99).nodeId;
const REFERENCE = `sha256:${'5'.repeat(64)}` as Digest;
const TOOLS = {
  bcftools: '1.16',
  bgzip: '1.16',
  bwa: '0.7.17',
  fastp: '0.23.2',
  freebayes: '1.3.6',
  helixmesh: '2',
  samtools: '1.16.1',
  tabix: '1.16',
};

/** A node that may do the job of `factsOf`. */
function computeOf(n: number, change: Partial<NodeFacts> = {}): NodeFacts {
  const tools = change.tools ?? TOOLS;
  const services = ['compute', referenceService(REFERENCE), toolsService(nodeCrypto, tools)];
  return nodeOf(n, { tools, services, ...change });
}

interface Change {
  readonly job?: Partial<NetworkJob>;
  readonly manifest?: Partial<Manifest>;
  readonly grant?: Partial<Grant>;
  readonly dataset?: Partial<DatasetFacts>;
  readonly task?: Partial<PlacementFacts['task']>;
  readonly tools?: PlacementFacts['tools'];
}

const WHOLE = { kind: 'whole' } as const;

/** One granted dataset of the owner's, for the requester. */
async function factsOf(change: Change = {}): Promise<PlacementFacts> {
  const sealed = await sealedDataset(owner, walletKey(), { changes: change.manifest ?? {} });
  const grant = await signedGrant(owner, {
    dataset: sealed.id,
    grantee: requester.address,
    ...change.grant,
  });
  const keeper = { crypto: nodeCrypto, network, coordinator, secretKey: walletKey() };
  const parameters = { reference: REFERENCE };
  const { document } = await signedJob({ keeper, requester }, { parameters, ...change.job });
  return {
    task: {
      taskId: `task_${'1'.repeat(32)}` as TaskId,
      name: 'main',
      count: document.redundancy,
      takenOperators: [],
      ...change.task,
    },
    job: document,
    datasets: [
      {
        dataset: sealed.id,
        manifest: sealed.manifest,
        grant: grant.signed,
        isRevoked: false,
        attestedAtMs: NOW_MS - 1_000,
        places: [],
        plaintextOperators: [],
        ...change.dataset,
      },
    ],
    tools: change.tools === undefined ? TOOLS : change.tools,
  };
}

function walletKey(): Uint8Array {
  return nodeCrypto.x25519(new Uint8Array(32).fill(7), BASE_POINT) ?? assert.fail();
}

const BASE_POINT = Uint8Array.from({ length: 32 }, (_, i) => (i === 0 ? 9 : 0));

/** The decision over nodes of different operators, and why the first of them is refused. */
async function decided(change: Change = {}, nodes = [computeOf(1), computeOf(2), computeOf(3)]) {
  const request = placementRequest(nodeCrypto, await factsOf(change));
  assert.deepEqual(requestSchema.parse(request), request, 'what is recorded can be read again');
  const { outcome, candidates } = decide({
    ...{ fleet: fleetOf(nodes), request, policy: DEFAULT_POLICY, nowMs: NOW_MS },
  });
  const failed = (candidates[0]?.failed ?? []).map((each) => `${each.constraint}: ${each.reason}`);
  return { outcome, failed, request };
}

test('a granted job is placed on as many operators as it asks for', async () => {
  const { outcome, failed } = await decided();
  assert.deepEqual(failed, []);
  assert.equal(outcome.status, 'placed');
  assert.equal(outcome.chosen.length, 2);
});

test('a grant that is revoked, has ended or was not confirmed lately is no licence', async () => {
  const cases: readonly (readonly [Change, string])[] = [
    [{ dataset: { isRevoked: true } }, 'licence: licence_denied'],
    [{ grant: { untilMs: NOW_MS } }, 'licence: licence_expired'],
    [{ dataset: { attestedAtMs: NOW_MS - 3_600_000 } }, 'licence: licence_stale'],
  ];
  for (const [change, expected] of cases) {
    const { failed, outcome } = await decided(change);
    assert.deepEqual([failed, outcome.status], [[expected], 'wait']);
  }
  const own = await decided({ dataset: { grant: null, isRevoked: false } });
  assert.equal(own.outcome.status, 'placed', 'an owner needs none');
});

test('terms of grant and manifest bind what a job may do, and where', async () => {
  const terms = { pipelines: null, commercialUse: false, zones: null };
  const constraints = (await factsOf()).job.constraints;
  const cases: readonly (readonly [Change, string])[] = [
    [
      { grant: { terms: { ...terms, pipelines: ['annotate'] } } },
      'licence_terms: pipeline_not_granted',
    ],
    [{ grant: { terms: { ...terms, zones: ['MX'] } } }, 'licence_terms: zone_not_granted'],
    [
      { grant: { terms }, job: { constraints: { ...constraints, isCommercial: true } } },
      'licence_terms: commercial_not_granted',
    ],
    [
      { manifest: { terms: { ...terms, pipelines: ['annotate'] } } },
      'owner_pipelines: pipeline_refused',
    ],
    [{ manifest: { terms: { ...terms, zones: ['MX'] } } }, 'owner_zones: zone_outside'],
    [{ manifest: { residency: ['MX'] } }, 'residency: zone_outside'],
    [{ job: { constraints: { ...constraints, zones: ['MX'] } } }, 'requester_zones: zone_outside'],
    [
      { job: { constraints: { ...constraints, operators: [operatorOf(9)] } } },
      'requester_operators: operator_refused',
    ],
  ];
  for (const [change, expected] of cases) {
    assert.deepEqual((await decided(change)).failed, [expected]);
  }
  const inside = { manifest: { residency: ['EU'] }, grant: { terms: { ...terms, zones: ['DE'] } } };
  assert.deepEqual((await decided(inside)).failed, []);
});

test('a node whose operator has signed nothing, or whose word nobody vouches for, gets nothing', async () => {
  const others = [computeOf(2), computeOf(3)];
  const unsigned = await decided({}, [computeOf(1, { statement: null }), ...others]);
  assert.deepEqual(unsigned.failed, ['standing: operator_unverified']);
  assert.equal(unsigned.outcome.chosen.length, 2);
  const statement = { zones: ['DE', 'EU'], untilMs: NOW_MS + 1, isNetworkAttested: false };
  const change = { manifest: { residency: ['EU'] } };
  const unknown = await decided(change, [computeOf(1, { statement }), ...others]);
  assert.deepEqual(unknown.failed, ['residency: zone_unattested']);
  const unverified = await decided({}, [computeOf(1, { admission: 'registered' }), ...others]);
  assert.deepEqual(unverified.failed, ['standing: not_verified']);
});

test('the maximum price is for all replicas, and a node that asks for more is refused', async () => {
  const { usage } = needsOf(
    [(await factsOf()).datasets[0]?.manifest.document.bodyBytes ?? 0],
    WHOLE,
  );
  const quote = quoteMicroUsd(computeOf(1).prices, usage);
  const enough = await decided({ job: { maxPriceMicroUsd: String(2 * quote) } });
  assert.deepEqual([enough.failed, enough.request.maxPriceMicroUsd], [[], quote]);
  const short = await decided({ job: { maxPriceMicroUsd: String(2 * quote - 1) } });
  assert.deepEqual([short.failed, short.outcome.status], [['price: price_high'], 'wait']);
});

test('with too few operators a job waits, or runs once where it says so', async () => {
  const nodes = [computeOf(1), computeOf(2, { operator: operatorOf(1) })];
  assert.equal((await decided({}, nodes)).outcome.status, 'wait');
  const constraints = { ...(await factsOf()).job.constraints, onShortfall: 'run_once' as const };
  const once = await decided({ job: { constraints } }, nodes);
  assert.deepEqual([once.outcome.status, once.outcome.chosen.length], ['run_once', 1]);
  const task = { count: 1, takenOperators: [operatorOf(1)] };
  assert.equal((await decided({ job: { constraints }, task }, nodes)).outcome.status, 'wait');
});

test('third-party data needs a strong sandbox, and as much machine as its size says', async () => {
  const constraints = { ...(await factsOf()).job.constraints, needsStrongSandbox: false };
  const weak = await decided({ job: { constraints } }, [computeOf(1, { sandbox: 'weak' })]);
  assert.deepEqual(weak.failed, ['sandbox: third_party_data']);
  const small = { freeMemoryBytes: 2 ** 29, freeDiskBytes: 2 ** 29, freeCores: 0 };
  const { failed } = await decided({}, [computeOf(1, small)]);
  assert.deepEqual(failed, ['cores: cores_short', 'memory: memory_short', 'disk: disk_short']);
});

test('only nodes with the same tools, no more and no less, and with the reference are asked', async () => {
  const more = { ...TOOLS, minimap2: '2.24' };
  const other = { ...TOOLS, samtools: '1.17' };
  assert.deepEqual((await decided({}, [computeOf(1, { tools: more })])).failed, [
    'services: service_missing',
  ]);
  assert.deepEqual((await decided({}, [computeOf(1, { tools: other })])).failed, [
    'services: service_missing',
    'tools: tool_version',
  ]);
  const services = ['compute', toolsService(nodeCrypto, TOOLS)];
  assert.deepEqual((await decided({}, [computeOf(1, { services })])).failed, [
    'services: service_missing',
  ]);
  const none = await decided({ tools: null });
  assert.deepEqual(none.failed, ['services: service_missing'], 'nobody has what it takes');
});

test('the tools of most operators are chosen, of those who can do the job, in any order', () => {
  const rare = { ...TOOLS, samtools: '1.15' };
  const { bwa: _bwa, ...unable } = TOOLS;
  const nodes = [
    ...[1, 2].map((n) => computeOf(n)),
    // Three nodes of one operator, who could else decide alone.
    ...[3, 4, 5].map((n) => computeOf(n, { operator: operatorOf(3), tools: rare })),
    ...[6, 7, 8].map((n) => computeOf(n, { tools: unable })),
    ...[9, 10, 11].map((n) => computeOf(n, { tools: rare, admission: 'registered' })),
    ...[12, 13, 14].map((n) => computeOf(n, { tools: rare, liveness: 'offline' })),
  ];
  fc.assert(
    fc.property(fc.shuffledSubarray(nodes, { minLength: nodes.length }), (shuffled) => {
      assert.deepEqual(commonTools(shuffled, {}), TOOLS);
    }),
  );
  assert.equal(commonTools(nodes, { aligner: 'minimap2' }), null);
  assert.deepEqual(commonTools([computeOf(6, { tools: unable })], {}), null);
});

test('an operator who saw the data may see it again, and the list has an end', async () => {
  const seen = Array.from({ length: LIST_MAX + 5 }, (_, n) => operatorOf(n + 1));
  const { failed, request } = await decided({ dataset: { plaintextOperators: seen } });
  assert.deepEqual(failed, []);
  assert.equal(request.inputs[0]?.plaintextOperators.length, LIST_MAX);
});

test('needs grow with the data, stay within what the scheduler takes, and are whole numbers', () => {
  fc.assert(
    fc.property(fc.array(fc.nat({ max: 2 ** 38 + 2 ** 28 }), { maxLength: 64 }), (bodies) => {
      const { usage, memoryBytes, diskBytes, cores } = needsOf(bodies, WHOLE);
      const more = needsOf([...bodies, 2 ** 20], WHOLE);
      const ordered = (pairs: readonly (readonly [number, number])[]) =>
        pairs.every(([a, b]) => Number.isSafeInteger(a) && a >= 0 && a <= b);
      assert.ok(
        ordered([
          [usage.coreSeconds, more.usage.coreSeconds],
          [usage.transferBytes, more.usage.transferBytes],
          [memoryBytes, more.memoryBytes],
          [diskBytes, more.diskBytes],
          [cores, more.cores],
        ]),
      );
      const shape = requestSchema.shape;
      shape.usage.parse(more.usage);
      shape.memoryBytes.parse(more.memoryBytes);
      shape.diskBytes.parse(more.diskBytes);
    }),
  );
});
