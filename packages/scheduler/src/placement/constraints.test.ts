import assert from 'node:assert/strict';
import { test } from 'node:test';
import { datasetIdSchema } from '../ids.ts';
import { LICENCE_AGE_MAX_MS } from '../limits.ts';
import type { NodeFacts } from '../node/facts.ts';
import { toolSetOf } from '../quorum/reputation.ts';
import {
  CITIES,
  inputOf,
  NOW_MS,
  nodeOf,
  OWNER,
  operatorOf,
  requestOf,
  TOOLS,
} from '../testing/fleet.ts';
import { decide, place } from './decision.ts';
import { FAILURES, type Failure } from './failure.ts';
import type { MeasuredRtt } from './paths.ts';
import { fleetOf } from './rank.ts';
import type { PlacementInput, PlacementRequest } from './request.ts';
import { DEFAULT_POLICY } from './weighted.ts';

interface Case {
  readonly node?: Partial<NodeFacts>;
  readonly request?: Partial<PlacementRequest>;
  readonly input?: Partial<PlacementInput>;
  readonly rtt?: MeasuredRtt;
}

function failuresIn({ node = {}, request = {}, input = {}, rtt }: Case): readonly Failure[] {
  const facts = nodeOf(1, node);
  const arguments_ = {
    fleet: fleetOf([facts]),
    request: requestOf({ inputs: [inputOf(input)], ...request }),
    policy: DEFAULT_POLICY,
    nowMs: NOW_MS,
    measured: new Map(rtt === undefined ? [] : [[facts.nodeId, rtt]]),
  };
  const record = decide(arguments_);
  assert.deepEqual(place(arguments_), record.outcome, 'the fast choice disagrees with the table');
  return record.candidates[0]?.failed ?? assert.fail('the node was not evaluated');
}

function failuresAsText(example: Case): string {
  return failuresIn(example)
    .map(({ constraint, reason }) => `${constraint}: ${reason}`)
    .join(', ');
}

const { policy } = inputOf();
const attested = { untilMs: NOW_MS + 1, isNetworkAttested: true };
const granted = {
  standing: 'granted' as const,
  pipelines: 'any' as const,
  zones: 'any' as const,
  isCommercialAllowed: true,
  untilMs: null,
  checkedAtMs: NOW_MS,
};
const everywhere = { zones: 'any' as const, trustedOperators: [] };

const CASES: Readonly<Record<string, Case>> = {
  'standing: not_verified': { node: { admission: 'pending_verification' } },
  'standing: operator_unverified': {
    node: { statement: null },
    input: {
      residency: { zones: 'any', trustedOperators: [] },
      policy: { ...policy, zones: 'any' },
    },
  },
  'standing: registration_expired': { node: { isRegistrationValid: false } },
  'standing: tool_set_banned': { node: { bannedToolSets: [toolSetOf(TOOLS)] } },
  'liveness: busy': { node: { liveness: 'busy' } },
  'liveness: draining': { node: { liveness: 'draining' } },
  'liveness: offline': { node: { liveness: 'offline' } },
  'services: service_missing': { node: { services: ['bioip'] } },
  'tools: tool_missing': { node: { tools: { bwa: '0.7.17', samtools: '1.16.1' } } },
  'tools: tool_version': { node: { tools: { ...TOOLS, freebayes: '1.3.7' } } },
  'cores: cores_short': { node: { freeCores: 3 } },
  'memory: memory_short': { node: { freeMemoryBytes: 2 ** 34 - 1 } },
  'disk: disk_short': { node: { freeDiskBytes: 1 } },
  'gpu: gpu_missing': { node: { freeGpuVramBytes: [] } },
  'gpu: vram_short': { node: { freeGpuVramBytes: [2 ** 30, 2 ** 30] } },
  'sandbox: sandbox_weak': {
    node: { sandbox: 'weak' },
    input: { owner: operatorOf(1) },
  },
  'sandbox: third_party_data': { node: { sandbox: 'weak' }, request: { sandbox: 'process' } },
  'licence: licence_denied': { input: { licence: { standing: 'denied' } } },
  'licence: licence_unknown': { input: { licence: { standing: 'unknown' } } },
  'licence: licence_expired': { input: { licence: { ...granted, untilMs: NOW_MS } } },
  'licence: licence_stale': {
    input: { licence: { ...granted, checkedAtMs: NOW_MS - LICENCE_AGE_MAX_MS } },
  },
  'licence_terms: pipeline_not_granted': {
    input: { licence: { ...granted, pipelines: ['annotate'] } },
  },
  'licence_terms: commercial_not_granted': {
    request: { isCommercial: true },
    input: { licence: { ...granted, isCommercialAllowed: false } },
  },
  'licence_terms: zone_not_granted': { input: { licence: { ...granted, zones: ['FR'] } } },
  'residency: zone_outside': {
    input: { residency: { zones: ['FR'], trustedOperators: [] } },
  },
  'owner_zones: zone_outside': { input: { policy: { ...policy, zones: ['FR'] } } },
  'owner_pipelines: pipeline_refused': { input: { policy: { ...policy, pipelines: [] } } },
  'owner_operators: operator_refused': {
    input: { policy: { ...policy, operators: [operatorOf(2)] } },
  },
  'owner_tiers: tier_refused': { input: { policy: { ...policy, tiers: ['storage'] } } },
  'plaintext_cap: plaintext_operators': {
    input: { plaintextOperators: [operatorOf(2), operatorOf(3)] },
  },
  'user_latency: latency_unknown': { request: { requesterLocation: null } },
  'user_latency: latency_high': { rtt: { userMs: 201, inputMs: [null] } },
  'data_latency: latency_unknown': { input: { places: [{ nodeId: null, location: null }] } },
  'data_latency: latency_high': { rtt: { userMs: null, inputMs: [200.5] } },
  'price: price_high': { request: { maxPriceMicroUsd: 5_339_999 } },
  'requester_operators: operator_refused': { request: { operators: [operatorOf(2)] } },
  'requester_zones: zone_outside': { request: { zones: ['FR'] } },
  'distinct_operator: operator_taken': { request: { takenOperators: [operatorOf(1)] } },
};

/** Each reason a zone does not count, whoever asks for it. */
const ZONES: Readonly<Record<string, Partial<NodeFacts>>> = {
  zone_unknown: { statement: null },
  zone_expired: { statement: { zones: ['DE', 'EU'], ...attested, untilMs: NOW_MS } },
  zone_unattested: { statement: { zones: ['DE', 'EU'], ...attested, isNetworkAttested: false } },
  zone_implausible: { isLocationPlausible: false },
};

test('a fit node fails nothing', () => {
  assert.equal(failuresAsText({}), '');
  assert.equal(failuresAsText({ rtt: { userMs: 200, inputMs: [200] } }), '');
  assert.equal(failuresAsText({ request: { maxPriceMicroUsd: 5_340_000 } }), '');
});

for (const [expected, example] of Object.entries(CASES)) {
  test(`alone refuses: ${expected}`, () => assert.equal(failuresAsText(example), expected));
}

/** Without a statement in force nobody has shown who the operator is. */
const UNVERIFIED = ['zone_unknown', 'zone_expired'];

for (const [reason, node] of Object.entries(ZONES)) {
  test(`residency, owner and requester refuse a zone that does not count: ${reason}`, () => {
    const failures = (example: Case) =>
      failuresAsText({ node, ...example }).replace(/^standing: operator_unverified(, )?/, '');
    const isUnverified = failuresAsText({ node }).startsWith('standing: operator_unverified');
    assert.equal(isUnverified, UNVERIFIED.includes(reason));
    assert.equal(failures({}), `residency: ${reason}, owner_zones: ${reason}`);
    const onlyOwner = { residency: everywhere };
    assert.equal(failures({ input: onlyOwner }), `owner_zones: ${reason}`);
    const anywhere = { ...onlyOwner, policy: { ...policy, zones: 'any' as const } };
    assert.equal(failures({ input: anywhere }), '');
    const asked = { input: anywhere, request: { zones: ['EU'] } };
    assert.equal(failures(asked), `requester_zones: ${reason}`);
  });
}

test('every reason of the table has a case here', () => {
  const zones = Object.keys(ZONES).flatMap((reason) => [
    `residency: ${reason}`,
    `owner_zones: ${reason}`,
    `requester_zones: ${reason}`,
  ]);
  const known = Object.entries(FAILURES).flatMap(([constraint, reasons]) =>
    reasons.map((reason) => `${constraint}: ${reason}`),
  );
  assert.deepEqual(new Set([...Object.keys(CASES), ...zones]), new Set(known));
});

test('an operator whom the owner names needs no attestation of the network', () => {
  const node = { statement: { zones: ['DE', 'EU'], ...attested, isNetworkAttested: false } };
  const residency = { zones: ['EU'], trustedOperators: [operatorOf(1)] };
  assert.equal(failuresAsText({ node, input: { residency } }), '');
});

test('a weak sandbox takes the data of its own operator when the request allows it', () => {
  const node: Partial<NodeFacts> = { sandbox: 'process', operator: OWNER };
  assert.equal(failuresAsText({ node, request: { sandbox: 'process' } }), '');
  assert.equal(failuresAsText({ node, request: { sandbox: 'weak' } }), 'sandbox: sandbox_weak');
});

test('the owner needs no licence, and an operator who has seen the data may see it again', () => {
  assert.equal(failuresAsText({ input: { licence: { standing: 'owner' } } }), '');
  const plaintextOperators = [operatorOf(1), operatorOf(2)];
  assert.equal(failuresAsText({ input: { plaintextOperators } }), '');
});

test('each input refuses for itself, and the failure says which', () => {
  const second = inputOf({
    datasetId: datasetIdSchema.parse('dataset-2'),
    licence: { standing: 'unknown' },
    residency: { zones: ['SG'], trustedOperators: [] },
  });
  assert.deepEqual(failuresIn({ request: { inputs: [inputOf(), second] } }), [
    { constraint: 'licence', reason: 'licence_unknown', input: 1 },
    { constraint: 'residency', reason: 'zone_outside', input: 1 },
  ]);
});

test('a licence checked in the future is stale, and tool names of the prototype are no tools', () => {
  const licence = { ...granted, checkedAtMs: NOW_MS + 1 };
  assert.equal(failuresAsText({ input: { licence } }), 'licence: licence_stale');
  const toolVersions = { constructor: '1' };
  assert.equal(failuresAsText({ request: { toolVersions } }), 'tools: tool_missing');
});

test('a copy on the node itself has no latency', () => {
  const { nodeId } = nodeOf(1);
  const places = [{ nodeId, location: null }];
  assert.equal(failuresAsText({ input: { places }, request: { maxDataLatencyMs: 0 } }), '');
});

test('an unmeasured path is judged by its length', () => {
  const node = { location: CITIES.singapore };
  const to = (maxDataLatencyMs: number) =>
    failuresAsText({ node, request: { maxUserLatencyMs: null, maxDataLatencyMs } });
  assert.equal(to(199), 'data_latency: latency_high');
  assert.equal(to(201), '');
});
