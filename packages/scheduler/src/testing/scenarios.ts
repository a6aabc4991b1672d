/**
 * The routing scenarios of the Sequentias seed as data: who asks, where the data is, which nodes
 * there are, and which node the seed says must run it.
 *
 * Scenario 4 says that Singapore is a middle between Tokyo and Europe. On the globe it is not:
 * Athens is 9,048 km from Singapore and 9,504 km from Tokyo, Berlin 9,916 km and 8,916 km. It is one
 * on the network, so that the limit on the round trip to the data is what takes Tokyo out. Between Singapore and a European node the seeds' formula decides: it chooses
 * Singapore when the European GPU is far from the data (here Lisbon), and the European one when the
 * GPU stands beside it (`gpuBesideData`). And wherever the dataset's policy does not allow
 * Singapore, Europe runs it.
 */

import type { NodeId } from '@helixmesh/protocol';
import type { Location } from '../geo/distance.ts';
import { datasetIdSchema } from '../ids.ts';
import type { NodeFacts } from '../node/facts.ts';
import type { MeasuredRtt } from '../placement/paths.ts';
import type { PlacementInput, PlacementRequest } from '../placement/request.ts';
import { CITIES, inputOf, NOW_MS, nodeIdOf, nodeOf, OWNER, requestOf } from './fleet.ts';

export interface Scenario {
  readonly title: string;
  readonly nodes: readonly NodeFacts[];
  readonly request: PlacementRequest;
  readonly measured: ReadonlyMap<NodeId, MeasuredRtt>;
  readonly expected: {
    readonly chosen: NodeId;
    /** Nodes that must be refused, with the constraints that do it. */
    readonly refused: Readonly<Record<NodeId, readonly string[]>>;
    /** Datasets that move to the chosen node before the task. */
    readonly fetched: readonly string[];
  };
}

const MIB = 2 ** 20;
const TB = 1e12;

export const NODES = {
  mexico: nodeIdOf(1),
  california: nodeIdOf(2),
  europe: nodeIdOf(3),
  brazil: nodeIdOf(4),
  austin: nodeIdOf(5),
  tokyo: nodeIdOf(6),
  singapore: nodeIdOf(7),
} as const;

interface Site {
  readonly id: NodeId;
  readonly at: Location;
  readonly zones: readonly string[];
  readonly hasGpu?: boolean;
}

function site({ id, at, zones, hasGpu = false }: Site): NodeFacts {
  const n = Number.parseInt(id.slice('node_'.length), 16);
  const services = ['bioip', 'vcf_annotator', ...(hasGpu ? ['alphagenome', 'clara'] : [])];
  return nodeOf(n, {
    tier: hasGpu ? 'gpu' : 'basic',
    location: at,
    statement: { zones: [...zones], untilMs: NOW_MS + 1, isNetworkAttested: true },
    services,
    freeGpuVramBytes: hasGpu ? [80 * 2 ** 30] : [],
    freeDiskBytes: hasGpu ? 5 * TB : TB,
  });
}

const MEXICO = site({ id: NODES.mexico, at: CITIES.mexicoCity, zones: ['MX'] });
const CALIFORNIA = site({
  id: NODES.california,
  at: CITIES.sanFrancisco,
  zones: ['US-CA'],
  hasGpu: true,
});
const BRAZIL = site({ id: NODES.brazil, at: CITIES.saoPaulo, zones: ['BR'] });
const AUSTIN = site({ id: NODES.austin, at: CITIES.austin, zones: ['US-TX'], hasGpu: true });
const TOKYO = site({ id: NODES.tokyo, at: CITIES.tokyo, zones: ['JP'], hasGpu: true });
const SINGAPORE = site({ id: NODES.singapore, at: CITIES.singapore, zones: ['SG'], hasGpu: true });

function europe(at: Location, zones: readonly string[]): NodeFacts {
  return site({ id: NODES.europe, at, zones, hasGpu: true });
}

/** `father.vcf`, 152 MB in the California vault, which may be computed on anywhere. */
function fatherVcf(holders: readonly NodeId[] = []): PlacementInput {
  return inputOf({
    datasetId: datasetIdSchema.parse('father.vcf'),
    sizeBytes: 152 * MIB,
    places: [
      { nodeId: null, location: CITIES.sanFrancisco },
      ...holders.map((nodeId) => ({ nodeId, location: null })),
    ],
    residency: { zones: 'any', trustedOperators: [] },
    policy: {
      pipelines: 'any',
      zones: 'any',
      operators: 'any',
      tiers: 'any',
      plaintextOperatorsMax: 4,
    },
    licence: {
      standing: 'granted',
      pipelines: 'any',
      zones: 'any',
      isCommercialAllowed: false,
      untilMs: null,
      checkedAtMs: NOW_MS,
    },
  });
}

/** A task without limits on latency, of half an hour on four cores. */
function task(change: Partial<PlacementRequest>): PlacementRequest {
  return requestOf({
    services: [],
    gpu: null,
    maxUserLatencyMs: null,
    maxDataLatencyMs: null,
    usage: { coreSeconds: 7_200, gpuSeconds: 0, transferBytes: 152 * MIB },
    ...change,
  });
}

const GPU = { count: 1, vramBytes: 40 * 2 ** 30 };
const GPU_USAGE = { coreSeconds: 7_200, gpuSeconds: 600, transferBytes: 152 * MIB };

const cpuInMexico: Scenario = {
  title: '1: a CPU job from Mexico City on data in California runs in Mexico, with one transfer',
  nodes: [MEXICO, CALIFORNIA, europe(CITIES.berlin, ['DE', 'EU']), BRAZIL],
  request: task({
    pipeline: 'rare_coding',
    services: ['vcf_annotator'],
    requesterLocation: CITIES.mexicoCity,
    inputs: [fatherVcf()],
  }),
  measured: new Map(),
  expected: { chosen: NODES.mexico, refused: {}, fetched: ['father.vcf'] },
};

const gpuInCalifornia: Scenario = {
  title: '2: a GPU job from Palo Alto runs in San Francisco, which has the file',
  nodes: [MEXICO, CALIFORNIA, AUSTIN, europe(CITIES.berlin, ['DE', 'EU'])],
  request: task({
    pipeline: 'alphagenome',
    services: ['alphagenome'],
    gpu: GPU,
    usage: GPU_USAGE,
    requesterLocation: CITIES.paloAlto,
    inputs: [fatherVcf([NODES.california])],
  }),
  measured: new Map(),
  expected: {
    chosen: NODES.california,
    refused: { [NODES.mexico]: ['gpu', 'services'] },
    fetched: [],
  },
};

/** Reading is a task without tools; what decides is where the bytes come from. */
function downloadInBrazil(holders: readonly NodeId[]): Scenario {
  return {
    title: `3: an owner in São Paulo reads through Brazil, ${
      holders.length === 0 ? 'which fetches the file first' : 'which streams its copy'
    }`,
    nodes: [MEXICO, CALIFORNIA, BRAZIL],
    request: task({
      pipeline: 'download',
      services: ['bioip'],
      toolVersions: {},
      cores: 0,
      memoryBytes: 0,
      diskBytes: 152 * MIB,
      requesterLocation: CITIES.saoPaulo,
      inputs: [{ ...fatherVcf(holders), owner: OWNER, licence: { standing: 'owner' } }],
    }),
    measured: new Map(),
    expected: {
      chosen: NODES.brazil,
      refused: {},
      fetched: holders.length === 0 ? ['father.vcf'] : [],
    },
  };
}

interface EuropeanData {
  readonly title: string;
  readonly zones: readonly string[];
  readonly gpuAt: Location;
  readonly gpuZones: readonly string[];
  readonly chosen: NodeId;
  readonly refused: Scenario['expected']['refused'];
}

/**
 * Round trips to the requester and to the data in Athens, ms. Assumed, in the order of ordinary
 * routes: Tokyo reaches Europe by way of Singapore or America.
 */
const MEASURED: Scenario['measured'] = new Map([
  [NODES.tokyo, { userMs: 2, inputMs: [265] }],
  [NODES.singapore, { userMs: 72, inputMs: [175] }],
  [NODES.europe, { userMs: 250, inputMs: [60] }],
]);

function tokyoWithEuropeanData(variant: EuropeanData): Scenario {
  const { title, zones, gpuAt, gpuZones, chosen, refused } = variant;
  return {
    title: `4: a GPU job from Tokyo on data in Europe: ${title}`,
    nodes: [TOKYO, SINGAPORE, europe(gpuAt, gpuZones)],
    request: task({
      pipeline: 'deepvariant',
      services: ['clara'],
      gpu: GPU,
      usage: GPU_USAGE,
      requesterLocation: CITIES.tokyo,
      maxDataLatencyMs: 200,
      inputs: [
        {
          ...fatherVcf(),
          datasetId: datasetIdSchema.parse('eu_patient_data.fastq'),
          places: [{ nodeId: null, location: CITIES.athens }],
          residency: { zones: [...zones], trustedOperators: [] },
        },
      ],
    }),
    measured: MEASURED,
    expected: { chosen, refused, fetched: ['eu_patient_data.fastq'] },
  };
}

const LISBON = { gpuAt: CITIES.lisbon, gpuZones: ['EU', 'PT'] };

/** The introduction's example: Mexico City, GPU, data in California, within 100 ms and 10 USD. */
const middleGround: Scenario = {
  title: 'the introduction: between a user in Mexico and data in California, Austin',
  nodes: [MEXICO, CALIFORNIA, AUSTIN, europe(CITIES.berlin, ['DE', 'EU'])],
  request: task({
    pipeline: 'alphagenome',
    services: ['alphagenome'],
    gpu: GPU,
    usage: GPU_USAGE,
    requesterLocation: CITIES.mexicoCity,
    maxUserLatencyMs: 100,
    maxPriceMicroUsd: 10_000_000,
    inputs: [fatherVcf()],
  }),
  measured: new Map(),
  expected: {
    chosen: NODES.austin,
    refused: { [NODES.mexico]: ['gpu', 'services'], [NODES.europe]: ['user_latency'] },
    fetched: ['father.vcf'],
  },
};

export const SCENARIOS: readonly Scenario[] = [
  cpuInMexico,
  gpuInCalifornia,
  downloadInBrazil([]),
  downloadInBrazil([NODES.brazil]),
  tokyoWithEuropeanData({
    title: 'Singapore, where the policy allows it',
    zones: ['EU', 'SG', 'JP'],
    ...LISBON,
    chosen: NODES.singapore,
    refused: { [NODES.tokyo]: ['data_latency'] },
  }),
  tokyoWithEuropeanData({
    title: 'Europe, where the policy keeps the data there',
    zones: ['EU'],
    ...LISBON,
    chosen: NODES.europe,
    refused: { [NODES.tokyo]: ['residency', 'data_latency'], [NODES.singapore]: ['residency'] },
  }),
  tokyoWithEuropeanData({
    title: 'Europe, where its GPU stands beside the data, whatever the policy allows',
    zones: ['EU', 'SG', 'JP'],
    gpuAt: CITIES.athens,
    gpuZones: ['EU', 'GR'],
    chosen: NODES.europe,
    refused: { [NODES.tokyo]: ['data_latency'] },
  }),
  middleGround,
];
