import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseAttemptId } from '@helixmesh/protocol';
import { HEARTBEAT_INTERVAL_MS, OFFLINE_AFTER_MS } from '../limits.ts';
import { toolSetOf } from '../quorum/reputation.ts';
import { NOW_MS, nodeIdOf, registrationOf } from '../testing/fleet.ts';
import { factsOf, type NodeState, nodeFactsSchema } from './facts.ts';
import { type Heartbeat, heartbeatSchema } from './heartbeat.ts';

const GIB = 2 ** 30;

const beat: Heartbeat = heartbeatSchema.parse({
  v: 1,
  nodeId: nodeIdOf(1),
  sequence: 7,
  runningAttempts: 1,
  isDraining: false,
  freeCores: 28,
  freeMemoryBytes: 100 * GIB,
  freeDiskBytes: 1e12,
  gpus: [{ freeVramBytes: 60 * GIB, utilizationPercent: 20, isHeld: false }],
});

const state: NodeState = {
  registration: registrationOf(1),
  lifecycle: {
    admission: 'available',
    sequence: 1,
    slots: 4,
    held: [{ attemptId: parseAttemptId(`att_${'0'.repeat(16)}`), phase: 'executing' }],
  },
  heartbeat: { atMs: NOW_MS - HEARTBEAT_INTERVAL_MS, body: beat },
  uptime: null,
  reputations: [],
  isZoneStatementVerified: true,
  isNetworkAttested: true,
  isLocationPlausible: true,
};

test('facts join what was registered, observed and last reported', () => {
  const facts = nodeFactsSchema.parse(factsOf(state, NOW_MS));
  assert.equal(facts.liveness, 'online');
  assert.equal(facts.freeCores, 28);
  assert.deepEqual(facts.freeGpuVramBytes, [60 * GIB]);
  assert.equal(facts.tier, 'gpu');
  assert.deepEqual(facts.statement?.zones, ['DE', 'EU']);
  assert.equal(facts.isRegistrationValid, true);
});

test('a node has nothing free before its first heartbeat and is offline after its last', () => {
  const silent = factsOf({ ...state, heartbeat: null }, NOW_MS);
  assert.equal(silent.liveness, 'offline');
  assert.equal(silent.freeCores + silent.freeMemoryBytes + silent.freeDiskBytes, 0);
  assert.deepEqual(silent.freeGpuVramBytes, []);
  assert.equal(factsOf(state, NOW_MS + OFFLINE_AFTER_MS).liveness, 'offline');
});

test('a node cannot report more than was registered, and a held GPU is not free', () => {
  const gpu = { freeVramBytes: 4_000 * GIB, utilizationPercent: 0, isHeld: false };
  const boast = { ...beat, freeCores: 4_000, freeMemoryBytes: 2 ** 45, gpus: [gpu, gpu, gpu] };
  const facts = factsOf({ ...state, heartbeat: { atMs: NOW_MS, body: boast } }, NOW_MS);
  assert.equal(facts.freeCores, 32);
  assert.equal(facts.freeMemoryBytes, 128 * GIB);
  assert.deepEqual(facts.freeGpuVramBytes, [80 * GIB]);
  const held = { ...beat, gpus: [{ ...gpu, isHeld: true }] };
  const busy = factsOf({ ...state, heartbeat: { atMs: NOW_MS, body: held } }, NOW_MS);
  assert.deepEqual(busy.freeGpuVramBytes, []);
});

test('slots that the coordinator knows to be held count, whatever the node reports', () => {
  const full = { ...state, lifecycle: { ...state.lifecycle, slots: 1 } };
  const idle = { ...full, heartbeat: { atMs: NOW_MS, body: { ...beat, runningAttempts: 0 } } };
  assert.equal(factsOf(idle, NOW_MS).liveness, 'busy');
});

test('a zone without a verified statement, and a registration out of date, count for nothing', () => {
  assert.equal(factsOf({ ...state, isZoneStatementVerified: false }, NOW_MS).statement, null);
  const { expiresAtMs, issuedAtMs } = state.registration;
  assert.equal(factsOf(state, expiresAtMs).isRegistrationValid, false);
  assert.equal(factsOf(state, issuedAtMs - 1).isRegistrationValid, false);
});

test('bans are told by tool set', () => {
  const toolSet = toolSetOf({ bwa: '0.7.17' });
  const reputation = { nodeId: nodeIdOf(1), toolSet, consecutiveValid: 0, invalid: 3 };
  const fine = { ...reputation, toolSet: '{}', invalid: 2 };
  const facts = factsOf({ ...state, reputations: [reputation, fine] }, NOW_MS);
  assert.deepEqual(facts.bannedToolSets, [toolSet]);
});
