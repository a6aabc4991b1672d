/**
 * A TCP proxy between two processes that misbehaves when told: it delays, limits, cuts connections,
 * and parts the sides without a word to either. It can keep what went through it.
 *
 * T1  Bytes of a direction keep their order, whatever is changed while they are on their way.
 * T2  A slow receiver holds back its sender: what waits here is bounded.
 */
import { open } from 'node:fs/promises';
import { createConnection, createServer, type Server, type Socket } from 'node:net';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { LOOK_MS } from './limits.ts';

export interface ProxyConditions {
  /** Added to each way, ms. */
  readonly delayMs: number;
  /** Of each direction of each connection; null does not limit. */
  readonly bytesPerSecond: number | null;
  /** Nothing passes, nothing is refused, and nobody is told. */
  readonly isParted: boolean;
  /** Each connection is reset when this many bytes have passed it; null never. */
  readonly cutAfterBytes: number | null;
}

export interface TcpProxy {
  /** `127.0.0.1:port`. */
  readonly endpoint: string;
  set(change: Partial<ProxyConditions>): void;
  /** Resets all connections now; new ones are taken. */
  cut(): void;
  /** Connections since the start, and bytes that went through it. */
  readonly seen: { readonly connections: number; readonly bytes: number };
  close(): Promise<void>;
}

export interface ProxyOptions {
  /** Dialled on 127.0.0.1 for each connection; may change with the node behind it. */
  readonly target: () => number;
  /** What each side of each connection sends is kept in this folder: `1.client`, `1.server`, `2.client`… */
  readonly recordTo?: string;
}

const GOOD: ProxyConditions = {
  delayMs: 0,
  bytesPerSecond: null,
  isParted: false,
  cutAfterBytes: null,
};

export async function startTcpProxy({ target, recordTo }: ProxyOptions): Promise<TcpProxy> {
  const shared: Shared = { conditions: GOOD, connections: 0, bytes: 0, isClosed: false };
  const sockets = new Set<Socket>();
  const carrying = new Set<Promise<void>>();
  const server = createServer({ noDelay: true }, (inner) => {
    shared.connections += 1;
    const outer = createConnection({ port: target(), host: '127.0.0.1', noDelay: true });
    for (const socket of [inner, outer]) {
      sockets.add(socket);
      socket.on('close', () => sockets.delete(socket));
      socket.on('error', () => undefined); // `carry` sees it as the end of the stream.
    }
    const reset = () => {
      inner.resetAndDestroy();
      outer.resetAndDestroy();
    };
    const pair: Pair = { passed: 0, reset };
    const path = recordTo === undefined ? null : join(recordTo, `${shared.connections}`);
    const carried = [
      carry(inner, outer, { pair, shared, recordTo: path && `${path}.client` }),
      carry(outer, inner, { pair, shared, recordTo: path && `${path}.server` }),
    ];
    for (const one of carried) {
      carrying.add(one);
      void one.finally(() => carrying.delete(one));
    }
  });
  const port = await listen(server);
  const cut = () => {
    for (const socket of [...sockets]) socket.resetAndDestroy();
  };
  return {
    endpoint: `127.0.0.1:${port}`,
    set(change) {
      shared.conditions = { ...shared.conditions, ...change };
    },
    cut,
    get seen() {
      return { connections: shared.connections, bytes: shared.bytes };
    },
    async close() {
      shared.isClosed = true;
      const closed = new Promise<void>((resolve) => server.close(() => resolve()));
      cut();
      await closed;
      await Promise.all(carrying);
    },
  };
}

interface Shared {
  conditions: ProxyConditions;
  connections: number;
  bytes: number;
  isClosed: boolean;
}

interface Pair {
  passed: number;
  reset(): void;
}

/** What may wait in one direction of a connection, bytes: 160 MB/s over a delay of 100 ms. */
const WAITING_BYTES_MAX = 16 * 1024 * 1024;

interface Way {
  readonly pair: Pair;
  readonly shared: Shared;
  readonly recordTo: string | null;
}

/** One direction. A side that fails resets the other, as the network would. */
async function carry(from: Socket, to: Socket, { pair, shared, recordTo }: Way): Promise<void> {
  const record = recordTo === null ? null : await open(recordTo, 'a');
  let waiting = 0;
  let last = Promise.resolve();
  const deliver = async (chunk: Buffer, dueMs: number) => {
    await delay(Math.max(0, dueMs - performance.now()));
    await passable(shared, chunk.length);
    if (to.destroyed) return;
    await record?.write(chunk);
    shared.bytes += chunk.length;
    pair.passed += chunk.length;
    const { cutAfterBytes } = shared.conditions;
    if (cutAfterBytes !== null && pair.passed >= cutAfterBytes) return pair.reset();
    await written(to, chunk);
    waiting -= chunk.length;
  };
  try {
    for await (const chunk of from as AsyncIterable<Buffer>) {
      waiting += chunk.length;
      const dueMs = performance.now() + shared.conditions.delayMs;
      const before = last;
      last = before.then(() => deliver(chunk, dueMs));
      last.catch(() => undefined); // Heard of below.
      if (waiting > WAITING_BYTES_MAX) await last;
    }
    await last;
    await passable(shared, 0);
    to.end();
  } catch {
    await passable(shared, 0);
    pair.reset(); // The other side hears of it the same way.
  } finally {
    await last.catch(() => undefined);
    await record?.close();
  }
}

/** Waits as long as the conditions hold back that many bytes. */
async function passable(shared: Shared, bytes: number): Promise<void> {
  const { bytesPerSecond } = shared.conditions;
  if (bytesPerSecond !== null) await delay((bytes / bytesPerSecond) * 1000);
  while (shared.conditions.isParted && !shared.isClosed) await delay(LOOK_MS);
}

function written(to: Socket, chunk: Buffer): Promise<void> {
  return new Promise((resolve, reject) => {
    to.write(chunk, (error) => (error == null ? resolve() : reject(error)));
  });
}

async function listen(server: Server): Promise<number> {
  const listening = Promise.withResolvers<void>();
  server.once('error', listening.reject).listen(0, '127.0.0.1', listening.resolve);
  await listening.promise;
  const address = server.address();
  return typeof address === 'object' && address !== null ? address.port : 0;
}
