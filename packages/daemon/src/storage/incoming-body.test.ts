import assert from 'node:assert/strict';
import { test } from 'node:test';
import { incomingBody } from './incoming-body.ts';
import { isError } from './testing/bench.ts';

const stateId = Uint8Array.of(1);
const message = (bytes: number, id = new Uint8Array(0)) => ({
  stateId: id,
  data: new Uint8Array(bytes),
});

async function sizeOf(bytes: AsyncIterable<Uint8Array>): Promise<number> {
  let size = 0;
  for await (const piece of bytes) size += piece.length;
  return size;
}

test('a sender who stops sending is cut off, and is not waited for', async () => {
  async function* stalled() {
    yield message(10, stateId);
    await new Promise(() => {});
  }
  using body = await incomingBody(stalled(), { stepMs: 20 });
  await assert.rejects(sizeOf(body.bytes), isError('BUSY', /too slowly/));
});

test('a sender who never begins is cut off', async () => {
  async function* silent() {
    await new Promise(() => {});
    yield message(0);
  }
  await assert.rejects(incomingBody(silent(), { stepMs: 20 }), isError('BUSY'));
});

test('bytes that trickle in do not count as progress', async () => {
  let sent = 0;
  async function* trickling() {
    for (; ; sent += 1) {
      yield message(1, sent === 0 ? stateId : undefined);
      await new Promise((resolve) => setTimeout(resolve, 1));
    }
  }
  using body = await incomingBody(trickling(), { stepMs: 50, stepBytes: 1_000_000 });
  await assert.rejects(sizeOf(body.bytes), isError('BUSY'));
  assert.ok(sent > 1);
});

test('the time in which the vault was busy does not count', async () => {
  async function* sending() {
    yield message(10, stateId);
    for (let i = 0; i < 5; i += 1) yield message(10);
  }
  using body = await incomingBody(sending(), { stepMs: 1_000 });
  let size = 0;
  for await (const piece of body.bytes) {
    size += piece.length;
    const untilMs = performance.now() + 300;
    while (performance.now() < untilMs) await new Promise(setImmediate);
  }
  assert.equal(size, 60);
});

test('the source ends when the body is disposed of, read or not', async () => {
  let hasEnded = false;
  async function* sending() {
    try {
      yield message(10, stateId);
      yield message(10);
    } finally {
      hasEnded = true;
    }
  }
  {
    using body = await incomingBody(sending());
    assert.equal(body.stateId, stateId);
  }
  await new Promise(setImmediate);
  assert.ok(hasEnded);
});
