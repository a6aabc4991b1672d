/** A place for attempts in tests: real folders and real processes, started as a tool would be. */
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TaskOutput, type TaskSpec, type ToolName, taskKey } from '@helixmesh/pipelines';
import { AppError, type AttemptId } from '@helixmesh/protocol';
import type { AttemptRequest, Isolation } from '../outcome.ts';

export const ISOLATIONS: readonly Isolation[] = ['bubblewrap', 'process_group'];
const TEST_VERSION = '1';

export class Bench implements AsyncDisposable {
  readonly root: string;
  #attempts = 0;

  private constructor(root: string) {
    this.root = root;
  }

  static async create(): Promise<Bench> {
    return new Bench(await mkdtemp(join(tmpdir(), 'helixmesh-executor-')));
  }

  get scratchRoot(): string {
    return join(this.root, 'scratch');
  }

  get storeRoot(): string {
    return join(this.root, 'store');
  }

  /** An attempt in which every tool is bash and each stage one script. */
  request(spec: TaskSpec, more: Partial<AttemptRequest> = {}): AttemptRequest {
    this.#attempts++;
    const attemptId = `att_${this.#attempts.toString(16).padStart(16, '0')}` as AttemptId;
    const bash = { argv: ['/bin/bash', '--norc'], version: TEST_VERSION };
    return {
      spec,
      key: more.key ?? taskKey(spec),
      attemptId,
      scratchRoot: this.scratchRoot,
      storeRoot: this.storeRoot,
      threads: 2,
      resolveInput: async (input) => (input.kind === 'file' ? input.location : ''),
      tools: { bwa: bash, samtools: bash, bcftools: bash, helixmesh: { argv: [], version: '1' } },
      signal: new AbortController().signal,
      ...more,
    };
  }

  /** Names in the scratch folder; empty when it was never made. */
  async scratch(): Promise<string[]> {
    return readdir(this.scratchRoot).catch(() => []);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await rm(this.root, { recursive: true, force: true });
  }
}

const STAGE_TOOLS: readonly ToolName[] = ['bwa', 'samtools', 'bcftools'];

/** A task of one command: the scripts piped into each other and into `out.txt`. */
export function scriptTask(
  scripts: readonly string[],
  outputs: readonly TaskOutput[] = [OUT],
): TaskSpec {
  const stages = scripts.map((script, i) => ({
    tool: STAGE_TOOLS[i] ?? 'bcftools',
    args: ['-c', script],
  }));
  return { ...BASE, commands: [{ kind: 'tools', stages, stdout: 'out.txt' }], outputs };
}

export function builtinTask(name: string, args: Readonly<Record<string, unknown>> = {}): TaskSpec {
  return { ...BASE, commands: [{ kind: 'builtin', name, args }], outputs: [OUT] };
}

export const OUT: TaskOutput = { name: 'out.txt', format: 'text', retention: 'result' };

const BASE = {
  name: 'test',
  pool: 'qc',
  inputs: [],
  toolVersions: { bwa: '1', samtools: '1', bcftools: '1', helixmesh: '1' },
  resources: { cores: 1, memoryMib: 64 },
} as const;

/** Pids of the processes whose arguments hold `mark`. */
export async function processesWith(mark: string): Promise<number[]> {
  const found: number[] = [];
  for (const name of await readdir('/proc')) {
    const pid = Number(name);
    if (!Number.isInteger(pid) || pid === process.pid) continue;
    const text = await readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => '');
    if (text.includes(mark)) found.push(pid);
  }
  return found;
}

/** Asks until `condition` answers something true; throws after `timeoutMs`. */
export async function until<T>(condition: () => Promise<T>, timeoutMs = 10_000): Promise<T> {
  for (const endMs = performance.now() + timeoutMs; ; ) {
    const value = await condition();
    if (value) return value;
    if (performance.now() > endMs)
      throw new AppError('INTERNAL', 'the condition did not come true in time');
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}
