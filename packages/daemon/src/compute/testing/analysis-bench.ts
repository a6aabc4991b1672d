/**
 * A coordinator and nodes that answer jobs with a result made beforehand, over real TLS and by the real
 * protocol: offers, leases, commits, reveals, sealed files. For tests of who asks for analyses.
 */
import { mkdtempSync } from 'node:fs';
import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import type { AttemptId, Digest } from '@helixmesh/protocol';
import { nodeCrypto } from '@helixmesh/protocol/node';
import {
  GENESIS_TYPE,
  type Genesis,
  type NodeAddress,
  networkId,
  type ResultStatement,
  resultDigestOf,
  signWithKey,
  toHex,
} from '@helixmesh/protocol/sealing';
import type { OperatorId } from '@helixmesh/scheduler';
import { pino } from 'pino';
import { createCoordinator } from '../../coordination/coordinator.ts';
import { LIST_BYTES_MAX, NODES_MAX } from '../../coordination/limits.ts';
import { createTaskCoordination } from '../../coordination/tasks/coordination.ts';
import { decisionOf, type TestWorker } from '../../coordination/tasks/testing/task-bench.ts';
import { memberOf } from '../../coordination/testing/network-bench.ts';
import type { NetworkListener } from '../../network/listener.ts';
import { startTestNode, testIdentity } from '../../network/testing/test-node.ts';
import { type Database, openDatabase } from '../../sql/database.ts';
import { sealedOf, writeRecord } from '../attempt-folder.ts';
import { coordinatorWork } from '../coordinator-work.ts';
import type { JobResult } from '../result-digest.ts';
import { serveResults } from '../results.ts';
import { sealOutputs } from '../seal-outputs.ts';
import { stateResult } from '../state-result.ts';
import type { Assignment, Order, Secret, WorkSource } from '../work-source.ts';

export { makeResult, otherCalls, storeReads } from './canned-result.ts';

const LOOK_MS = 20;
const HOUR_MS = 3_600_000;

export interface CannedNode {
  readonly nodeId: string;
  /** Each fetch that was asked for: `2.c4gh@65536`. */
  readonly fetches: string[];
  /** What it does to what it serves; tests change it. */
  lie: Lie | null;
}

export interface Lie {
  /** Called when the outputs are sealed, with their folder. */
  readonly afterSealing?: (folder: string) => Promise<void>;
  /** Sealed in the place of the agreed result. */
  readonly outDir?: string;
  readonly recipient?: Uint8Array;
  /** Signed in the place of what the node would state. */
  readonly statement?: (honest: ResultStatement) => ResultStatement;
  /** Each piece of a file that is fetched; what it throws ends the stream. */
  readonly onPiece?: (name: string, piece: number) => Promise<void>;
}

export interface AnalysisBench {
  readonly coordinator: NodeAddress;
  readonly genesis: Genesis;
  readonly network: Digest;
  readonly database: Database;
  readonly nodes: readonly CannedNode[];
  /** The digest that the nodes agree on. */
  readonly resultDigest: Digest;
  /** Lets the nodes look for work; before that jobs wait. */
  work(): void;
}

export interface AnalysisBenchOptions {
  /** Folder for what the nodes keep. */
  readonly root: string;
  /** Deliverables of an analysis, and what is compared of them. */
  readonly outDir: string;
  readonly result: JobResult;
  readonly nodes: number;
}

export async function startAnalysisBench(
  t: TestContext,
  options: AnalysisBenchOptions,
): Promise<AnalysisBench> {
  const identity = testIdentity();
  const genesis: Genesis = {
    type: GENESIS_TYPE,
    name: 'test',
    createdAtMs: 0,
    nonce: '0'.repeat(32),
    coordinators: [identity.nodeId],
    attestedOperators: [],
  };
  const network = networkId(nodeCrypto, genesis);
  const workers = Array.from({ length: options.nodes }, (_, i) => {
    const own = testIdentity();
    const operator = `0x${String(i + 1).padStart(40, '0')}` as OperatorId;
    const { nodeId, signingKey } = own;
    return { identity: own, nodeId, secretKey: signingKey.secretKey, operator };
  });
  const { address, database } = await startCoordinator(t, { identity, genesis, workers });
  const working = Promise.withResolvers<void>();
  const resultDigest = resultDigestOf(nodeCrypto, network, options.result);
  const common = { ...options, network, coordinator: address, resultDigest };
  const nodes: CannedNode[] = [];
  for (const worker of workers) {
    nodes.push(await startCannedNode(t, { ...common, worker, working: working.promise }));
  }
  return {
    ...{ coordinator: address, genesis, network, database, nodes, resultDigest },
    work: () => working.resolve(),
  };
}

interface CoordinatorOptions {
  readonly identity: ReturnType<typeof testIdentity>;
  readonly genesis: Genesis;
  readonly workers: readonly TestWorker[];
}

async function startCoordinator(t: TestContext, options: CoordinatorOptions) {
  const { identity, genesis, workers } = options;
  const database = await openDatabase(':memory:');
  const network = networkId(nodeCrypto, genesis);
  const common = { database, network, crypto: nodeCrypto, now: Date.now, logger: SILENT };
  const { secretKey } = identity.signingKey;
  const keeper = { crypto: nodeCrypto, network, coordinator: identity.nodeId, secretKey };
  let tasks: ReturnType<typeof createTaskCoordination> | undefined;
  const serve = (listener: NetworkListener) => {
    const limits = { nodesMax: NODES_MAX, listBytesMax: LIST_BYTES_MAX };
    createCoordinator({ ...common, ...limits, identity, genesis, listener });
    tasks = createTaskCoordination({
      ...{ ...common, listener, keeper, roundMs: LOOK_MS, zoneOf: async () => 'MX' },
      decide: async (task, nowMs) => ({
        status: 'decided',
        decision: decisionOf({ workers }, task, { nowMs, onShortfall: 'wait' }),
      }),
    });
  };
  const { address, listener } = await startTestNode(t, serve, { identity, network });
  await tasks?.start();
  t.after(async () => {
    await tasks?.stop();
    await listener.close();
    await database.destroy();
  });
  return { address, database };
}

interface CannedOptions extends AnalysisBenchOptions {
  readonly network: Digest;
  readonly coordinator: NodeAddress;
  readonly resultDigest: Digest;
  readonly worker: TestWorker & { readonly identity: ReturnType<typeof testIdentity> };
  readonly working: Promise<void>;
}

async function startCannedNode(t: TestContext, options: CannedOptions): Promise<CannedNode> {
  const { network, coordinator, worker } = options;
  const { identity, nodeId, secretKey } = worker;
  const folder = mkdtempSync(join(options.root, 'canned-'));
  const node: CannedNode = { nodeId, fetches: [], lie: null };
  const serve = (listener: NetworkListener) => {
    const served = telling(listener, node);
    serveResults({ root: folder, listener: served, crypto: nodeCrypto, now: Date.now });
  };
  const { address } = await startTestNode(t, serve, { identity, network });
  const clock = { now: Date.now, advance: () => undefined };
  const member = memberOf(t, { address: coordinator, network, clock }, identity);
  await member.register({ endpoint: `https://127.0.0.1:${address.port}` });
  const common = { crypto: nodeCrypto, network, now: Date.now };
  const work = coordinatorWork({ ...common, nodeId, secretKey, channel: member.channel });
  const ending = new AbortController();
  const done = answerAll(work, { ...options, folder, node, signal: ending.signal });
  t.after(async () => {
    ending.abort();
    await done;
  });
  return node;
}

/** The listener, where what is fetched is noted and may be held up. */
function telling(
  listener: NetworkListener,
  node: CannedNode,
): Pick<NetworkListener, 'service' | 'callerOf'> {
  return {
    callerOf: (context) => listener.callerOf(context),
    service: (definition, calls, access) => {
      const { fetch } = calls as unknown as { fetch: Fetch };
      const told = {
        ...calls,
        async *fetch(request: FetchRequest, context: unknown) {
          node.fetches.push(`${request.name}@${request.offset}`);
          let piece = 0;
          for await (const each of fetch(request, context)) {
            await node.lie?.onPiece?.(request.name, piece);
            piece += 1;
            yield each;
          }
        },
      };
      listener.service(definition, told as never, access);
    },
  };
}

interface FetchRequest {
  readonly name: string;
  readonly offset: bigint;
}
type Fetch = (request: FetchRequest, context: unknown) => AsyncIterable<unknown>;

interface Answering extends CannedOptions {
  readonly folder: string;
  readonly node: CannedNode;
  readonly signal: AbortSignal;
}

/** Takes each offer and answers it, until `signal` aborts. */
async function answerAll(work: WorkSource, options: Answering): Promise<void> {
  const { signal, working } = options;
  await Promise.race([working, new Promise((r) => signal.addEventListener('abort', r))]);
  while (!signal.aborted) {
    try {
      const held = await work.claim(signal);
      await answer(work, held, options);
    } catch (thrown) {
      // The test is over, or the job was canceled.
      if (!signal.aborted) await delay(LOOK_MS, undefined, { signal }).catch(() => thrown);
    }
  }
}

async function answer(work: WorkSource, held: Assignment, options: Answering): Promise<void> {
  const { folder, result, resultDigest, signal } = options;
  const { lie } = options.node;
  const own = join(folder, held.attemptId satisfies AttemptId);
  await mkdir(own, { recursive: true });
  const { nodeId, secretKey, operator } = options.worker;
  const stating = {
    ...{ crypto: nodeCrypto, network: options.network, now: Date.now },
    stater: { nodeId, secretKey, operator },
  };
  const made = { assignment: held, result, startedAtMs: Date.now() };
  await sealOutputs({
    ...{ crypto: nodeCrypto, result, target: sealedOf(own) },
    state: (files) => {
      const honest = stateResult(stating, made, files);
      if (lie?.statement === undefined) return honest;
      return signWithKey(nodeCrypto, secretKey, lie.statement(honest.document));
    },
    outDir: lie?.outDir ?? options.outDir,
    recipients: lie?.recipient === undefined ? held.recipients : [lie.recipient],
  });
  await lie?.afterSealing?.(sealedOf(own));
  const secret: Secret = { resultDigest, salt: '5'.repeat(64) };
  let order: Order = await work.commit(held, secret);
  while (order.status !== 'final') {
    if (order.status === 'lost') return;
    if (order.status === 'reveal') order = await work.reveal(held, secret);
    else {
      await delay(LOOK_MS, undefined, { signal });
      order = await work.renew(held);
    }
  }
  const assignment = { ...held, recipients: held.recipients.map(toHex) };
  await writeRecord(own, { assignment, secret, keepUntilMs: Date.now() + HOUR_MS });
}

/** Flips one bit in the middle of the largest file below `folder`. */
export async function flipBit(folder: string): Promise<void> {
  let largest: { readonly path: string; readonly bytes: Buffer } | undefined;
  for (const name of await readdir(folder)) {
    const path = join(folder, name);
    const bytes = await readFile(path);
    if (bytes.length > (largest?.bytes.length ?? 0)) largest = { path, bytes };
  }
  if (largest === undefined) return;
  const at = largest.bytes.length >> 1;
  largest.bytes[at] = (largest.bytes[at] ?? 0) ^ 1;
  await writeFile(largest.path, largest.bytes);
}

const SILENT = pino({ level: 'silent' });
