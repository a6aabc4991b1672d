/** Streams over the listener: bytes wait for whoever reads them, and end when nobody does. */
import assert from 'node:assert/strict';
import { createConnection, createServer, type Socket } from 'node:net';
import { type TestContext, test } from 'node:test';
import { setImmediate } from 'node:timers/promises';
import type { Channel } from '@helixmesh/client/network';
import { AppError } from '@helixmesh/protocol';
import { BioNfs } from '@helixmesh/protocol/bionfs';
import { channelOf, startTestNode, testAccount } from './testing/test-node.ts';

const CHUNK_BYTES = 64 * 1024;
const CHUNKS = 512;
/** What windows and buffers of both ends may hold: a stream's window of 4 MiB, and some of each layer. */
const AHEAD_BYTES_MAX = 8 * 1024 * 1024;

/** A node that sends `CHUNKS` pieces, and takes pieces as slowly as `pause` lets it. */
async function startStreams(t: TestContext, pause: () => Promise<void>) {
  const state = { sent: 0, taken: 0, left: 0 };
  const { address } = await startTestNode(t, (listener) => {
    listener.service(BioNfs, {
      async *read(_request, { signal }) {
        signal.addEventListener('abort', () => {
          state.left += 1;
        });
        for (; state.sent < CHUNKS; state.sent += 1) yield { data: new Uint8Array(CHUNK_BYTES) };
      },
      async write(requests) {
        for await (const { data } of requests) {
          state.taken += data.length;
          await pause();
        }
        return { objectId: `${state.taken}` };
      },
    });
  });
  return { state, channel: channelOf(t, address, await testAccount()) };
}

async function someTurns(): Promise<void> {
  for (let i = 0; i < 3; i += 1) await setImmediate();
}

test('a node reads ahead of a slow reader by a window, not by the object', async (t) => {
  const { state, channel } = await startStreams(t, async () => {});
  let read = 0;
  let furthest = 0;
  for await (const { data } of channel.bionfs.read({})) {
    read += data.length;
    await someTurns();
    furthest = Math.max(furthest, state.sent * CHUNK_BYTES - read);
  }
  assert.equal(read, CHUNKS * CHUNK_BYTES);
  assert.ok(furthest > 4 * CHUNK_BYTES, `the node was never ahead: ${furthest}`);
  assert.ok(furthest < AHEAD_BYTES_MAX, `${furthest} bytes waited`);
});

test('a writer is ahead of a slow node by a window, not by the object', async (t) => {
  const { state, channel } = await startStreams(t, someTurns);
  let written = 0;
  let furthest = 0;
  async function* pieces() {
    for (let i = 0; i < CHUNKS; i += 1) {
      furthest = Math.max(furthest, written - state.taken);
      written += CHUNK_BYTES;
      yield { data: new Uint8Array(CHUNK_BYTES) };
    }
  }
  const { objectId } = await channel.bionfs.write(pieces());
  assert.equal(objectId, `${CHUNKS * CHUNK_BYTES}`);
  assert.ok(furthest < AHEAD_BYTES_MAX, `${furthest} bytes waited`);
});

test('a reader that leaves the loop, or whose signal aborts, ends the call at the node', async (t) => {
  const { state, channel } = await startStreams(t, async () => {});
  for await (const { data } of channel.bionfs.read({})) {
    assert.equal(data.length, CHUNK_BYTES);
    break;
  }
  while (state.left < 1) await setImmediate();
  assert.ok(state.sent < CHUNKS, 'all was sent all the same');
  state.sent = 0;
  const controller = new AbortController();
  const reading = async () => {
    for await (const _ of channel.bionfs.read({}, { signal: controller.signal }))
      controller.abort();
  };
  await assert.rejects(reading(), { code: 'CANCELED' });
  while (state.left < 2) await setImmediate();
});

test('a writer that fails, gives up or is killed ends the call at the node as one that was cut off', async (t) => {
  const endings: unknown[] = [];
  const { address } = await startTestNode(t, (listener) => {
    listener.service(BioNfs, {
      async write(requests) {
        let size = 0;
        try {
          for await (const { data } of requests) size += data.length;
          endings.push(size);
        } catch (error) {
          endings.push(error);
        }
        return { objectId: '' };
      },
    });
  });
  const account = await testAccount();
  const endsWith = (end: (channel: Channel, stop: AbortController) => void) => async () => {
    const channel = channelOf(t, address, account);
    const stop = new AbortController();
    async function* pieces() {
      yield { data: new Uint8Array(CHUNK_BYTES) };
      yield { data: new Uint8Array(CHUNK_BYTES) };
      end(channel, stop);
      yield { data: new Uint8Array(CHUNK_BYTES) };
      while (!stop.signal.aborted) await setImmediate();
    }
    await assert.rejects(channel.bionfs.write(pieces(), { signal: stop.signal }), (error) => {
      assert.ok(error instanceof AppError);
      return true;
    });
    stop.abort();
  };
  const cuts = [
    endsWith(() => {
      throw new RangeError('the disk is gone');
    }),
    endsWith((_channel, stop) => stop.abort()),
    endsWith((channel) => channel.close()),
  ];
  for (const [i, cut] of cuts.entries()) {
    await cut();
    while (endings.length <= i) await setImmediate();
    assert.ok(endings[i] instanceof Error, `${i}: ${endings[i]} bytes look like all of them`);
  }
});

/** A way to the node that ends as a machine in between has it end. */
async function startRelay(t: TestContext, port: number) {
  const sockets: Socket[] = [];
  const server = createServer((inner) => {
    const outer = createConnection({ port, host: '127.0.0.1' });
    inner.pipe(outer).on('error', () => inner.destroy());
    outer.pipe(inner).on('error', () => outer.destroy());
    sockets.push(inner);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  t.after(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  const address = server.address();
  assert.ok(typeof address === 'object' && address !== null);
  return { port: address.port, end: (how: 'end' | 'reset') => sockets.forEach(ENDINGS[how]) };
}

const ENDINGS: Readonly<Record<'end' | 'reset', (socket: Socket) => void>> = {
  end: (socket) => void socket.end(),
  reset: (socket) => void socket.resetAndDestroy(),
};

test('who writes or reads while the connection is lost is told that the node is gone, not that they gave up', async (t) => {
  for (const how of ['end', 'reset'] as const) {
    const { state, channel: direct } = await startStreams(t, someTurns);
    const relay = await startRelay(t, direct.address.port);
    const account = await testAccount();
    const open = () => channelOf(t, { ...direct.address, port: relay.port }, account);
    const writing = open();
    async function* pieces() {
      for (;;) {
        yield { data: new Uint8Array(CHUNK_BYTES) };
        if (state.taken > 0) relay.end(how);
        await someTurns();
      }
    }
    await assert.rejects(writing.bionfs.write(pieces()), { code: 'PEER_UNREACHABLE' }, how);
    const reading = async () => {
      for await (const _ of open().bionfs.read({})) relay.end(how);
    };
    await assert.rejects(reading(), { code: 'PEER_UNREACHABLE' }, how);
  }
});

test('a writer that is refused is told while it still sends, and stops', async (t) => {
  const { channel } = await startStreams(t, async () => {});
  const nobody = channelOf(t, channel.address);
  let hasStopped = false;
  async function* endless() {
    try {
      for (;;) yield { data: new Uint8Array(CHUNK_BYTES) };
    } finally {
      hasStopped = true;
    }
  }
  await assert.rejects(nobody.bionfs.write(endless()), { code: 'UNAUTHENTICATED' });
  while (!hasStopped) await setImmediate();
});
