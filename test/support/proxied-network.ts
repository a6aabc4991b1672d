/**
 * The network of `helixmesh devnet`, each node a process that a test starts and kills, and before
 * each a proxy through which everybody else reaches it.
 */
import assert from 'node:assert/strict';
import { mkdir, mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { http2Content } from './http2-content.ts';
import { answerOf, type NetworkNode, startNetworkNode } from './network.ts';
import { enginePid, killHard } from './processes.ts';
import { startTcpProxy, type TcpProxy } from './tcp-proxy.ts';
import { openConnection, parseKeyLog } from './tls-traffic.ts';

export interface ProxiedNode {
  readonly name: string;
  readonly role: string;
  readonly dataDir: string;
  /** Through the proxy. */
  readonly address: string;
  readonly keyFile: string;
  readonly proxy: TcpProxy;
  /** Starts it, as often as it has ended. */
  start(): Promise<void>;
  kill(): Promise<void>;
  stop(): Promise<void>;
}

export interface ProxiedNetwork {
  /** Holds the network, and beside it what a test puts there. */
  readonly folder: string;
  readonly nodes: readonly ProxiedNode[];
  readonly sample: { readonly r1: string; readonly r2: string; readonly reference: string } | null;
  node(name: string): ProxiedNode;
  /** All that the nodes have said and files below `folder`. */
  traces(isLookedAt: (path: string) => boolean): AsyncGenerator<Trace>;
  /** What went over the proxies, as it was on the wire. */
  wire(): AsyncGenerator<Trace>;
  /** The same connections, opened: what the peers read. */
  insideTls(): AsyncGenerator<Trace>;
  stop(): Promise<void>;
}

export interface Trace {
  readonly name: string;
  readonly bytes: Buffer;
}

/** Made, and not started yet. `options` are those of `devnet`. */
export async function makeProxiedNetwork(options: readonly string[]): Promise<ProxiedNetwork> {
  const folder = await mkdtemp(join(tmpdir(), 'hm-proxied-'));
  const traffic = await mkdtemp(join(tmpdir(), 'hm-traffic-'));
  const command = ['devnet', '--port', '0', '--no-start', ...options];
  const made = await answerOf('helixmesh', command, join(folder, 'net'));
  const said: string[] = [];
  const nodes: ProxiedNode[] = [];
  for (const node of made.nodes as readonly MadeNode[]) {
    const recordTo = join(traffic, node.name);
    await mkdir(recordTo);
    const proxy = await startTcpProxy({ target: () => node.port, recordTo });
    const coordinator = nodes.find(({ role }) => role === 'coordinator')?.address;
    nodes.push(proxied(node, { proxy, coordinator, said, keyLog: join(traffic, KEY_LOG) }));
  }
  return {
    folder,
    nodes,
    sample: made.sample,
    node: (name) => nodes.find((each) => each.name === name) ?? assert.fail(`no node ${name}`),
    async *traces(isLookedAt) {
      yield { name: 'what nodes said', bytes: Buffer.from(said.join('\n')) };
      yield* filesBelow(folder, isLookedAt);
    },
    wire: () => filesBelow(traffic, (path) => !path.endsWith(KEY_LOG)),
    insideTls: () => openedBelow(traffic),
    async stop() {
      await Promise.all(nodes.map((node) => node.stop()));
      await Promise.all(nodes.map(({ proxy }) => proxy.close()));
      for (const { dataDir } of nodes) {
        const engine = enginePid(dataDir);
        if (engine !== undefined) killHard(engine);
      }
      for (const each of [folder, traffic]) {
        await rm(each, { recursive: true, force: true, maxRetries: 5 });
      }
    },
  };
}

interface MadeNode {
  readonly name: string;
  readonly role: string;
  readonly port: number;
  readonly dataDir: string;
  readonly address: string;
  readonly keyFile: string;
}

/** In the folder of what went over the proxies: the secrets of its connections. */
const KEY_LOG = 'tls-secrets';

interface Surroundings {
  readonly proxy: TcpProxy;
  readonly coordinator: string | undefined;
  readonly said: string[];
  readonly keyLog: string;
}

function proxied(
  { name, role, dataDir, address, keyFile }: MadeNode,
  { proxy, coordinator, said, keyLog }: Surroundings,
): ProxiedNode {
  const registers = role !== 'custodian' && coordinator !== undefined;
  const env = {
    HELIXMESH_ENDPOINT: proxy.endpoint,
    NODE_OPTIONS: `--tls-keylog=${keyLog}`,
    ...(registers ? { HELIXMESH_COORDINATOR: coordinator } : {}),
  };
  let running: NetworkNode | null = null;
  const end = async (how: 'stop' | 'kill') => {
    const ending = running;
    running = null;
    await ending?.[how]();
    if (ending !== null) said.push(ending.said());
  };
  return {
    name,
    role,
    dataDir,
    keyFile,
    proxy,
    address: `${address.split('@')[0]}@${proxy.endpoint}`,
    async start() {
      assert.equal(running, null, `${name} runs already`);
      running = await startNetworkNode(dataDir, env);
    },
    kill: () => end('kill'),
    stop: () => end('stop'),
  };
}

/** Files that vanish while they are looked for are none. */
async function* filesBelow(
  root: string,
  isLookedAt: (path: string) => boolean,
): AsyncGenerator<Trace> {
  for (const entry of await readdir(root, { recursive: true, withFileTypes: true })) {
    const name = join(entry.parentPath, entry.name);
    if (!entry.isFile() || !isLookedAt(name)) continue;
    const bytes = await readFile(name).catch((error) => {
      if (error.code === 'ENOENT') return undefined;
      throw error;
    });
    if (bytes !== undefined) yield { name, bytes };
  }
}

/** One trace for each direction of a connection whose secrets its ends have written down. */
async function* openedBelow(traffic: string): AsyncGenerator<Trace> {
  const keyLog = parseKeyLog(await readFile(join(traffic, KEY_LOG), 'latin1'));
  for await (const { name, bytes } of filesBelow(traffic, (path) => path.endsWith('.client'))) {
    const server = await readFile(name.replace(/client$/, 'server'));
    const opened = openConnection({ client: bytes, server }, keyLog);
    if (opened === null) continue;
    for (const side of ['client', 'server'] as const) {
      const { headers, data } = http2Content(opened[side]);
      yield { name: `inside ${name}, by its ${side}`, bytes: Buffer.concat([headers, data]) };
    }
  }
}
