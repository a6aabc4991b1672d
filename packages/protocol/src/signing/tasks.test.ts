/** Jobs of the network, assignments, commits, reveals, statements and their chain, against `tasks.json`. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { fromHex, toHex, utf8 } from '../bytes.ts';
import { nodeCrypto } from '../crypto/node-crypto.ts';
import { portableCrypto } from '../crypto/portable-crypto.ts';
import { digestFrom } from '../digest.ts';
import type { Digest } from '../ids.ts';
import { isAppError, knownBytes, throwsOnlyAppError, vectorText } from '../testing/bytes.ts';
import { assignmentRefusal, parseAssignment } from './assignment.ts';
import {
  type Commitment,
  commitOf,
  isSignedByItsNode,
  opensCommit,
  parseCommitStatement,
  parseReveal,
} from './commit.ts';
import { parseChainEntry, verifyChain } from './commit-chain.ts';
import {
  type DocumentHead,
  documentId,
  encodeDocument,
  type Signed,
  signDocument,
  verifyWithKey,
} from './document.ts';
import {
  type NetworkJob,
  networkJobSchema,
  networkTaskId,
  parseNetworkJob,
  verifyNetworkJob,
} from './network-job.ts';
import { parseResultStatement, verifyResultStatement } from './result-statement.ts';
import { walletOf } from './wallet.ts';

interface SignedCases {
  readonly publicKey: string;
  readonly id: Digest;
  readonly cases: readonly {
    readonly bytes: string;
    readonly verdict: 'valid' | 'signature' | 'network' | 'malformed';
    readonly why: string;
  }[];
}

interface Vectors {
  readonly network: Digest;
  readonly job: { readonly document: NetworkJob; readonly canonical: string; readonly id: Digest };
  readonly notTheJobsId: Readonly<Record<string, Digest>>;
  readonly task: {
    readonly name: string;
    readonly id: string;
    readonly not: Readonly<Record<string, string>>;
  };
  readonly commits: readonly {
    readonly commit: Digest;
    readonly isValid: boolean;
    readonly why: string;
  }[];
  readonly assignment: SignedCases;
  readonly statement: SignedCases;
  readonly reveal: SignedCases;
  readonly resultStatement: SignedCases & {
    /** Signed by their node, and what is said of them by who makes the result digest anew. */
    readonly results: readonly {
      readonly bytes: string;
      readonly verdict: 'valid' | 'result';
      readonly why: string;
    }[];
  };
  readonly chain: readonly {
    readonly entries: readonly string[];
    readonly status: string;
    readonly why: string;
  }[];
}
const vectors = JSON.parse(vectorText('tasks.json')) as Vectors;
const { job, network } = vectors;
const wallets = JSON.parse(vectorText('wallet.json')) as { secretKey: string };
const wallet = walletOf(nodeCrypto, fromHex(wallets.secretKey, { what: 'a key', bytes: 32 }));

const PARSERS: Readonly<Record<string, (bytes: Uint8Array) => Signed<DocumentHead>>> = {
  assignment: parseAssignment,
  statement: parseCommitStatement,
  reveal: parseReveal,
  resultStatement: parseResultStatement,
};

test('a job has the id of another implementation, and its tasks too', () => {
  assert.equal(toHex(encodeDocument(job.document)), toHex(utf8(job.canonical)));
  for (const crypto of [nodeCrypto, portableCrypto]) {
    assert.equal(documentId(crypto, job.document), job.id);
    const named = { network, job: job.id, name: vectors.task.name };
    assert.equal(networkTaskId(crypto, named), vectors.task.id);
  }
  for (const [why, id] of Object.entries(vectors.notTheJobsId)) assert.notEqual(id, job.id, why);
  for (const [why, id] of Object.entries(vectors.task.not)) {
    assert.notEqual(id, vectors.task.id, why);
  }
});

test('a job holds for its signer, its network, its coordinator and its time', async () => {
  const signed = parseNetworkJob(encodeDocument(await signDocument(wallet, job.document)));
  const { coordinator, issuedAtMs, expiresAtMs } = job.document;
  const expected = { network, coordinator, nowMs: issuedAtMs };
  const verdict = (change: Partial<typeof expected>, of = signed) =>
    verifyNetworkJob(nodeCrypto, of, { ...expected, ...change });
  assert.deepEqual(verdict({}), { status: 'valid', id: job.id });
  const invalid = (reason: string) => ({ status: 'invalid', reason });
  const other = digestFrom(knownBytes(32));
  assert.deepEqual(verdict({ network: other }), invalid('network'));
  const { nodeId } = job.document.outputCustodian;
  assert.deepEqual(verdict({ coordinator: nodeId }), invalid('coordinator'));
  assert.deepEqual(verdict({ nowMs: issuedAtMs - 60_001 }), invalid('not_yet'));
  assert.deepEqual(verdict({ nowMs: expiresAtMs }), invalid('expired'));
  const changes: readonly Partial<NetworkJob>[] = [
    { maxPriceMicroUsd: '12500001' },
    { redundancy: 1 },
    { nonce: '0'.repeat(32) },
    { requester: `0x${'1'.repeat(40)}` },
    { outputCustodian: { ...job.document.outputCustodian, nodeId: coordinator } },
  ];
  for (const change of changes) {
    const lie = { ...signed, document: { ...job.document, ...change } };
    assert.deepEqual(verdict({}, lie), invalid('signature'));
  }
});

test('jobs that no requester can mean are refused', () => {
  const { document } = job;
  const [first = assert.fail(), second = assert.fail()] = document.datasets;
  const wrong: readonly object[] = [
    { type: 'helixmesh/job/v1' },
    { datasets: [] },
    { datasets: [first, first] },
    { datasets: [second, first] },
    { redundancy: 0 },
    { redundancy: 8, replicasMax: 15 },
    { redundancy: 3, replicasMax: 2 },
    { replicasMax: 16 },
    { expiresAtMs: document.issuedAtMs },
    { expiresAtMs: document.issuedAtMs + 14 * 86_400_000 + 1 },
    { maxPriceMicroUsd: '012' },
    { maxPriceMicroUsd: '-1' },
    { maxPriceMicroUsd: '1.5' },
    { parameters: { 'a b': 1 } },
    { parameters: { a: 1.5 } },
    { parameters: { a: { b: 1 } } },
    { parameters: Object.fromEntries(Array.from({ length: 65 }, (_, i) => [`p${i}`, i])) },
    { pipeline: { name: 'Germline', version: 1 } },
    { pipeline: { name: 'germline', version: 0 } },
    { constraints: { ...document.constraints, operators: [] } },
    { chainId: 0 },
    { anything: true },
  ];
  assert.ok(networkJobSchema.safeParse(document).success);
  for (const change of wrong) {
    const { success } = networkJobSchema.safeParse({ ...document, ...change });
    assert.equal(success, false, JSON.stringify(change));
  }
});

test('assignments, commits, reveals and statements are signed and spelled as another implementation does', () => {
  for (const [name, parse] of Object.entries(PARSERS)) {
    const { publicKey, id, cases } = vectors[name as 'reveal'];
    const expected = { network, publicKey: fromHex(publicKey, { what: 'a key', bytes: 32 }) };
    assert.ok(cases.length > 12);
    for (const { bytes, verdict, why } of cases) {
      if (verdict === 'malformed') {
        assert.throws(() => parse(utf8(bytes)), isAppError('INPUT_MALFORMED'), `${name}: ${why}`);
        continue;
      }
      for (const crypto of [nodeCrypto, portableCrypto]) {
        const found = verifyWithKey(crypto, parse(utf8(bytes)), expected);
        const should: object =
          verdict === 'valid' ? { status: 'valid', id } : { status: 'invalid', reason: verdict };
        assert.deepEqual(found, should, why);
      }
    }
  }
});

test('an assignment holds for its job, its datasets, the operators that it allows and its time', () => {
  const [first = assert.fail()] = vectors.assignment.cases;
  const signed = parseAssignment(utf8(first.bytes));
  const { issuedAtMs, expiresAtMs } = signed.document;
  const context = { job: job.document, id: job.id, nowMs: issuedAtMs };
  const refusal = (change: Partial<typeof context>) =>
    assignmentRefusal(nodeCrypto, signed, { ...context, ...change });
  assert.equal(refusal({}), null);
  assert.equal(refusal({ id: network }), 'job');
  assert.equal(refusal({ nowMs: expiresAtMs }), 'expired');
  assert.equal(refusal({ nowMs: issuedAtMs - 60_001 }), 'not_yet');
  const other = { ...job.document, datasets: job.document.datasets.slice(1) };
  assert.equal(refusal({ job: other }), 'datasets');
  const allowing = (...operators: string[]) => {
    const constraints = { ...job.document.constraints, operators };
    return { job: { ...job.document, constraints } };
  };
  const { operator } = signed.document;
  assert.equal(refusal(allowing(operator)), null);
  assert.equal(refusal(allowing(operator.replace(/.$/, '0'))), 'operator');
  const { nodeId } = job.document.outputCustodian;
  assert.equal(refusal({ job: { ...job.document, coordinator: nodeId } }), 'signature');
});

test('a commit is the hash of another implementation, and of nothing near it', () => {
  const [valid = assert.fail()] = vectors.reveal.cases;
  const reveal = parseReveal(utf8(valid.bytes)).document;
  assert.ok(vectors.commits.length > 12);
  for (const { commit, isValid, why } of vectors.commits) {
    assert.equal(opensCommit(nodeCrypto, reveal, commit), isValid, why);
  }
  const [statement = assert.fail()] = vectors.statement.cases;
  const signed = parseCommitStatement(utf8(statement.bytes));
  assert.ok(isSignedByItsNode(nodeCrypto, signed, network));
  assert.ok(!isSignedByItsNode(nodeCrypto, signed, digestFrom(knownBytes(32))));
  const { nodeId } = job.document.outputCustodian;
  const copied = { ...signed, document: { ...signed.document, nodeId } };
  assert.ok(!isSignedByItsNode(nodeCrypto, copied, network), "copied into another node's name");
});

test('a statement of a result holds for its signer, its network, and the digest of what it states', () => {
  const { results, id } = vectors.resultStatement;
  assert.ok(results.length > 6);
  for (const { bytes, verdict, why } of results) {
    const signed = parseResultStatement(utf8(bytes));
    for (const crypto of [nodeCrypto, portableCrypto]) {
      const should: object =
        verdict === 'valid' ? { status: 'valid', id } : { status: 'invalid', reason: verdict };
      assert.deepEqual(verifyResultStatement(crypto, signed, network), should, why);
    }
  }
  const [first = assert.fail()] = results;
  const signed = parseResultStatement(utf8(first.bytes));
  const { nodeId } = job.document.outputCustodian;
  const copied = { ...signed, document: { ...signed.document, nodeId } };
  const reasonOf = (...given: Parameters<typeof verifyResultStatement>) => {
    const verdict = verifyResultStatement(...given);
    return verdict.status === 'invalid' ? verdict.reason : null;
  };
  assert.equal(reasonOf(nodeCrypto, copied, network), 'signature');
  assert.equal(reasonOf(nodeCrypto, signed, digestFrom(knownBytes(32))), 'network');
});

test('no two commitments have one commit', () => {
  const hex = (bytes: number) =>
    fc.uint8Array({ minLength: bytes, maxLength: bytes }).map((raw) => toHex(raw));
  const commitments: fc.Arbitrary<Commitment> = fc.record({
    network: hex(32).map((text) => `sha256:${text}` as never),
    taskId: hex(16).map((text) => `task_${text}` as never),
    attemptId: hex(8).map((text) => `att_${text}` as never),
    fencingToken: fc.integer({ min: 1, max: Number.MAX_SAFE_INTEGER }),
    nodeId: hex(32).map((text) => `node_${text}` as never),
    resultDigest: hex(32).map((text) => `sha256:${text}` as never),
    salt: hex(32),
  });
  fc.assert(
    fc.property(commitments, commitments, (a, b) => {
      assert.equal(commitOf(nodeCrypto, a), commitOf(portableCrypto, a));
      for (const key of Object.keys(a) as (keyof Commitment)[]) {
        const changed = { ...a, [key]: b[key] };
        const isSame = a[key] === b[key];
        assert.equal(commitOf(nodeCrypto, a) === commitOf(nodeCrypto, changed), isSame);
      }
    }),
    { numRuns: 50 },
  );
});

test('a chain holds in its order, whole, and in the name of its coordinator only', () => {
  const { coordinator } = job.document;
  assert.ok(vectors.chain.length > 6);
  for (const { entries, status, why } of vectors.chain) {
    const parsed = entries.map((entry) => parseChainEntry(utf8(entry)));
    const verdict = verifyChain(nodeCrypto, parsed, { network, coordinator });
    assert.equal(verdict.status === 'valid' ? 'valid' : verdict.reason, status, why);
  }
  const nothing = verifyChain(nodeCrypto, [], { network, coordinator });
  assert.deepEqual(nothing, { status: 'valid', last: null });
});

test('any bytes as one of these documents throw at most an AppError', () => {
  const parsers = [parseNetworkJob, parseChainEntry, ...Object.values(PARSERS)];
  fc.assert(
    fc.property(fc.uint8Array(), fc.jsonValue(), (bytes, json) => {
      for (const parse of parsers) {
        throwsOnlyAppError(() => parse(bytes));
        throwsOnlyAppError(() => parse(utf8(JSON.stringify({ document: json, signature: json }))));
      }
    }),
  );
  const fields = fc.constantFrom(...Object.keys(job.document));
  fc.assert(
    fc.property(fields, fc.jsonValue(), (field, json) => {
      const document = { ...job.document, [field]: json };
      const signature = `0x${'0'.repeat(130)}`;
      throwsOnlyAppError(() => parseNetworkJob(utf8(JSON.stringify({ document, signature }))));
    }),
  );
});
