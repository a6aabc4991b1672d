/** A network on this machine with the benchmark's reads sealed in its vault, and their owner. */
import type { ChildProcess } from 'node:child_process';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import type { NodeView } from '@helixmesh/protocol/sealing';
import {
  commandOf,
  peakMemory,
  startCommand,
  stopCommand,
  type Took,
  timed,
  untilSaid,
} from '../support/commands.ts';
import { copyReference, type Input, readsOf } from '../support/simulated.ts';

/** Between two looks whether nodes have proved themselves, ms. */
const LOOK_MS = 500;

export interface Devnet {
  readonly coordinator: string;
  /** Ids of the datasets of R1 and R2. */
  readonly datasets: readonly string[];
  /** Data folders of the nodes that compute. */
  readonly computeDirs: readonly string[];
  /** Runs `biofs` as the owner. */
  biofs(args: readonly string[]): Promise<Took>;
  /** Largest resident memory of each node so far, bytes; of its engine and tools nothing. */
  peaks(): Readonly<Record<string, number>>;
  close(): Promise<void>;
}

export interface DevnetOptions {
  readonly folder: string;
  readonly input: Input;
  /** Nodes that compute. */
  readonly computes: number;
  /** Cores of each of them. */
  readonly coresEach: number;
}

interface Made {
  readonly nodes: readonly MadeNode[];
  readonly processes: readonly { readonly name: string; readonly pid: number }[];
}

interface MadeNode {
  readonly name: string;
  readonly role: string;
  readonly dataDir: string;
  readonly address: string;
  readonly keyFile: string;
}

/** Answers when the reads are stored and every node that computes is available. */
export async function startDevnet(options: DevnetOptions): Promise<Devnet> {
  const { folder, input, computes, coresEach } = options;
  const dataDir = join(folder, 'net');
  const size = ['--nodes', String(computes + 2), '--port', '0'];
  const { stdout } = await timed(
    commandOf('helixmesh', dataDir, ['devnet', ...size, '--no-start']),
  );
  const { nodes }: Made = JSON.parse(stdout);
  const byRole = (role: string) => nodes.filter((node) => node.role === role);
  for (const node of [...byRole('compute'), ...byRole('custodian')]) {
    await copyReference(input, node.dataDir);
  }
  const env = { HELIXMESH_CORES: String(coresEach) };
  const child = startCommand(commandOf('helixmesh', dataDir, ['devnet'], env));
  // However this process ends, the network ends with it.
  process.once('exit', () => child.kill('SIGTERM'));
  try {
    const [answer] = await untilSaid(child, /^\{\n[\s\S]*^\}$/m);
    const { processes }: Made = JSON.parse(answer);
    return await ready({ input, nodes, processes, child });
  } catch (error) {
    await stopCommand(child);
    throw error;
  }
}

async function ready(started: Made & { readonly input: Input; readonly child: ChildProcess }) {
  const { input, nodes, processes, child } = started;
  const one = (role: string) => nodes.filter((node) => node.role === role)[0] as MadeNode;
  const [owner, vault, coordinator] = [one('custodian'), one('storage'), one('coordinator')];
  const biofs = (args: readonly string[]) => timed(commandOf('biofs', owner.dataDir, args));
  await biofs(['login', '--key-file', owner.keyFile]);
  const put = await biofs(['put', ...readsOf(input), '--vault', vault.address]);
  const stored: readonly { readonly dataset: string }[] = JSON.parse(put.stdout);
  const computeDirs = nodes.filter(({ role }) => role === 'compute').map(({ dataDir }) => dataDir);
  while ((await availableNodes(coordinator)) < computeDirs.length) await delay(LOOK_MS);
  return {
    coordinator: coordinator.address,
    datasets: stored.map(({ dataset }) => dataset),
    computeDirs,
    biofs,
    peaks: () => Object.fromEntries(processes.map(({ name, pid }) => [name, peakMemory(pid)])),
    close: () => stopCommand(child),
  };
}

async function availableNodes({ dataDir }: MadeNode): Promise<number> {
  const { stdout } = await timed(commandOf('helixmesh', dataDir, ['node', 'list']));
  const nodes: readonly NodeView[] = JSON.parse(stdout);
  const computing = nodes.filter(({ services }) => services.includes('compute'));
  return computing.filter(({ admission }) => admission === 'available').length;
}
