/** Statements against the result that was agreed on, and against a folder of files. */
import assert from 'node:assert/strict';
import { mkdir, mkdtemp, rename, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import type { AttemptId, Digest, TaskId } from '@helixmesh/protocol';
import { nodeCrypto } from '@helixmesh/protocol/node';
import {
  digestFrom,
  encodeDocument,
  nodeIdOf,
  RESULT_STATEMENT_FILE,
  RESULT_STATEMENT_TYPE,
  type ResultIndex,
  type ResultStatement,
  resultDigestOf,
  signWithKey,
  toHex,
  utf8,
} from '@helixmesh/protocol/sealing';
import { assertStatement, type Stated } from './result-statement.ts';
import { verifyFolder } from './verify-folder.ts';

const FILES = { 'qc/sample.json': '{"reads":7}', 'sample.bam': 'alignments', 'sample.bai': '' };
const network = digestOf('network');
const node = keyPair();
const nodeId = nodeIdOf(toHex(node.publicKey));
const canonical = { format: 'bam', digest: digestOf('alignments alone') } as const;
const jobHash = digestOf('job hash');
const compared = { jobHash, files: [{ path: 'sample.bam', ...canonical }] };
const OPERATOR = `0x${'1'.repeat(40)}`;

const honest: ResultStatement = {
  type: RESULT_STATEMENT_TYPE,
  network,
  job: digestOf('job'),
  taskId: `task_${'0'.repeat(32)}` as TaskId,
  attemptId: `att_${'0'.repeat(16)}` as AttemptId,
  fencingToken: 1,
  nodeId,
  operator: OPERATOR,
  jobHash,
  resultDigest: resultDigestOf(nodeCrypto, network, compared),
  outputs: Object.entries(FILES)
    .map(([path, text]) => ({
      path,
      sizeBytes: text.length,
      sha256: digestOf(text),
      canonical: path === 'sample.bam' ? canonical : null,
    }))
    .sort((a, b) => (a.path < b.path ? -1 : 1)),
  startedAtMs: 1,
  endedAtMs: 2,
};

const index: ResultIndex = {
  jobHash,
  compared: compared.files,
  files: honest.outputs.map(({ path, sizeBytes }, i) => ({
    path,
    sizeBytes,
    sealedAs: `${i + 1}.c4gh`,
  })),
};
const wanted: Stated = {
  jobId: honest.job,
  taskId: honest.taskId,
  source: { attemptId: honest.attemptId, nodeId, operator: OPERATOR },
  expected: honest.resultDigest,
  index,
};

function keyPair() {
  const secretKey = nodeCrypto.random(32);
  return { secretKey, publicKey: nodeCrypto.ed25519PublicKey(secretKey) };
}

function digestOf(text: string): Digest {
  return digestFrom(nodeCrypto.sha256(utf8(text)));
}

function signed(change: Partial<ResultStatement> = {}, { secretKey } = node) {
  return signWithKey(nodeCrypto, secretKey, { ...honest, ...change });
}

async function folderOf(t: TestContext, statement: object | null = signed()): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'hm-statement-'));
  t.after(() => rm(folder, { recursive: true, force: true }));
  await mkdir(join(folder, 'qc'));
  for (const [path, text] of Object.entries(FILES)) await writeFile(join(folder, path), text);
  const to = join(folder, RESULT_STATEMENT_FILE);
  if (statement !== null) await writeFile(to, encodeDocument(statement));
  return folder;
}

test('a statement is taken for its attempt, its job, its digest and its files, and for no others', () => {
  const person = { crypto: nodeCrypto, network };
  assert.doesNotThrow(() => assertStatement(person, signed(), wanted));
  assert.doesNotThrow(() => assertStatement(person, signed({ operator: null }), wanted));
  const stranger = keyPair();
  const [first = assert.fail(), ...rest] = honest.outputs;
  const lies = {
    'another job': signed({ job: jobHash }),
    'another task': signed({ taskId: `task_${'1'.repeat(32)}` as TaskId }),
    'another attempt': signed({ attemptId: `att_${'1'.repeat(16)}` as AttemptId }),
    'another operator': signed({ operator: `0x${'2'.repeat(40)}` }),
    'another network': signed({ network: jobHash }),
    'another result': signed({ resultDigest: jobHash }),
    'another canonical digest': signed({
      outputs: honest.outputs.map((output) =>
        output.canonical === null
          ? output
          : { ...output, canonical: { ...canonical, digest: jobHash } },
      ),
    }),
    'a file less': signed({ outputs: rest }),
    'a file more': signed({ outputs: [...honest.outputs, { ...first, path: 'z' }] }),
    'another size': signed({ outputs: [{ ...first, sizeBytes: 1 }, ...rest] }),
    'another name': signed({ outputs: [{ ...first, path: 'a' }, ...rest] }),
    "another's signature": signed({}, stranger),
    'another node': signed({ nodeId: nodeIdOf(toHex(stranger.publicKey)) }, stranger),
  };
  for (const [why, lie] of Object.entries(lies)) {
    assert.throws(() => assertStatement(person, lie, wanted), { code: 'RESULT_DIFFERS' }, why);
  }
});

test('a folder is what was stated, or the error says which files were changed, are missing or were added', async (t) => {
  const folder = await folderOf(t);
  const { stated } = await verifyFolder(nodeCrypto, folder);
  assert.deepEqual([stated.nodeId, stated.job, stated.operator], [nodeId, honest.job, OPERATOR]);

  await writeFile(join(folder, 'sample.bam'), 'ALIGNMENTS');
  await rename(join(folder, 'sample.bai'), join(folder, 'qc', 'sample.bai'));
  await rm(join(folder, 'qc', 'sample.json'));
  await symlink('../sample.bam', join(folder, 'qc', 'sample.json'));
  await assert.rejects(verifyFolder(nodeCrypto, folder), {
    code: 'INPUT_CHANGED',
    details: {
      changed: ['qc/sample.json', 'sample.bam'],
      missing: ['sample.bai'],
      added: ['qc/sample.bai'],
    },
  });
});

test('a folder without a statement that its node has signed shows nothing', async (t) => {
  const stranger = keyPair();
  const foreign = { ...signed(), document: { ...honest, job: jobHash } };
  const wrong: readonly (readonly [string, object | null])[] = [
    ['INPUT_NOT_FOUND', null],
    ['INPUT_MALFORMED', { anything: true }],
    ['PEER_NOT_TRUSTED', foreign],
    ['PEER_NOT_TRUSTED', signed({}, stranger)],
    ['PEER_NOT_TRUSTED', signed({ resultDigest: jobHash })],
  ];
  for (const [code, statement] of wrong) {
    await assert.rejects(verifyFolder(nodeCrypto, await folderOf(t, statement)), { code });
  }
  await assert.rejects(verifyFolder(nodeCrypto, '/nowhere-at-all'), { code: 'INPUT_NOT_FOUND' });
});
