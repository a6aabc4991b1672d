/** Nodes and people of a network as they are used: processes of their own, told by command lines. */
import assert from 'node:assert/strict';
import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { START_DEADLINE_MS, STEP_DEADLINE_MS } from './limits.ts';
import { waitFor } from './wait-for.ts';

const ROOT = join(import.meta.dirname, '..', '..');
const NODE_ARGS = ['--conditions=development', '--disable-warning=ExperimentalWarning'];
const MAINS = {
  helixmesh: join(ROOT, 'apps', 'cli', 'src', 'main.ts'),
  biofs: join(ROOT, 'apps', 'cli', 'src', 'biofs', 'main.ts'),
} as const;

export interface Ran {
  readonly code: number | null;
  readonly stdout: Buffer;
  readonly stderr: string;
}

export interface RunOptions {
  readonly dataDir: string;
  /** kill -9 as soon as standard error says this. */
  readonly killAt?: RegExp;
  /** Told of everything on standard error so far, whenever there is more of it. */
  readonly onSaid?: (said: string) => void;
}

type Environment = Readonly<Record<string, string>>;

type Program = keyof typeof MAINS;

function start(
  program: Program,
  args: readonly string[],
  more: Environment = {},
): ChildProcessWithoutNullStreams {
  const { FORCE_COLOR: _, ...inherited } = process.env;
  const env = { ...inherited, NO_COLOR: '1', ...more };
  const child = spawn(process.execPath, [...NODE_ARGS, MAINS[program], ...args], { env });
  child.stdin.end();
  return child;
}

/** Runs one command to its end. */
export async function run(
  program: Program,
  args: readonly string[],
  { dataDir, killAt, onSaid }: RunOptions,
): Promise<Ran> {
  const child = start(program, ['--data', dataDir, ...args]);
  const out: Buffer[] = [];
  let stderr = '';
  child.stdout.on('data', (chunk: Buffer) => out.push(chunk));
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    stderr += text;
    onSaid?.(stderr);
    if (killAt?.test(stderr) === true) child.kill('SIGKILL');
  });
  const [code] = await once(child, 'close');
  return { code, stdout: Buffer.concat(out), stderr };
}

/** What a command answers with --json; it must succeed. */
export async function answerOf(program: Program, args: readonly string[], dataDir: string) {
  const { code, stdout, stderr } = await run(program, ['--json', ...args], { dataDir });
  assert.equal(code, 0, `${program} ${args.join(' ')}\n${stdout}${stderr}`);
  return JSON.parse(stdout.toString('utf8'));
}

/** The code of the failure that a command answers with. */
export async function failureOf(program: Program, args: readonly string[], dataDir: string) {
  const { code, stdout } = await run(program, ['--json', ...args], { dataDir });
  assert.notEqual(code, 0, `${program} ${args.join(' ')} succeeded`);
  return JSON.parse(stdout.toString('utf8')).error.code as string;
}

export interface NetworkNode {
  /** `node_…@127.0.0.1:port`. */
  readonly address: string;
  /** Everything that it has said. */
  said(): string;
  /** SIGTERM, and waits until it is gone. */
  stop(): Promise<void>;
  /** kill -9, and waits until it is gone. */
  kill(): Promise<void>;
}

/** Starts the node of a data folder and answers when others reach it. */
export async function startNetworkNode(
  dataDir: string,
  env: Environment = {},
): Promise<NetworkNode> {
  const child = start('helixmesh', ['--data', dataDir, 'up', '--log-level', 'debug'], env);
  const closed = once(child, 'close');
  let said = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', (text: string) => {
      said += text;
    });
  }
  const address = await waitFor(
    () => {
      assert.equal(child.exitCode, null, said);
      return /^Address: (node_\S+)$/m.exec(said)?.[1];
    },
    { deadline: START_DEADLINE_MS, what: 'the node says its address' },
  ).catch((error) => {
    child.kill('SIGKILL');
    throw error;
  });
  return {
    address,
    said: () => said,
    async stop() {
      if (child.exitCode === null && child.signalCode === null) child.kill('SIGTERM');
      const hung = setTimeout(() => child.kill('SIGKILL'), STEP_DEADLINE_MS);
      await closed;
      clearTimeout(hung);
    },
    async kill() {
      child.kill('SIGKILL');
      await closed;
    },
  };
}
