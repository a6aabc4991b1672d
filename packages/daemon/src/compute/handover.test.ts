/**
 * What one task of a job has made comes to the node of a later one, over TLS: from a node that has it,
 * with headers that a custodian rewraps; and to nobody else.
 */
import assert from 'node:assert/strict';
import { existsSync, mkdirSync, mkdtempSync, writeFileSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import type { AttemptId, Digest } from '@helixmesh/protocol';
import { nodeCrypto } from '@helixmesh/protocol/node';
import {
  ASSIGNMENT_TYPE,
  type Assignment,
  documentId,
  encodeDocument,
  formatNodeAddress,
  fromBase64,
  type NetworkJob,
  networkTaskId,
  resultDigestOf,
  signDocument,
  signWithKey,
  toBase64,
} from '@helixmesh/protocol/sealing';
import { pino } from 'pino';
import { createCustodian } from '../custody/custodian.ts';
import { openCustody } from '../custody/custody.ts';
import type { NodeIdentity } from '../network/identity.ts';
import {
  collect,
  NETWORK,
  nodeChannelOf,
  startTestNode,
  testAccount,
  testIdentity,
} from '../network/testing/test-node.ts';
import { sealedDataset, vault, walletNamed } from '../testing/sealed-dataset.ts';
import { temporaryFolder } from '../testing/temporary-folder.ts';
import { sealedOf, writeRecord } from './attempt-folder.ts';
import { handoverOpener } from './handover.ts';
import { serveResults } from './results.ts';
import { sealOutputs } from './seal-outputs.ts';
import { stateResult } from './state-result.ts';
import { networkJob } from './testing/network-job.ts';

const root = temporaryFolder('handover');
const common = { crypto: nodeCrypto, network: NETWORK, now: Date.now };
const logger = pino({ level: 'silent' });
const digest = (digit: string) => `sha256:${digit.repeat(64)}` as Digest;
const OPERATOR = walletNamed('operator').address;
const FILES = { 'sample.bam': 'alignments\n'.repeat(20_000), 'qc/sample.json': '{"reads":7}' };
const RESULT = {
  jobHash: digest('a'),
  files: [
    { path: 'qc/sample.json', format: 'json', digest: digest('b') },
    { path: 'sample.bam', format: 'bam', digest: digest('c') },
  ],
} as const;
const RESULT_DIGEST = resultDigestOf(nodeCrypto, NETWORK, RESULT);
let attempts = 0;
const nextAttempt = () => `att_${(++attempts).toString(16).padStart(16, '0')}` as AttemptId;

/** A requester with a dataset and a custodian of their own, and a job on it in three parts. */
async function startJob(t: TestContext) {
  const coordinator = testIdentity();
  const { wallet } = await testAccount(['submit']);
  const custody = await openCustody({ ...common, folder: mkdtempSync(join(root, 'owner-')) });
  t.after(() => custody.close());
  const identity = testIdentity();
  const { address } = await startTestNode(
    t,
    (listener) => {
      const coordinators = [coordinator.nodeId];
      createCustodian({ ...common, custody, identity, listener, coordinators, logger });
    },
    { identity },
  );
  const dataset = await sealedDataset(wallet, custody.publicKey);
  custody.addDataset(dataset);
  custody.markStored(dataset.id);
  const custodian = formatNodeAddress(address);
  const vaults = [formatNodeAddress(vault)];
  const jobOf = async (change: Partial<NetworkJob> = {}) => {
    const document = networkJob({
      ...{ network: NETWORK, requester: wallet.address, coordinator: coordinator.nodeId },
      datasets: [{ dataset: dataset.id, grant: null, custodian, vaults }],
      parameters: { spread: 3 },
      ...change,
    });
    const signed = await signDocument(wallet, document);
    return {
      document,
      id: documentId(nodeCrypto, document),
      text: toBase64(encodeDocument(signed)),
    };
  };
  return { coordinator, custody, custodian, dataset: dataset.id, job: await jobOf(), jobOf };
}

type World = Awaited<ReturnType<typeof startJob>>;
type Job = World['job'];

/** Papers of an attempt of a node at one task of the job, as its coordinator signs them. */
function papersOf(
  { coordinator, job: own, dataset }: World,
  { nodeId }: Pick<NodeIdentity, 'nodeId'>,
  { task, job = own, change = {} }: { task: string; job?: Job; change?: Partial<Assignment> },
) {
  const issuedAtMs = Date.now();
  const document: Assignment = {
    type: ASSIGNMENT_TYPE,
    network: NETWORK,
    coordinator: coordinator.nodeId,
    job: job.id,
    taskId: networkTaskId(nodeCrypto, { network: NETWORK, job: job.id, name: task }),
    task,
    attemptId: nextAttempt(),
    fencingToken: 1,
    nodeId,
    operator: OPERATOR,
    zone: 'MX',
    datasets: task === 'align' ? [dataset] : [],
    issuedAtMs,
    expiresAtMs: issuedAtMs + 60_000,
    ...change,
  };
  const signed = signWithKey(nodeCrypto, coordinator.signingKey.secretKey, document);
  return { job: job.text, assignment: toBase64(encodeDocument(signed)) };
}

interface SourceOptions {
  /** What is sealed in the place of the result. */
  readonly result?: typeof RESULT | (Omit<typeof RESULT, 'jobHash'> & { readonly jobHash: Digest });
}

/** A node that has done the alignment of the job, and sealed it as a node does. */
async function startSource(t: TestContext, world: World, { result = RESULT }: SourceOptions = {}) {
  const identity = testIdentity();
  const own = mkdtempSync(join(root, 'source-'));
  const outDir = join(own, 'out');
  mkdirSync(join(outDir, 'qc'), { recursive: true });
  for (const [path, text] of Object.entries(FILES)) writeFileSync(join(outDir, path), text);
  const attemptId = nextAttempt();
  const folder = join(own, 'attempts', attemptId);
  const { recipient } = await handoverOpener({ ...common, identity })({
    ...{ custodian: world.custodian, inputs: [], folder, first: 1, left: new Set() },
    proof: async () => papersOf(world, identity, { task: 'align' }),
    signal: new AbortController().signal,
  });
  mkdirSync(folder, { recursive: true });
  const target = sealedOf(folder);
  const { text: job, id } = world.job;
  const taskId = networkTaskId(nodeCrypto, { network: NETWORK, job: id, name: 'align' });
  const { nodeId, signingKey } = identity;
  const stater = { nodeId, secretKey: signingKey.secretKey, operator: OPERATOR };
  const made = { assignment: { attemptId, taskId, fencingToken: 1, job }, result, startedAtMs: 0 };
  await sealOutputs({
    ...{ crypto: nodeCrypto, outDir, result, recipients: [recipient], target },
    state: (files) => stateResult({ ...common, stater }, made, files),
  });
  await writeRecord(folder, {
    assignment: {
      ...{ attemptId, taskId, fencingToken: 1, job, recipients: [], reads: [] },
      ...{ stage: { kind: 'align' }, custodian: world.custodian, analysis: ANALYSIS },
    },
    secret: { resultDigest: RESULT_DIGEST, salt: '' },
    keepUntilMs: Date.now() + 3_600_000,
  });
  const { address, listener } = await startTestNode(
    t,
    (own_) => serveResults({ ...common, root: join(own, 'attempts'), listener: own_ }),
    { identity },
  );
  return { attemptId, address, text: formatNodeAddress(address), listener };
}

const ANALYSIS = {
  pipeline: 'germline',
  reference: 'ref',
  parameters: { aligner: 'bwa', caller: 'auto', sex: 'infer', shardTargetBases: 20_000_000 },
} as const;

type StartedSource = Awaited<ReturnType<typeof startSource>>;

/** Asks for the alignment as the node of a call. */
function take(
  world: World,
  sources: readonly StartedSource[],
  left: ReadonlySet<AttemptId> = new Set(),
) {
  const identity = testIdentity();
  const folder = mkdtempSync(join(root, 'node-'));
  const attemptId = nextAttempt();
  const taking = handoverOpener({ ...common, identity })({
    custodian: world.custodian,
    inputs: [
      {
        task: 'align',
        resultDigest: RESULT_DIGEST,
        sources: sources.map(({ attemptId, text }) => ({ attemptId, address: text })),
      },
    ],
    // So that the first one is the first.
    ...{ folder, first: sources.length, left },
    proof: async () => papersOf(world, identity, { task: 'call.2', change: { attemptId } }),
    signal: new AbortController().signal,
  });
  return { taking, folder };
}

async function textOf(source: AsyncIterable<Uint8Array>): Promise<string> {
  return Buffer.concat(await collect(source)).toString('utf8');
}

test('the node of a later task gets what an earlier one has made, from another source where one lies or is gone', async (t) => {
  const world = await startJob(t);
  const liar = await startSource(t, world, { result: { ...RESULT, jobHash: digest('d') } });
  const gone = await startSource(t, world);
  await gone.listener.close();
  const good = await startSource(t, world);
  const { taking, folder } = take(world, [liar, gone, good]);
  const { files } = await taking;
  assert.deepEqual(
    files.map(({ task, path, digest }) => ({ task, path, digest })),
    RESULT.files.map(({ path, digest }) => ({ task: 'align', path, digest })),
  );
  for (const { path, sizeBytes, open } of files) {
    const expected = FILES[path as keyof typeof FILES];
    assert.equal(await textOf(open()), expected);
    assert.equal(sizeBytes, expected.length);
  }
  assert.ok(!existsSync(join(folder, 'align', liar.attemptId)), 'what a liar sent is gone');
  const entries = world.custody.accessLog();
  assert.deepEqual(
    entries.map(({ task, outcome }) => [task, outcome]),
    [['call.2', 'released']],
    'one entry for the attempt; to hear the key of the job is none',
  );
  await rm(folder, { recursive: true });
});

test('who shows no running assignment of the job that needs it is told that there is nothing', async (t) => {
  const world = await startJob(t);
  const source = await startSource(t, world);
  const node = testIdentity();
  const { results } = nodeChannelOf(t, source.address, node);
  const bytesOf = ({ assignment }: ReturnType<typeof papersOf>) =>
    fromBase64(assignment, 'an assignment');
  const papers = (task: string, change: Partial<Assignment> = {}) =>
    bytesOf(papersOf(world, node, { task, change }));
  const job = await world.jobOf({ nonce: '9'.repeat(32) });
  const issuedAtMs = Date.now() - 61_000;
  const stranger = { ...world, coordinator: testIdentity() };
  const shown: Readonly<Record<string, Uint8Array>> = {
    'nothing at all': new Uint8Array(0),
    'something else': new Uint8Array(99),
    'an assignment of another job': bytesOf(papersOf(world, node, { task: 'call.2', job })),
    'one that has ended': papers('call.2', { issuedAtMs, expiresAtMs: issuedAtMs + 60_000 }),
    "another node's": bytesOf(papersOf(world, testIdentity(), { task: 'call.2' })),
    'one of a task that does not need it': papers('align'),
    'one of a task that the job does not have': papers('call.4'),
    'one that another coordinator has signed': bytesOf(
      papersOf(stranger, node, {
        task: 'call.2',
        change: { coordinator: world.coordinator.nodeId },
      }),
    ),
  };
  const { attemptId } = source;
  for (const [what, assignment] of Object.entries(shown)) {
    const gone = { code: 'OBJECT_NOT_FOUND' };
    await assert.rejects(results.list({ attemptId, assignment }), gone, what);
    const name = 'index.c4gh';
    await assert.rejects(collect(results.fetch({ attemptId, assignment, name })), gone, what);
  }
  const { files } = await results.list({ attemptId, assignment: papers('finish') });
  assert.equal(files.length, 4);
});

test('a source that is left is not asked, and where none is left nothing comes', async (t) => {
  const world = await startJob(t);
  const [liar, good] = [await startSource(t, world), await startSource(t, world)];
  const { files } = await take(world, [liar, good], new Set([liar.attemptId])).taking;
  assert.deepEqual(new Set(files.map(({ attemptId }) => attemptId)), new Set([good.attemptId]));
  const none = take(world, [liar], new Set([liar.attemptId])).taking;
  await assert.rejects(none, { code: 'PEER_UNREACHABLE' });
});

test('a custodian that refuses ends it, whatever sources there are', async (t) => {
  const world = await startJob(t);
  const source = await startSource(t, world);
  const terms = { pipelines: null, commercialUse: true, zones: null };
  world.custody.setPolicy(world.job.document.requester, { terms, isPaused: true });
  await assert.rejects(take(world, [source]).taking, { code: 'ACCESS_REFUSED' });
  world.custody.setPolicy(world.job.document.requester, { terms, isPaused: false });
  await take(world, [source]).taking;
  world.custody.endJob(world.job.id, world.coordinator.nodeId);
  await assert.rejects(take(world, [source]).taking, { code: 'ACCESS_REFUSED' });
});
