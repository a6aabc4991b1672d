/** A vault and a person for the benchmarks of the data plane: processes, as people run them. */
import { type ChildProcess, spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { AppError } from '@helixmesh/protocol';

const APPS = join(import.meta.dirname, '../../apps/cli/src');
const MAINS = {
  helixmesh: join(APPS, 'main.ts'),
  biofs: join(APPS, 'biofs', 'main.ts'),
} as const;
const NODE_ARGS = ['--conditions=development', '--disable-warning=ExperimentalWarning'];
/** Between two looks at the memory of a process, ms. The kernel keeps the peak. */
const LOOK_MS = 50;

export interface Took {
  readonly ms: number;
  /** Largest resident memory of the command, bytes; 0 where it was not seen. */
  readonly peakBytes: number;
  readonly stdout: string;
}

export interface BenchNetwork {
  readonly vaultAddress: string;
  /** Largest resident memory of the vault since it was asked last, bytes. */
  vaultPeakBytes(): number;
  /** Runs `biofs` as the person. */
  biofs(args: readonly string[]): Promise<Took>;
  close(): Promise<void>;
}

/** One vault and one person without a custodian, below `folder`. */
export async function startBenchNetwork(folder: string): Promise<BenchNetwork> {
  const at = (name: string) => join(folder, name);
  const local = ['--listen', '127.0.0.1:0'];
  const node = ['init', '--role', 'storage', '--network-name', 'bench', ...local];
  await timed(commandOf('helixmesh', at('vault'), node));
  const vault = spawnOf(commandOf('helixmesh', at('vault'), ['up']));
  const vaultAddress = await addressOf(vault);
  await writeFile(at('key'), `${randomBytes(32).toString('hex')}\n`, { mode: 0o600 });
  const genesis = ['--genesis', join(at('vault'), 'network.json')];
  const biofs = (args: readonly string[]) => timed(commandOf('biofs', at('person'), args));
  await biofs(['login', '--key-file', at('key'), ...genesis]);
  return {
    vaultAddress,
    vaultPeakBytes: () => peakOf(vault),
    biofs,
    async close() {
      const closed = once(vault, 'close');
      vault.kill('SIGTERM');
      await closed;
    },
  };
}

export interface CommandLine {
  readonly program: string;
  readonly args: readonly string[];
}

function commandOf(
  program: keyof typeof MAINS,
  dataDir: string,
  args: readonly string[],
): CommandLine {
  const all = [...NODE_ARGS, MAINS[program], '--data', dataDir, '--json', ...args];
  return { program: process.execPath, args: all };
}

/** Runs a command to its end. Throws TOOL_FAILED with what it has said. */
export async function timed(line: CommandLine): Promise<Took> {
  const startedMs = performance.now();
  const child = spawnOf(line);
  let stdout = '';
  let stderr = '';
  let peakBytes = 0;
  child.stdout?.setEncoding('utf8').on('data', (text: string) => {
    stdout += text;
  });
  child.stderr?.setEncoding('utf8').on('data', (text: string) => {
    stderr += text;
  });
  const look = setInterval(() => {
    peakBytes = Math.max(peakBytes, peakOf(child));
  }, LOOK_MS);
  const [code] = await once(child, 'close');
  clearInterval(look);
  if (code === 0) return { ms: performance.now() - startedMs, peakBytes, stdout };
  throw new AppError('TOOL_FAILED', `${line.args.join(' ')} ended with ${code}`, {
    hint: `It said: ${stdout}${stderr}`,
  });
}

function spawnOf({ program, args }: CommandLine): ChildProcess {
  return spawn(program, args, { stdio: ['ignore', 'pipe', 'pipe'] });
}

/** VmHWM of /proc/PID/status. */
function peakOf({ pid }: ChildProcess): number {
  try {
    const status = readFileSync(`/proc/${pid}/status`, 'utf8');
    return Number(/^VmHWM:\s+(\d+) kB$/m.exec(status)?.[1] ?? 0) * 1024;
  } catch {
    // It has ended.
    return 0;
  }
}

async function addressOf(node: ChildProcess): Promise<string> {
  let said = '';
  for await (const text of node.stderr?.setEncoding('utf8') ?? []) {
    said += text;
    const address = /^Address: (node_\S+)$/m.exec(said)?.[1];
    if (address === undefined) continue;
    node.stderr?.resume();
    return address;
  }
  throw new AppError('TOOL_FAILED', 'the vault did not start', { hint: said });
}
