import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { createConnection, createServer, type Socket } from 'node:net';
import { type TestContext, test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { startTcpProxy } from './tcp-proxy.ts';

/** A server that sends back what it gets, behind a proxy. */
async function bench(t: TestContext) {
  const open = new Set<Socket>();
  const server = createServer((socket) => {
    open.add(socket);
    socket.on('error', () => undefined).pipe(socket);
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as { port: number };
  const proxy = await startTcpProxy({ target: () => port });
  t.after(async () => {
    await proxy.close();
    for (const socket of open) socket.destroy();
    server.close();
  });
  const client = createConnection(Number(proxy.endpoint.split(':')[1]), '127.0.0.1');
  await once(client, 'connect');
  t.after(() => client.destroy());
  return { proxy, client };
}

async function echoed(client: Socket, bytes: Buffer): Promise<Buffer> {
  const got: Buffer[] = [];
  const whole = Promise.withResolvers<void>();
  let missing = bytes.length;
  const take = (chunk: Buffer) => {
    got.push(chunk);
    missing -= chunk.length;
    if (missing <= 0) whole.resolve();
  };
  client.on('data', take).write(bytes);
  await whole.promise;
  client.off('data', take);
  return Buffer.concat(got);
}

test('what goes in comes out, in order, delayed as told', async (t) => {
  const { proxy, client } = await bench(t);
  const bytes = randomBytes(3_000_000);
  assert.ok((await echoed(client, bytes)).equals(bytes));
  proxy.set({ delayMs: 100 });
  const beganMs = performance.now();
  assert.ok((await echoed(client, bytes)).equals(bytes));
  assert.ok(performance.now() - beganMs >= 200, 'there and back');
  assert.ok(proxy.seen.bytes >= 4 * bytes.length);
});

test('while it parts the sides nothing passes and nobody is told; then all of it comes', async (t) => {
  const { proxy, client } = await bench(t);
  proxy.set({ isParted: true });
  let [isClosed, heard] = [false, 0];
  client.on('close', () => {
    isClosed = true;
  });
  const counts = (chunk: Buffer) => {
    heard += chunk.length;
  };
  client.on('data', counts);
  client.write('x');
  await delay(100);
  assert.deepEqual([isClosed, heard], [false, 0]);
  proxy.set({ isParted: false });
  await once(client, 'data');
  assert.equal(heard, 1);
});

test('it resets connections, now or after so many bytes, and takes new ones', async (t) => {
  const { proxy, client } = await bench(t);
  const failed = once(client, 'error');
  proxy.set({ cutAfterBytes: 1_000 });
  client.write(Buffer.alloc(1_000));
  assert.equal((await failed)[0].code, 'ECONNRESET');
  proxy.set({ cutAfterBytes: null });
  const other = createConnection(Number(proxy.endpoint.split(':')[1]), '127.0.0.1');
  await once(other, 'connect');
  const also = once(other, 'error');
  other.write('x');
  await once(other, 'data');
  proxy.cut();
  assert.equal((await also)[0].code, 'ECONNRESET');
  assert.equal(proxy.seen.connections, 2);
});
