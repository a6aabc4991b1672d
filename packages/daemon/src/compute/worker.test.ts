import assert from 'node:assert/strict';
import { createReadStream, existsSync } from 'node:fs';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { before, test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { addReference, simulate } from '@helixmesh/pipelines';
import { AppError, type AttemptId, type ErrorCode, type TaskId } from '@helixmesh/protocol';
import { nodeCrypto as crypto } from '@helixmesh/protocol/node';
import {
  decryptBody,
  digestFrom,
  documentId,
  encodeDocument,
  makeX25519KeyPair,
  networkId,
  openHeader,
  openWithAny,
  parseResultStatement,
  RESULT_STATEMENT,
  type ResultIndex,
  signDocument,
  takeHeader,
  toBase64,
  verifyResultStatement,
} from '@helixmesh/protocol/sealing';
import { testIdentity } from '../network/testing/test-node.ts';
import { createLogger } from '../node/logger.ts';
import { walletNamed } from '../testing/sealed-dataset.ts';
import { temporaryFolder } from '../testing/temporary-folder.ts';
import type { EnclosedReads } from './enclosed-analysis.ts';
import { INDEX_FILE } from './seal-outputs.ts';
import { MemoryWorkSource } from './testing/memory-work-source.ts';
import { networkJob } from './testing/network-job.ts';
import type { Assignment } from './work-source.ts';
import { createWorker, type WorkerOptions } from './worker.ts';

const SAMPLE = 'CANARY-3F9D';
const SIZE = { contigs: 3, basesPerContig: 20_000, coverage: 8, mitochondrion: false } as const;
const LONG = { timeout: 240_000 };
const LOOK_MS = 20;

const root = temporaryFolder('worker');
const input = join(root, 'input');
const referenceRoot = join(root, 'references');
const network = networkId(crypto, { name: 'test' });
const requester = makeX25519KeyPair(crypto);
const wallet = walletNamed('requester');
const operator = walletNamed('operator').address;
const job = networkJob({ network, requester: wallet.address });
const signedJob = toBase64(encodeDocument(await signDocument(wallet, job)));
const STARTED_AT_MS = 1_700_000_000_000;

before(async () => {
  await simulate({ outDir: input, sampleId: SAMPLE, seed: 5, ...SIZE });
  const reference = { name: 'ref', fasta: join(input, 'ref.fa'), par: join(input, 'par.bed') };
  await addReference(reference, { storeDir: referenceRoot });
});

function assignment(n: number): Assignment {
  return {
    attemptId: `att_${String(n).padStart(16, '0')}` as AttemptId,
    taskId: `task_${'0'.repeat(32)}` as TaskId,
    fencingToken: n,
    job: signedJob,
    stage: { kind: 'whole' },
    reads: [{ dataset: network, custodian: '', vaults: [] }],
    custodian: null,
    analysis: {
      pipeline: 'germline',
      reference: 'ref',
      parameters: { aligner: 'bwa', caller: 'auto', sex: 'infer', shardTargetBases: 20_000_000 },
    },
    recipients: [requester.publicKey],
  };
}

const FASTQ: readonly EnclosedReads[] = ['reads_R1.fastq.gz', 'reads_R2.fastq.gz'].map(
  (fileName) => ({ fileName, open: () => createReadStream(join(input, fileName)) }),
);

function workerOf(name: string, work: MemoryWorkSource, changes: Partial<WorkerOptions> = {}) {
  const own = testIdentity();
  const options: WorkerOptions = {
    root: join(root, name),
    slots: 1,
    crypto,
    network,
    work,
    openReads: async () => FASTQ,
    openHandover: () => assert.fail('a job of one task hands over nothing'),
    node: { referenceRoot, config: { cores: 1, limitsFactor: 1 } },
    containment: { strength: async () => ({ strength: 'strong', mend: null }), operator: null },
    stater: { nodeId: own.nodeId, secretKey: own.signingKey.secretKey, operator },
    logger: createLogger(join(root, `${name}.log`), 'info'),
    now: () => STARTED_AT_MS,
    ...changes,
  };
  return { worker: createWorker(options), root: options.root, nodeId: own.nodeId };
}

async function until(isTrue: () => boolean): Promise<void> {
  while (!isTrue()) await delay(LOOK_MS);
}

async function opened(path: string, reader = requester): Promise<Buffer> {
  const { header, body } = await takeHeader(createReadStream(path));
  const { dataKeys } = openHeader(crypto, header, reader);
  const plaintext: Uint8Array[] = [];
  for await (const piece of decryptBody(body, { open: openWithAny(crypto, dataKeys) })) {
    plaintext.push(piece);
  }
  return Buffer.concat(plaintext);
}

test(
  'two nodes analyse, commit and reveal the same result, sealed for the requester',
  LONG,
  async () => {
    const work = new MemoryWorkSource();
    work.add(assignment(1));
    work.add(assignment(2));
    const nodes = [workerOf('a', work), workerOf('b', work)];
    for (const { worker } of nodes) await worker.start();
    await until(() => work.entries.every(({ state }) => state === 'revealed'));
    const [one, two] = work.entries;
    assert.equal(one?.secret?.resultDigest, two?.secret?.resultDigest);
    assert.notEqual(one?.secret?.salt, two?.secret?.salt);
    for (const { worker, root: folder, nodeId } of nodes) {
      await worker.stop();
      const [name = ''] = await readdir(folder);
      assert.deepEqual((await readdir(join(folder, name))).sort(), ['attempt.json', 'sealed']);
      const sealed = join(folder, name, 'sealed');
      const index: ResultIndex = JSON.parse(String(await opened(join(sealed, INDEX_FILE))));
      const vcf = index.files.find(({ path }) => path.endsWith('sample.vcf.gz'));
      assert.ok(vcf);
      assert.equal((await opened(join(sealed, vcf.sealedAs))).length, vcf.sizeBytes);
      const stranger = makeX25519KeyPair(crypto);
      await assert.rejects(opened(join(sealed, vcf.sealedAs), stranger), { code: 'KEY_NOT_HELD' });
      assert.equal((await readdir(sealed)).length, index.files.length + 2);
      const signed = parseResultStatement(await opened(join(sealed, RESULT_STATEMENT)));
      assert.equal(verifyResultStatement(crypto, signed, network).status, 'valid');
      const { document: stated } = signed;
      assert.deepEqual([stated.nodeId, stated.operator], [nodeId, operator]);
      assert.deepEqual([stated.job, stated.attemptId], [documentId(crypto, job), name]);
      assert.deepEqual([stated.startedAtMs, stated.endedAtMs], [STARTED_AT_MS, STARTED_AT_MS]);
      assert.equal(stated.resultDigest, one?.secret?.resultDigest);
      assert.deepEqual(
        stated.outputs.map(({ path, sizeBytes }) => [path, sizeBytes]),
        index.files.map(({ path, sizeBytes }) => [path, sizeBytes]),
      );
      const statedVcf = stated.outputs.find(({ path }) => path === vcf.path);
      const bytes = await opened(join(sealed, vcf.sealedAs));
      assert.equal(statedVcf?.sha256, digestFrom(crypto.sha256(bytes)));
      await assert.rejects(opened(join(sealed, RESULT_STATEMENT), stranger), {
        code: 'KEY_NOT_HELD',
      });
    }
  },
);

test('a node with one slot does the work that its own attempt waits for', LONG, async () => {
  const work = new MemoryWorkSource();
  work.add(assignment(6));
  work.add(assignment(7));
  const { worker } = workerOf('f', work);
  await worker.start();
  // Neither is revealed before both are committed to, and both are this node's.
  const isOver = ({ state }: { state: string }) => state === 'revealed' || state === 'failed';
  await until(() => work.entries.every(isOver));
  await worker.stop();
  assert.deepEqual(
    work.entries.map(({ state, code }) => [state, code]),
    Array.from(work.entries, () => ['revealed', null]),
  );
});

test('a node that dies before it is told of its commit reveals the same secret', LONG, async () => {
  const work = new MemoryWorkSource();
  work.add(assignment(3));
  let isDown = false;
  work.before = (what) => {
    if (what === 'commit') isDown = true;
    if (isDown) throw new AppError('DAEMON_UNREACHABLE', 'down');
  };
  const first = workerOf('c', work);
  await first.worker.start();
  await until(() => isDown);
  await first.worker.stop();
  const record = () => readFile(join(first.root, assignment(3).attemptId, 'attempt.json'), 'utf8');
  const { secret } = JSON.parse(await record());
  assert.equal(existsSync(join(first.root, assignment(3).attemptId, 'work')), false);

  work.before = () => {};
  const second = workerOf('c', work, { openReads: () => Promise.reject(new Error('again')) });
  await second.worker.start();
  await until(() => work.entry(assignment(3).attemptId).state === 'revealed');
  await second.worker.stop();
  assert.deepEqual(work.entry(assignment(3).attemptId).secret, secret);
});

test('an attempt whose lease is lost is wiped, and nothing is told', LONG, async () => {
  const work = new MemoryWorkSource();
  work.add(assignment(4));
  const told: string[] = [];
  const node = workerOf('d', work);
  work.before = (what) => {
    told.push(what);
    const enclosure = join(node.root, assignment(4).attemptId, 'work', 'reads');
    if (existsSync(enclosure)) work.entry(assignment(4).attemptId).state = 'lost';
  };
  await node.worker.start();
  const isWiped = () => !existsSync(join(node.root, assignment(4).attemptId));
  await until(() => work.entry(assignment(4).attemptId).state === 'lost' && isWiped());
  await node.worker.stop();
  assert.deepEqual(
    told.filter((what) => what !== 'claim' && what !== 'renew'),
    [],
  );
});

test('an attempt that cannot succeed is told by its code and wiped', LONG, async () => {
  const work = new MemoryWorkSource();
  work.add(assignment(5));
  const code: ErrorCode = 'KEY_NOT_HELD';
  const openReads = () => Promise.reject(new AppError(code, `nothing for ${SAMPLE}`));
  const node = workerOf('e', work, { openReads });
  await node.worker.start();
  await until(() => work.entry(assignment(5).attemptId).state === 'failed');
  await node.worker.stop();
  assert.equal(work.entry(assignment(5).attemptId).code, code);
  assert.deepEqual(await readdir(node.root), []);
  assert.ok(!(await readFile(join(root, 'e.log'), 'utf8')).includes(SAMPLE));
});
