/** Fetching sealed results over TLS from a node whose stream breaks off, or that sends what it did not say. */
import assert from 'node:assert/strict';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { fetchSealed } from '@helixmesh/client/results';
import { AppError, type AttemptId, type ErrorCode } from '@helixmesh/protocol';
import { nodeCrypto } from '@helixmesh/protocol/node';
import { Results } from '@helixmesh/protocol/results';
import { channelOf, startTestNode, testAccount } from '../network/testing/test-node.ts';
import { temporaryFolder } from '../testing/temporary-folder.ts';

const PIECE_BYTES = 100_000;
const CONTENT = Buffer.from(nodeCrypto.random(10 * PIECE_BYTES + 7));
const attemptId = `att_${'0'.repeat(16)}` as AttemptId;
const folder = temporaryFolder('fetch-sealed');
const access = { signedBy: 'account', scope: 'submit' } as const;
let count = 0;

/** A node that sends `content`, and after each `breakAfter` pieces fails with `code`. */
async function nodeOf(
  t: TestContext,
  { content = CONTENT, breakAfter = Number.POSITIVE_INFINITY, code = 'BUSY' as ErrorCode } = {},
) {
  const offsets: number[] = [];
  const { address } = await startTestNode(t, (listener) => {
    const calls = {
      async *fetch({ offset }: { readonly offset: bigint }) {
        offsets.push(Number(offset));
        let pieces = 0;
        for (let at = Number(offset); at < content.length; at += PIECE_BYTES) {
          if (pieces++ >= breakAfter)
            throw new AppError(code, 'no more for now', { hint: 'Wait.' });
          yield { data: content.subarray(at, at + PIECE_BYTES) };
        }
      },
    };
    listener.service(Results, calls, { list: access, fetch: access });
  });
  const { results } = channelOf(t, address, await testAccount(['submit']));
  const path = join(folder, String(++count));
  const signal = new AbortController().signal;
  const fetch = (onBytes?: (bytes: number) => void) => {
    const file = { results, attemptId, name: '1.c4gh', sizeBytes: CONTENT.length, path, signal };
    return fetchSealed({ ...file, ...(onBytes === undefined ? {} : { onBytes }) });
  };
  return { offsets, path, fetch };
}

const withCode = (code: ErrorCode) => (error: unknown) => AppError.from(error).code === code;

test('a stream that breaks off again and again is taken up where it broke', async (t) => {
  const { offsets, path, fetch } = await nodeOf(t, { breakAfter: 4 });
  await fetch();
  assert.ok((await readFile(path)).equals(CONTENT));
  assert.deepEqual(offsets, [0, 4 * PIECE_BYTES, 8 * PIECE_BYTES]);
});

test('what lies on the disk from before is not fetched again', async (t) => {
  const { offsets, path, fetch } = await nodeOf(t);
  await writeFile(path, CONTENT.subarray(0, 300_001));
  const told: number[] = [];
  await fetch((bytes) => told.push(bytes));
  assert.deepEqual([offsets, told[0]], [[300_001], 300_001]);
  assert.equal(
    told.reduce((sum, bytes) => sum + bytes, 0),
    CONTENT.length,
  );
  assert.ok((await readFile(path)).equals(CONTENT));
  await fetch();
  assert.equal(offsets.length, 1, 'all of it is there: nobody is asked');
  await writeFile(path, Buffer.alloc(CONTENT.length + 1));
  await fetch();
  assert.ok((await readFile(path)).equals(CONTENT), 'more than all of it is something else');
});

test('a node that gives nothing more is given up, and what came stays', async (t) => {
  const { offsets, path, fetch } = await nodeOf(t, { breakAfter: 0 });
  await writeFile(path, CONTENT.subarray(0, 10));
  await assert.rejects(fetch(), withCode('BUSY'));
  assert.ok(offsets.length > 1 && offsets.length < 10, `${offsets.length} tries`);
  assert.ok((await readFile(path)).equals(CONTENT.subarray(0, 10)));
});

test('a refusal is asked for once', async (t) => {
  const { offsets, fetch } = await nodeOf(t, { breakAfter: 0, code: 'OBJECT_NOT_FOUND' });
  await assert.rejects(fetch(), withCode('OBJECT_NOT_FOUND'));
  assert.equal(offsets.length, 1);
});

test('no more is written than was announced, and less is no file', async (t) => {
  const longer = await nodeOf(t, { content: Buffer.concat([CONTENT, Buffer.alloc(1)]) });
  await assert.rejects(longer.fetch(), withCode('CIPHERTEXT_INVALID'));
  assert.ok((await readFile(longer.path)).length <= CONTENT.length);
  const shorter = await nodeOf(t, { content: CONTENT.subarray(0, -1) });
  await assert.rejects(shorter.fetch(), withCode('CIPHERTEXT_INVALID'));
});
