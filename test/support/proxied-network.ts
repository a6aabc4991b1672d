/**
 * The network of `helixmesh devnet`, each node a process that a test starts and kills, and before
 * each a proxy through which everybody else reaches it.
 */
import assert from 'node:assert/strict';
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { answerOf, type NetworkNode, startNetworkNode } from './network.ts';
import { enginePid, killHard } from './processes.ts';
import { startTcpProxy, type TcpProxy } from './tcp-proxy.ts';

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
  /** All that the nodes have said and that went over the proxies, and files below `folder`. */
  traces(isLookedAt: (path: string) => boolean): AsyncGenerator<Trace>;
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
    const proxy = await startTcpProxy({ target: () => node.port, recordTo });
    const coordinator = nodes.find(({ role }) => role === 'coordinator')?.address;
    nodes.push(proxied(node, { proxy, coordinator, said }));
  }
  return {
    folder,
    nodes,
    sample: made.sample,
    node: (name) => nodes.find((each) => each.name === name) ?? assert.fail(`no node ${name}`),
    async *traces(isLookedAt) {
      yield { name: 'what nodes said', bytes: Buffer.from(said.join('\n')) };
      for (const root of [folder, traffic]) yield* filesBelow(root, isLookedAt);
    },
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

function proxied(
  { name, role, dataDir, address, keyFile }: MadeNode,
  {
    proxy,
    coordinator,
    said,
  }: { readonly proxy: TcpProxy; readonly coordinator: string | undefined; said: string[] },
): ProxiedNode {
  const registers = role !== 'custodian' && coordinator !== undefined;
  const env = {
    HELIXMESH_ENDPOINT: proxy.endpoint,
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
