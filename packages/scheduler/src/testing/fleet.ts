/** Nodes, requests and whole fleets for tests and measurements, the same for the same numbers. */
import type { Location } from '../geo/distance.ts';
import { datasetIdSchema, nodeIdSchema, type OperatorId, operatorIdSchema } from '../ids.ts';
import type { NodeFacts } from '../node/facts.ts';
import {
  REGISTRATION_TYPE,
  type Registration,
  registrationSchema,
  ZONE_STATEMENT_TYPE,
} from '../node/registration.ts';
import type { PlacementInput, PlacementRequest } from '../placement/request.ts';

export const NOW_MS = 1_800_000_000_000;
const DAY_MS = 24 * 3_600_000;
const GIB = 2 ** 30;
const TB = 1e12;

export const TOOLS: Readonly<Record<string, string>> = {
  bwa: '0.7.17',
  samtools: '1.16.1',
  freebayes: '1.3.6',
};

export const CITIES = {
  mexicoCity: { latitude: 19.4326, longitude: -99.1332 },
  sanFrancisco: { latitude: 37.7749, longitude: -122.4194 },
  paloAlto: { latitude: 37.4419, longitude: -122.143 },
  austin: { latitude: 30.2672, longitude: -97.7431 },
  saoPaulo: { latitude: -23.5505, longitude: -46.6333 },
  tokyo: { latitude: 35.6762, longitude: 139.6503 },
  singapore: { latitude: 1.3521, longitude: 103.8198 },
  athens: { latitude: 37.9838, longitude: 23.7275 },
  lisbon: { latitude: 38.7223, longitude: -9.1393 },
  berlin: { latitude: 52.52, longitude: 13.405 },
} as const satisfies Readonly<Record<string, Location>>;

export function nodeIdOf(n: number) {
  return nodeIdSchema.parse(`node_${n.toString(16).padStart(64, '0')}`);
}

export function operatorOf(n: number): OperatorId {
  return operatorIdSchema.parse(`0x${n.toString(16).padStart(40, '0')}`);
}

/** Whose data the requests of this file are about. */
export const OWNER = operatorIdSchema.parse(`0x${'f'.repeat(40)}`);

const NETWORK = `sha256:${'0'.repeat(64)}`;

const PRICES = {
  coreHourMicroUsd: 40_000,
  gpuHourMicroUsd: 2_000_000,
  transferGibMicroUsd: 20_000,
  storageGibMonthMicroUsd: 23_000,
};

/** A sound registration of node `n`; nobody has signed its zone statement. */
export function registrationOf(n: number): Registration {
  return registrationSchema.parse({
    type: REGISTRATION_TYPE,
    network: NETWORK,
    nodeId: nodeIdOf(n),
    operator: operatorOf(n),
    endpoint: `https://node-${n}.example:8443`,
    location: CITIES.berlin,
    zoneStatement: {
      document: {
        type: ZONE_STATEMENT_TYPE,
        network: NETWORK,
        nodeId: nodeIdOf(n),
        operator: operatorOf(n),
        zones: ['DE', 'EU'],
        untilMs: NOW_MS + 30 * DAY_MS,
      },
      signature: `0x${'1'.repeat(130)}`,
    },
    hardware: {
      cores: 32,
      memoryBytes: 128 * GIB,
      diskBytes: 5 * TB,
      gpus: [{ model: 'NVIDIA A100', vramBytes: 80 * GIB }],
      tools: TOOLS,
      sandbox: 'strong',
    },
    services: ['bioip', 'trio'],
    prices: PRICES,
    slots: 4,
    sequence: 1,
    issuedAtMs: NOW_MS - DAY_MS,
    expiresAtMs: NOW_MS + 30 * DAY_MS,
  });
}

/** Facts of node `n` that meet every constraint of `requestOf()`. */
export function nodeOf(n: number, change: Partial<NodeFacts> = {}): NodeFacts {
  return {
    nodeId: nodeIdOf(n),
    operator: operatorOf(n),
    tier: 'gpu',
    admission: 'available',
    liveness: 'online',
    isRegistrationValid: true,
    services: ['bioip', 'trio'],
    tools: TOOLS,
    freeCores: 32,
    freeMemoryBytes: 128 * GIB,
    freeDiskBytes: 5 * TB,
    freeGpuVramBytes: [80 * GIB],
    sandbox: 'strong',
    statement: { zones: ['DE', 'EU'], untilMs: NOW_MS + DAY_MS, isNetworkAttested: true },
    location: CITIES.berlin,
    isLocationPlausible: true,
    prices: PRICES,
    uptimeBps: 10_000,
    bannedToolSets: [],
    ...change,
  };
}

/** A dataset in Berlin whose owner lets EU nodes see it, two operators at most. */
export function inputOf(change: Partial<PlacementInput> = {}): PlacementInput {
  return {
    datasetId: datasetIdSchema.parse('dataset-1'),
    owner: OWNER,
    sizeBytes: 150 * GIB,
    places: [{ nodeId: null, location: CITIES.berlin }],
    residency: { zones: ['EU'], trustedOperators: [] },
    policy: {
      pipelines: ['germline'],
      zones: ['EU'],
      operators: 'any',
      tiers: 'any',
      plaintextOperatorsMax: 2,
    },
    licence: {
      standing: 'granted',
      pipelines: ['germline'],
      zones: 'any',
      isCommercialAllowed: false,
      untilMs: null,
      checkedAtMs: NOW_MS - 1_000,
    },
    plaintextOperators: [],
    ...change,
  };
}

/** One shard of a germline analysis on `inputOf()`, with a GPU. */
export function requestOf(change: Partial<PlacementRequest> = {}): PlacementRequest {
  return {
    taskId: 'task-1',
    pipeline: 'germline',
    isCommercial: false,
    services: ['trio'],
    toolVersions: TOOLS,
    cores: 4,
    memoryBytes: 16 * GIB,
    diskBytes: 300 * GIB,
    gpu: { count: 1, vramBytes: 40 * GIB },
    sandbox: 'strong',
    zones: 'any',
    operators: 'any',
    requesterLocation: CITIES.lisbon,
    inputs: [inputOf()],
    maxUserLatencyMs: 200,
    maxDataLatencyMs: 200,
    usage: { coreSeconds: 28_800, gpuSeconds: 3_600, transferBytes: 151 * GIB },
    maxPriceMicroUsd: 10_000_000,
    replicas: 1,
    takenOperators: [],
    onShortfall: 'wait',
    ...change,
  };
}

/** mulberry32: small, good enough to scatter nodes, and the same everywhere. */
function randomOf(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
}

/**
 * A network of `count` nodes of `count / 4` operators, all over the world: half of them in the EU,
 * most of them fit for `requestOf()`, the others failing one thing or several.
 */
export function randomFleet(count: number, seed: number): NodeFacts[] {
  const random = randomOf(seed);
  const pick = <T>(from: readonly T[]): T => from[Math.floor(random() * from.length)] as T;
  return Array.from({ length: count }, (_, n) => {
    const isInEu = random() < 0.5;
    const country = isInEu
      ? pick(['DE', 'BE', 'CZ', 'AT'])
      : pick(['US-CA', 'MX', 'BR', 'SG', 'JP']);
    const zones = isInEu ? [country, 'EU'] : [country];
    return nodeOf(n, {
      operator: operatorOf(Math.floor(n / 4)),
      tier: pick(['basic', 'gpu', 'storage', 'ai']),
      liveness: random() < 0.8 ? 'online' : pick(['busy', 'draining', 'offline']),
      tools: { ...TOOLS, fastp: '0.23.2', bcftools: pick(['1.16', '1.17']) },
      freeCores: Math.floor(random() * 64),
      freeGpuVramBytes: random() < 0.7 ? [80 * GIB, 40 * GIB] : [],
      sandbox: random() < 0.9 ? 'strong' : 'weak',
      statement: { zones, untilMs: NOW_MS + DAY_MS, isNetworkAttested: random() < 0.95 },
      location: isInEu ? inEurope(random) : anywhere(random),
      uptimeBps: Math.floor(random() * 10_001),
    });
  });
}

/** A network in which every node meets `requestOf()`: the most work for a ranking. */
export function fitFleet(count: number, seed: number): NodeFacts[] {
  const random = randomOf(seed);
  return Array.from({ length: count }, (_, n) =>
    nodeOf(n, {
      operator: operatorOf(Math.floor(n / 4)),
      location: inEurope(random),
      uptimeBps: Math.floor(random() * 10_001),
    }),
  );
}

function inEurope(random: () => number): Location {
  return { latitude: 37 + random() * 20, longitude: -9 + random() * 33 };
}

function anywhere(random: () => number): Location {
  return { latitude: -60 + random() * 120, longitude: -180 + random() * 360 };
}
