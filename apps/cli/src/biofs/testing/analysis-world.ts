/** A network of two nodes that hand over a result made beforehand, and a person with reads in it. */
import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import {
  type AnalysisBench,
  type makeResult,
  startAnalysisBench,
  storeReads,
} from '@helixmesh/daemon/testing/analysis';
import { canonicalJson } from '@helixmesh/protocol';
import { formatNodeAddress } from '@helixmesh/protocol/sealing';
import { type Bench, makeBench, runBiofs } from '../../testing/cli.ts';

const KEY = 'ac0974bec39a17e36ba4a6b4d238ff944bacb478cbed5efcae784d7bf4f2ff80';

export interface World extends Bench {
  readonly network: AnalysisBench;
  readonly dataDir: string;
  /** Without `--coordinator`. */
  readonly analyze: readonly string[];
  readonly coordinator: readonly string[];
}

export interface WorldOptions {
  /** Folder for what the nodes keep. */
  readonly root: string;
  readonly made: Awaited<ReturnType<typeof makeResult>>;
}

/** The person has logged in, and a vault has the reads. */
export async function makeWorld(t: TestContext, { root, made }: WorldOptions): Promise<World> {
  const { outDir } = made;
  const result = { jobHash: made.jobHash, files: made.files };
  const network = await startAnalysisBench(t, { root, outDir, result, nodes: 2 });
  const bench = await makeBench(t);
  await writeFile(join(bench.folder, 'wallet.key'), `${KEY}\n`, { mode: 0o600 });
  await writeFile(join(bench.folder, 'network.json'), canonicalJson(network.genesis));
  const login = ['login', '--key-file', 'wallet.key', '--genesis', 'network.json'];
  await answerOf(bench, [...login, '--custodian', '127.0.0.1:1']);
  const dataDir = join(bench.folder, 'data');
  const reads = await storeReads(dataDir, { walletKey: KEY, network: network.network });
  const price = ['--reference', made.reference, '--max-price', '0.50'];
  const coordinator = ['--coordinator', formatNodeAddress(network.coordinator)];
  return { ...bench, network, dataDir, coordinator, analyze: ['analyze', ...reads, ...price] };
}

/** What a command that succeeds answers. */
export async function answerOf(b: Bench, args: readonly string[]) {
  const { code, stdout, stderr } = await runBiofs(b, ['--json', ...args]);
  assert.equal(code, 0, `${args.join(' ')}\n${stdout}${stderr}`);
  return JSON.parse(stdout);
}

/** The code of a command that fails. */
export async function failureOf(b: Bench, args: readonly string[]): Promise<string> {
  const { code, stdout } = await runBiofs(b, ['--json', ...args]);
  assert.notEqual(code, 0, stdout);
  return JSON.parse(stdout).error.code;
}
