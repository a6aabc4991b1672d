/**
 * A coordinator, a vault, an owner's custodian and two compute nodes of two operators, each on a port
 * of its own, and a requester with a grant: from sealed reads to a result that both nodes agree on; and
 * again, without a byte of the reads from the vault.
 */
import assert from 'node:assert/strict';
import { mkdtempSync } from 'node:fs';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { before, type TestContext, test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { gunzipSync } from 'node:zlib';
import { addReference, simulate } from '@helixmesh/pipelines';
import type { Digest } from '@helixmesh/protocol';
import { nodeCrypto } from '@helixmesh/protocol/node';
import {
  type DatasetEvidence,
  documentId,
  encodeDocument,
  formatNodeAddress,
  fromBase64,
  GENESIS_TYPE,
  type Genesis,
  makeX25519KeyPair,
  NETWORK_JOB_TYPE,
  type NetworkJob,
  type NetworkJobView,
  type NodeAddress,
  signDocument,
  toBase64,
  toHex,
  type WalletSigner,
} from '@helixmesh/protocol/sealing';
import { parsePlacement, referenceService, verifyPlacement } from '@helixmesh/scheduler';
import { pino } from 'pino';
import { createCoordinator } from '../coordination/coordinator.ts';
import { startComputeNode } from '../coordination/testing/compute-nodes.ts';
import { createCustodian } from '../custody/custodian.ts';
import { openCustody } from '../custody/custody.ts';
import type { NodeIdentity } from '../network/identity.ts';
import type { NetworkListener } from '../network/listener.ts';
import {
  channelOf,
  nodeChannelOf,
  startTestNode,
  type TestAccount,
  testAccount,
  testIdentity,
} from '../network/testing/test-node.ts';
import { measureHardware } from '../node/hardware.ts';
import { openDatabase } from '../sql/database.ts';
import { bodyCid, putBody, startVault } from '../testing/running-vault.ts';
import {
  network,
  sealedDataset,
  signedCustodian,
  signedGrant,
  signedHead,
  walletNamed,
} from '../testing/sealed-dataset.ts';
import { temporaryFolder } from '../testing/temporary-folder.ts';
import { openBodyCache } from './body-cache.ts';
import { coordinatorWork } from './coordinator-work.ts';
import { analyseEnclosed } from './enclosed-analysis.ts';
import { handoverOpener } from './handover.ts';
import { resultDigest } from './result-digest.ts';
import { readsOpener } from './sealed-reads.ts';
import { createWorker } from './worker.ts';

const SIZE = { contigs: 3, basesPerContig: 20_000, coverage: 8, mitochondrion: false } as const;
const SAMPLE = 'CANARY-8W4T';
const READS = ['reads_R1.fastq.gz', 'reads_R2.fastq.gz'] as const;
/** Five enclosures, each with an engine of its own. */
const LONG = { timeout: 600_000 };
const LOOK_MS = 50;
const HOUR_MS = 3_600_000;

const root = temporaryFolder('over-network');
const input = join(root, 'input');
const referenceRoot = join(root, 'references');
const logger = pino({ level: 'silent' });
const common = { network, crypto: nodeCrypto, now: Date.now, logger };
const config = { cores: 1, limitsFactor: 1 };
/** Whatever machine the tests run on. */
const CONTAINED = {
  strength: async () => ({ strength: 'strong', mend: null }) as const,
  operator: null,
};

/** Digest of the bundle. */
let reference: Digest;

before(async () => {
  await simulate({ outDir: input, sampleId: SAMPLE, seed: 9, ...SIZE });
  const files = { name: 'ref', fasta: join(input, 'ref.fa'), par: join(input, 'par.bed') };
  reference = (await addReference(files, { storeDir: referenceRoot })).digest;
});

/** The owner's custodian, with the reads in it and in the vault, granted to the requester. */
async function startOwner(t: TestContext, vault: NodeAddress, given: GivenTo) {
  const identity = testIdentity();
  const account = await testAccount(['read', 'list', 'put', 'custody']);
  const custody = await openCustody({ ...common, folder: mkdtempSync(join(root, 'owner-')) });
  t.after(() => custody.close());
  let custodian: ReturnType<typeof createCustodian> | undefined;
  const { address } = await startTestNode(
    t,
    (listener) => {
      const { coordinators } = given;
      custodian = createCustodian({ ...common, custody, identity, listener, coordinators });
    },
    { identity },
  );
  const endpoint = { host: '127.0.0.1', port: address.port };
  const { nodeId } = identity;
  custody.setCustodian(await signedCustodian(account.wallet, { nodeId, endpoint }));
  const key = toHex(identity.signingKey.publicKey);
  custody.addHead((await signedHead(account.wallet, { custodian: key })).signed);
  const sources: Source[] = [];
  for (const name of READS) {
    const plaintext = await readFile(join(input, name));
    const dataset = await sealedDataset(account.wallet, custody.publicKey, {
      plaintext,
      cidOf: bodyCid,
    });
    custody.addDataset({ ...dataset, vaults: [vault] });
    await putBody(t, { vault, owner: account }, dataset);
    custody.markStored(dataset.id, vault);
    const grant = await signedGrant(account.wallet, {
      dataset: dataset.id,
      grantee: given.requester.wallet.address,
      terms: { pipelines: ['germline'], commercialUse: false, zones: null },
    });
    custody.addGrant({ grant: grant.signed, byteRanges: null });
    sources.push({
      named: {
        dataset: dataset.id,
        grant: grant.id,
        custodian: formatNodeAddress(address),
        vaults: [formatNodeAddress(vault)],
      },
      evidence: {
        manifest: toBase64(encodeDocument(dataset.manifest)),
        grant: toBase64(encodeDocument(grant.signed)),
      },
    });
  }
  await custodian?.start();
  t.after(() => custodian?.stop());
  return { custody, sources };
}

type Owner = Awaited<ReturnType<typeof startOwner>>;

/** One file of reads, as the job names it and as its use is shown to the coordinator. */
interface Source {
  readonly named: NetworkJob['datasets'][number];
  readonly evidence: DatasetEvidence;
}

interface GivenTo {
  readonly requester: TestAccount;
  readonly coordinators: readonly NodeIdentity['nodeId'][];
}

async function startCoordinator(t: TestContext, operators: readonly WalletSigner[]) {
  const identity = testIdentity();
  const database = await openDatabase(':memory:');
  const genesis: Genesis = {
    ...{ type: GENESIS_TYPE, name: 'test', createdAtMs: 0, nonce: '0'.repeat(32) },
    coordinators: [identity.nodeId],
    attestedOperators: operators.map(({ address }) => address).sort(),
  };
  let coordinator: ReturnType<typeof createCoordinator> | undefined;
  const serve = (listener: NetworkListener) => {
    const own = { database, identity, genesis, listener, roundMs: LOOK_MS };
    coordinator = createCoordinator({ ...common, ...own });
  };
  const { address } = await startTestNode(t, serve, { identity });
  await coordinator?.start();
  t.after(async () => {
    await coordinator?.stop();
    await database.destroy();
  });
  return { identity, address, database };
}

interface ComputeOptions {
  readonly coordinator: Awaited<ReturnType<typeof startCoordinator>>;
  readonly operator: WalletSigner;
}

/** A node with the tools of this machine and the reference, and what works on its offers. */
async function startCompute(t: TestContext, { coordinator, operator }: ComputeOptions) {
  const folder = mkdtempSync(join(root, 'compute-'));
  const hardware = await measureHardware({ cores: 1, dataDir: folder });
  const node = await startComputeNode(t, {
    ...{ ...common, operator, database: coordinator.database, coordinator: coordinator.address },
    change: {
      // What the machine of a test can hold in is not what this test is about.
      hardware: { ...hardware, sandbox: 'strong' },
      services: ['compute', referenceService(reference)],
    },
  });
  const { identity } = node;
  const { nodeId, signingKey } = identity;
  const channel = nodeChannelOf(t, coordinator.address, identity);
  const cacheOptions = { ...common, folder: join(folder, 'cache'), budgetBytes: 2 ** 30 };
  const bodies = await openBodyCache(cacheOptions);
  const worker = createWorker({
    ...common,
    root: folder,
    slots: 1,
    work: coordinatorWork({ ...common, nodeId, secretKey: signingKey.secretKey, channel }),
    openReads: readsOpener({ ...common, identity, bodies: () => bodies }),
    openHandover: handoverOpener({ ...common, identity }),
    node: { referenceRoot, config },
    containment: CONTAINED,
    stater: { nodeId, secretKey: signingKey.secretKey, operator: operator.address },
  });
  await worker.start();
  t.after(() => worker.stop());
  return { folder, nodeId, bodies };
}

function signedJob(
  requester: TestAccount,
  coordinator: NetworkJob['coordinator'],
  { sources, outputKey }: { sources: readonly Source[]; outputKey: Uint8Array },
) {
  const [r1, r2] = sources.map(({ named }) => named);
  const issuedAtMs = Date.now();
  return signDocument(requester.wallet, {
    type: NETWORK_JOB_TYPE,
    network,
    requester: requester.wallet.address,
    coordinator,
    chainId: null,
    nonce: toHex(nodeCrypto.random(16)),
    issuedAtMs,
    expiresAtMs: issuedAtMs + HOUR_MS,
    datasets: inOrder(sources).map(({ named }) => named),
    pipeline: { name: 'germline', version: 1 },
    parameters: { reference, r1: r1?.dataset ?? '', r2: r2?.dataset ?? '' },
    constraints: {
      zones: null,
      operators: null,
      isCommercial: false,
      needsStrongSandbox: true,
      onShortfall: 'wait',
    },
    redundancy: 2,
    replicasMax: 4,
    maxPriceMicroUsd: '1000000',
    outputCustodian: {
      owner: requester.wallet.address,
      nodeId: coordinator,
      encryptionKey: toHex(outputKey),
    },
  } as const satisfies NetworkJob);
}

function inOrder(sources: readonly Source[]): Source[] {
  return sources.toSorted((a, b) => (a.named.dataset < b.named.dataset ? -1 : 1));
}

/** Signs a job and submits it. */
async function submitted(
  t: TestContext,
  requester: TestAccount,
  { coordinator, sources }: Pick<ComputeOptions, 'coordinator'> & Pick<Owner, 'sources'>,
) {
  const outputKey = makeX25519KeyPair(nodeCrypto).publicKey;
  const job = await signedJob(requester, coordinator.identity.nodeId, { sources, outputKey });
  const jobId: Digest = documentId(nodeCrypto, job.document);
  const channel = channelOf(t, coordinator.address, requester);
  const evidence = inOrder(sources).map((source) => source.evidence);
  const body = { job: toBase64(encodeDocument(job)), evidence };
  assert.equal((await channel.call('submitNetworkJob', { body })).jobId, jobId);
  return { jobId, channel };
}

async function ended(look: () => Promise<NetworkJobView>): Promise<NetworkJobView> {
  for (;;) {
    const job = await look();
    if (job.state !== 'QUEUED' && job.state !== 'RUNNING') return job;
    await delay(LOOK_MS);
  }
}

test(
  'two operators analyse sealed reads and agree on the result of one machine',
  LONG,
  async (t) => {
    const operators = [walletNamed('operator 0'), walletNamed('operator 1')];
    const coordinator = await startCoordinator(t, operators);
    const { nodeId } = coordinator.identity;
    const requester = await testAccount(['list', 'cancel', 'submit']);
    const sent = { body: 0, tags: 0, nodes: 0 };
    const onSent = (part: keyof typeof sent, bytes: number) => {
      sent[part] += bytes;
    };
    const { address: vault, folder: vaultFolder } = await startVault(t, root, { onSent });
    const given = { requester, coordinators: [nodeId] };
    const { custody, sources } = await startOwner(t, vault, given);
    const nodes: Awaited<ReturnType<typeof startCompute>>[] = [];
    for (const operator of operators) nodes.push(await startCompute(t, { coordinator, operator }));

    const wanted = { coordinator, sources };
    const { jobId, channel } = await submitted(t, requester, wanted);
    const done = await ended(() => channel.call('getNetworkJob', { params: { jobId } }));
    assert.equal(done.state, 'COMPLETE', JSON.stringify(done));
    const [task = assert.fail()] = done.tasks;
    assert.equal(task.isChecked, true);
    assert.deepEqual(
      task.attempts.map(({ verdict }) => verdict),
      ['valid', 'valid'],
    );
    assert.deepEqual(
      new Set(task.attempts.map(({ address }) => address?.split('@')[0])),
      new Set(nodes.map((node) => node.nodeId)),
    );
    const params = { subject: jobId };
    const { record } = await channel.call('explainPlacement', { params });
    const placement = parsePlacement(gunzipSync(fromBase64(record, 'a record')));
    const by = { network, coordinator: nodeId };
    assert.equal(verifyPlacement(nodeCrypto, placement, by).status, 'valid');
    const alone = await analyseEnclosed({
      ...{ folder: join(root, 'alone'), referenceRoot, config },
      stage: { kind: 'whole' },
      staged: [],
      reads: READS.map((name) => ({
        fileName: name,
        open: async function* () {
          yield await readFile(join(input, name));
        },
      })),
      job: { pipeline: 'germline', sampleId: 'sample', reference: 'ref' },
      signal: new AbortController().signal,
    });
    assert.equal(task.resultDigest, resultDigest(nodeCrypto, network, alone));

    const released = () =>
      custody.accessLog().filter(({ outcome }) => outcome === 'released').length;
    assert.equal(released(), nodes.length * READS.length);
    await assertSealed([...nodes.map(({ folder }) => folder), vaultFolder]);

    const once = { ...sent };
    assert.ok(once.body > 0);
    const again = await submitted(t, requester, wanted);
    const hits = () => nodes.map(({ bodies }) => bodies.stats().hits);
    while (hits().some((count) => count < READS.length)) await delay(LOOK_MS);
    await again.channel.call('cancelNetworkJob', { params: { jobId: again.jobId } });
    assert.deepEqual(sent, once, 'the second run moves 0 bytes');
    assert.equal(released(), 2 * nodes.length * READS.length, 'keys are asked for anew');
  },
);

/** No read of the sample stands in any file that is left, packed or not. */
async function assertSealed(folders: readonly string[]): Promise<void> {
  const fastq = gunzipSync(await readFile(join(input, READS[0]))).toString('latin1');
  const read = fastq.split('\n')[1] ?? assert.fail();
  let looked = 0;
  for (const folder of folders) {
    for (const entry of await readdir(folder, { recursive: true, withFileTypes: true })) {
      if (!entry.isFile()) continue;
      const bytes = await readFile(join(entry.parentPath, entry.name));
      assert.ok(!bytes.includes(read) && !bytes.includes(SAMPLE), entry.name);
      looked += 1;
    }
  }
  assert.ok(looked > 10, `${looked} files`);
}
