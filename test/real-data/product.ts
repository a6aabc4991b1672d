/** The product on real reads, through the command line and a daemon, with what it has left. */
import assert from 'node:assert/strict';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { cleanUp, type Daemon, runCli, startDaemon } from '../support/daemon.ts';
import { readJournal } from '../support/journal.ts';

export interface Node {
  readonly folder: string;
  /** Runs one sample to its end and answers what it has given; a failure fails the test. */
  analyse(sampleId: string, options: Readonly<Record<string, string>>): Promise<Product>;
  stop(): Promise<void>;
}

export interface Product {
  readonly jobId: string;
  /** Path of the deliverable `<sample><suffix>`. */
  file(suffix: string): string;
  /** A deliverable in JSON. */
  // biome-ignore lint/suspicious/noExplicitAny: the test reads the few fields that it names.
  json(suffix: string): Promise<any>;
  /** What the pipeline decided after the alignment. */
  readonly plan: { readonly shards: number; readonly caller: 'freebayes' | 'bcftools' };
}

/** A daemon over a new folder. */
export async function startNode(env: Readonly<Record<string, string>> = {}): Promise<Node> {
  const folder = await mkdtemp(join(tmpdir(), 'hm-real-'));
  const dataDir = join(folder, 'data');
  let daemon: Daemon | null = null;
  const stop = async () => {
    await cleanUp(dataDir, daemon);
    await rm(folder, { recursive: true, force: true, maxRetries: 5 });
  };
  try {
    daemon = await startDaemon({ dataDir, env });
  } catch (error) {
    await stop();
    throw error;
  }
  return {
    folder,
    stop,
    analyse: async (sampleId, options) => {
      const outDir = await mkdtemp(join(folder, 'out-'));
      const flags = Object.entries({ ...options, sample: sampleId, out: outDir });
      const args = flags.flatMap(([name, value]) => [`--${name}`, value]);
      const { code, stdout, stderr } = await runCli(dataDir, ['--json', 'run', ...args]);
      assert.equal(code, 0, stderr);
      const jobId: string = JSON.parse(stdout)[0].jobId;
      const file = (suffix: string) => join(outDir, `${sampleId}${suffix}`);
      return {
        jobId,
        file,
        json: async (suffix) => JSON.parse(await readFile(file(suffix), 'utf8')),
        plan: planOf(dataDir, jobId),
      };
    },
  };
}

function planOf(dataDir: string, jobId: string): Product['plan'] {
  const row = readJournal(dataDir).find((each) => each.jobId === jobId && each.step === 'plan');
  assert.ok(row !== undefined, 'the journal tells no plan');
  return row.payload as unknown as Product['plan'];
}

/** Asking SnpEff for its version starts a Java machine; a run without gene models needs none. */
export const WITHOUT_SNPEFF = { HELIXMESH_SNPEFF_JAR: '/nowhere/snpeff.jar' };
