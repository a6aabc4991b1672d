/** Results over TLS and files: whom a node gives them, from where on, and how much it holds meanwhile. */
import assert from 'node:assert/strict';
import { mkdirSync, symlinkSync, truncateSync, writeFileSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import type { AttemptId, TaskId } from '@helixmesh/protocol';
import { nodeCrypto } from '@helixmesh/protocol/node';
import {
  encodeDocument,
  signDocument,
  signSession,
  toBase64,
  toHex,
} from '@helixmesh/protocol/sealing';
import {
  channelOf,
  collect,
  NETWORK,
  nodeChannelOf,
  startTestNode,
  type TestAccount,
  testAccount,
  testIdentity,
} from '../network/testing/test-node.ts';
import { temporaryFolder } from '../testing/temporary-folder.ts';
import { sealedOf, writeRecord } from './attempt-folder.ts';
import { serveResults } from './results.ts';
import { networkJob } from './testing/network-job.ts';

const MIB = 2 ** 20;
const NOW_MS = Date.now();
const KEEP_UNTIL_MS = NOW_MS + 3_600_000;
const folder = temporaryFolder('results');
const FILES: Readonly<Record<string, Buffer>> = {
  'index.c4gh': Buffer.from(nodeCrypto.random(900)),
  'statement.c4gh': Buffer.from(nodeCrypto.random(700)),
  '1.c4gh': Buffer.from(nodeCrypto.random(3 * MIB + 17)),
  '2.c4gh': Buffer.alloc(0),
  '10.c4gh': Buffer.from(nodeCrypto.random(5)),
};
let attempts = 0;

/** A final attempt of the requester, as the worker leaves it. */
async function attemptOf(
  root: string,
  requester: TestAccount,
  keepUntilMs: number | null = KEEP_UNTIL_MS,
): Promise<AttemptId> {
  const attemptId = `att_${(++attempts).toString(16).padStart(16, '0')}` as AttemptId;
  const document = networkJob({ network: NETWORK, requester: requester.wallet.address });
  const job = toBase64(encodeDocument(await signDocument(requester.wallet, document)));
  const attempt = join(root, attemptId);
  const taskId = `task_${'0'.repeat(32)}` as TaskId;
  const { pipeline, reference, parameters } = ANALYSIS;
  await writeRecord(attempt, {
    assignment: {
      ...{ attemptId, taskId, fencingToken: 1, job, recipients: [] },
      ...{ stage: { kind: 'whole' }, custodian: null },
      reads: [{ dataset: NETWORK, custodian: '', vaults: [] }],
      analysis: { pipeline, reference, parameters },
    },
    secret: { resultDigest: NETWORK, salt: '' },
    keepUntilMs,
  });
  mkdirSync(sealedOf(attempt));
  for (const [name, bytes] of Object.entries(FILES)) {
    writeFileSync(join(sealedOf(attempt), name), bytes);
  }
  return attemptId;
}

const ANALYSIS = {
  pipeline: 'germline',
  reference: 'ref',
  parameters: { aligner: 'bwa', caller: 'auto', sex: 'infer', shardTargetBases: 20_000_000 },
} as const;

async function start(t: TestContext, now = () => NOW_MS) {
  const root = join(folder, String(++attempts));
  const { address } = await startTestNode(t, (listener) => {
    serveResults({ root, listener, crypto: nodeCrypto, now });
  });
  return { root, address };
}

const submitter = () => testAccount(['submit']);

async function bytesOf(pieces: AsyncIterable<{ readonly data: Uint8Array }>): Promise<Buffer> {
  return Buffer.concat((await collect(pieces)).map(({ data }) => data));
}

test('the requester lists the sealed files of an attempt and gets each as it lies there', async (t) => {
  const { root, address } = await start(t);
  const requester = await submitter();
  const attemptId = await attemptOf(root, requester);
  writeFileSync(join(sealedOf(join(root, attemptId)), '1.c4gh.part'), 'x');
  const { results } = channelOf(t, address, requester);
  const { files, keepUntilMs } = await results.list({ attemptId });
  assert.equal(keepUntilMs, BigInt(KEEP_UNTIL_MS));
  assert.deepEqual(
    files.map(({ name, sizeBytes }) => [name, Number(sizeBytes)]),
    Object.entries(FILES).map(([name, { length }]) => [name, length]),
  );
  for (const [name, bytes] of Object.entries(FILES)) {
    const got = await bytesOf(results.fetch({ attemptId, name }));
    assert.ok(got.equals(bytes), name);
  }
});

test('a fetch that was cut off goes on where it was, and does not begin behind the end', async (t) => {
  const { root, address } = await start(t);
  const requester = await submitter();
  const attemptId = await attemptOf(root, requester);
  const { results } = channelOf(t, address, requester);
  const name = '1.c4gh';
  const whole = FILES[name] ?? assert.fail();
  const first: Uint8Array[] = [];
  for await (const { data } of results.fetch({ attemptId, name })) {
    first.push(data);
    if (first.length === 2) break;
  }
  const begun = Buffer.concat(first);
  assert.ok(begun.length > 0 && begun.length < whole.length);
  const rest = await bytesOf(results.fetch({ attemptId, name, offset: BigInt(begun.length) }));
  assert.ok(Buffer.concat([begun, rest]).equals(whole));
  const atEnd = BigInt(whole.length);
  assert.equal((await bytesOf(results.fetch({ attemptId, name, offset: atEnd }))).length, 0);
  const behind = results.fetch({ attemptId, name, offset: atEnd + 1n });
  await assert.rejects(bytesOf(behind), { code: 'USAGE' });
});

test('another account, a node and whoever asks too early or too late are told the same', async (t) => {
  const requester = await submitter();
  const { root, address } = await start(t);
  const attemptId = await attemptOf(root, requester);
  const early = await attemptOf(root, requester, null);
  const late = await attemptOf(root, requester, NOW_MS);
  const unknown = `att_${'f'.repeat(16)}`;
  const mine = channelOf(t, address, requester);
  const cases = [
    [channelOf(t, address, await submitter()), attemptId],
    [nodeChannelOf(t, address, testIdentity()), attemptId],
    [mine, early],
    [mine, late],
    [mine, unknown],
    [mine, `../${attemptId}`],
    [mine, ''],
  ] as const;
  const told = new Set<string>();
  for (const [channel, id] of cases) {
    const list = channel.results.list({ attemptId: id });
    await assert.rejects(list, { code: 'OBJECT_NOT_FOUND' });
    const fetch = bytesOf(channel.results.fetch({ attemptId: id, name: 'index.c4gh' }));
    await fetch.catch(({ code, message, hint }) => told.add(JSON.stringify([code, message, hint])));
  }
  assert.equal(told.size, 1, [...told].join());
  const nobody = channelOf(t, address).results.list({ attemptId });
  await assert.rejects(nobody, { code: 'UNAUTHENTICATED' });
  const reader = channelOf(t, address, { ...requester, ...(await sessionFor(requester)) });
  await assert.rejects(reader.results.list({ attemptId }), { code: 'ACCESS_REFUSED' });
});

/** The same wallet, signed in for reading alone. */
async function sessionFor({ wallet }: TestAccount): Promise<TestAccount> {
  const other = await testAccount(['read']);
  const session = await signSession(nodeCrypto, wallet, {
    account: wallet.address,
    sessionKey: toHex(nodeCrypto.ed25519PublicKey(other.secretKey)),
    network: NETWORK,
    scopes: ['read'],
    issuedAtMs: NOW_MS,
    expiresAtMs: NOW_MS + 3_600_000,
    nonce: toHex(nodeCrypto.random(16)),
  });
  return { ...other, session };
}

test('no name leads out of the sealed folder', async (t) => {
  const { root, address } = await start(t);
  const requester = await submitter();
  const attemptId = await attemptOf(root, requester);
  const sealed = sealedOf(join(root, attemptId));
  symlinkSync(join(root, attemptId, 'attempt.json'), join(sealed, '3.c4gh'));
  const { results } = channelOf(t, address, requester);
  const names = [
    ...['../attempt.json', 'attempt.json', '', '.', '..', '/etc/hostname', '3.c4gh', '4.c4gh'],
    ...[
      './1.c4gh',
      '1.c4gh/',
      '01.c4gh',
      '1.c4gh\0',
      '..%2fattempt.json',
      'INDEX.c4gh',
      '1.c4gh\n',
    ],
  ];
  for (const name of names) {
    const fetched = bytesOf(results.fetch({ attemptId, name }));
    await assert.rejects(fetched, { code: 'OBJECT_NOT_FOUND' }, JSON.stringify(name));
  }
});

/** Bytes that this process has read by now, from files and sockets (proc(5), /proc/pid/io). */
async function bytesRead(): Promise<number> {
  const io = await readFile('/proc/self/io', 'utf8');
  return Number(/^rchar: (\d+)$/m.exec(io)?.[1]);
}

test('of a large file no more is read than the requester takes, whatever its size', async (t) => {
  const { root, address } = await start(t);
  const requester = await submitter();
  const attemptId = await attemptOf(root, requester);
  const size = 512 * MIB;
  truncateSync(join(sealedOf(join(root, attemptId)), '1.c4gh'), size);
  const channel = channelOf(t, address, requester);
  const before = await bytesRead();
  const reading = channel.results.fetch({ attemptId, name: '1.c4gh' })[Symbol.asyncIterator]();
  assert.equal((await reading.next()).done, false);
  // Time for whatever can go on to go on: many answers of the same node, one after the other.
  for (let i = 0; i < 40; i += 1) await channel.results.list({ attemptId });
  // From the file, and once more from the socket where both ends are here.
  const read = (await bytesRead()) - before;
  assert.ok(read < 32 * MIB, `${read} bytes were read ahead`);
  await reading.return?.();
});

test('as many files as may be are fetched at once, and who leaves makes room', async (t) => {
  const { root, address } = await start(t);
  const requester = await submitter();
  const attemptId = await attemptOf(root, requester);
  truncateSync(join(sealedOf(join(root, attemptId)), '1.c4gh'), 64 * MIB);
  const { results } = channelOf(t, address, requester);
  const begin = async () => {
    const reading = results.fetch({ attemptId, name: '1.c4gh' })[Symbol.asyncIterator]();
    await reading.next();
    return reading;
  };
  const readings = [];
  for (let i = 0; i < 16; i += 1) readings.push(await begin());
  await assert.rejects(begin(), { code: 'BUSY' });
  for (const reading of readings) await reading.return?.();
  for (;;) {
    try {
      await (await begin()).return?.();
      return;
    } catch (error) {
      // The node has not seen yet that the others are gone.
      assert.equal((error as { code?: string }).code, 'BUSY');
    }
  }
});
