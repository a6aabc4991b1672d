/** Arbitrary nodes and requests that meet and fail the constraints in all mixtures. */
import fc from 'fast-check';
import type { NodeFacts } from '../node/facts.ts';
import type { PlacementInput, PlacementRequest } from '../placement/request.ts';
import { toolSetOf } from '../quorum/reputation.ts';
import {
  CITIES,
  inputOf,
  NOW_MS,
  nodeIdOf,
  nodeOf,
  operatorOf,
  requestOf,
  TOOLS,
} from './fleet.ts';

const NODES_MAX = 24;
const OPERATORS = 6;

const city = fc.constantFrom(...Object.values(CITIES));
const operators = fc.uniqueArray(fc.nat({ max: OPERATORS - 1 }).map(operatorOf), { maxLength: 3 });

/** Mostly the value that lets a node through, so that many of them are lawful. */
function mostly<T>(usual: T, ...others: readonly T[]): fc.Arbitrary<T> {
  return fc.oneof({ weight: 8, arbitrary: fc.constant(usual) }, fc.constantFrom(...others));
}

function arbitraryNode(n: number): fc.Arbitrary<NodeFacts> {
  return fc
    .record({
      operator: fc.nat({ max: OPERATORS - 1 }).map(operatorOf),
      liveness: mostly<NodeFacts['liveness']>('online', 'busy', 'draining', 'offline'),
      admission: mostly<NodeFacts['admission']>('available', 'registered', 'banned'),
      tools: mostly<NodeFacts['tools']>(TOOLS, { ...TOOLS, bwa: '0.7.18', fastp: '0.23.2' }, {}),
      services: mostly(['bioip', 'trio'], ['bioip'], []),
      freeCores: mostly(32, 0, 3, 4),
      sandbox: mostly<NodeFacts['sandbox']>('strong', 'weak', 'process'),
      statement: mostly<NodeFacts['statement']>(
        { zones: ['DE', 'EU'], untilMs: NOW_MS + 1, isNetworkAttested: true },
        { zones: ['DE', 'EU'], untilMs: NOW_MS + 1, isNetworkAttested: false },
        { zones: ['SG'], untilMs: NOW_MS + 1, isNetworkAttested: true },
        null,
      ),
      location: mostly<NodeFacts['location']>(CITIES.berlin, CITIES.tokyo, CITIES.athens, null),
      // Few values, so that many scores are equal.
      uptimeBps: fc.constantFrom(10_000, 9_999, 0),
      bannedToolSets: mostly<string[]>([], [toolSetOf(TOOLS)], ['{}']),
    })
    .map((change) => nodeOf(n, change));
}

/** Up to 24 nodes of up to 6 operators, in the order of their ids. */
export const arbitraryNodes: fc.Arbitrary<NodeFacts[]> = fc
  .integer({ min: 0, max: NODES_MAX })
  .chain((count) => fc.tuple(...Array.from({ length: count }, (_, n) => arbitraryNode(n))));

const arbitraryInput: fc.Arbitrary<PlacementInput> = fc
  .record({
    sizeBytes: fc.nat({ max: 2 ** 40 }),
    places: fc.array(
      fc.record({
        nodeId: fc.option(fc.nat({ max: NODES_MAX - 1 }).map(nodeIdOf)),
        location: fc.option(city),
      }),
      { maxLength: 3 },
    ),
    plaintextOperators: operators,
    cap: fc.nat({ max: 5 }),
    trustedOperators: operators,
    residency: mostly<PlacementInput['residency']['zones']>(['EU'], 'any', ['SG', 'DE'], []),
  })
  .map(({ cap, residency, trustedOperators, ...change }) =>
    inputOf({
      ...change,
      residency: { zones: residency, trustedOperators },
      policy: { ...inputOf().policy, plaintextOperatorsMax: cap },
    }),
  );

export const arbitraryRequest: fc.Arbitrary<PlacementRequest> = fc
  .record({
    inputs: fc.array(arbitraryInput, { maxLength: 3 }),
    replicas: fc.integer({ min: 1, max: 4 }),
    takenOperators: mostly([], [operatorOf(0)]),
    onShortfall: fc.constantFrom<PlacementRequest['onShortfall']>('wait', 'run_once'),
    maxUserLatencyMs: fc.constantFrom(null, 100, 300),
    maxDataLatencyMs: fc.constantFrom(null, 100, 300),
    requesterLocation: fc.option(city),
  })
  .map((change) => requestOf(change));
