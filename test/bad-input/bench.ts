/** A simulated sample, a daemon, and what a refusal must look like on the command line. */
import assert from 'node:assert/strict';
import { existsSync, readdirSync } from 'node:fs';
import { cp, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { ERROR_TABLE, type ErrorCode } from '@helixmesh/protocol';
import { cleanUp, type Daemon, runCli, startDaemon } from '../support/daemon.ts';
import { type Bench, REFERENCE, type Sample, simulatedSample } from '../support/sample.ts';

export interface Refusal {
  readonly code: ErrorCode;
  /** In the sentence after `error:`. */
  readonly says: RegExp;
  /** In the line after the arrow. */
  readonly advises: RegExp;
}

export interface Workbench extends Bench {
  readonly sample: Sample;
  /** Runs the command line over the bench's data folder. */
  cli(args: readonly string[]): ReturnType<typeof runCli>;
  /** `run` of the simulated sample with other flags; null leaves a flag out. */
  run(flags?: Readonly<Record<string, string | null>>): ReturnType<typeof runCli>;
  /** The same, which must fail so and leave nothing in the output folder. */
  refused(flags: Readonly<Record<string, string | null>>, refusal: Refusal): Promise<void>;
  /** Writes a file into the bench's folder and answers its path. */
  write(name: string, content: string | Uint8Array): Promise<string>;
  /** The decompressed reads of one mate. */
  reads(mate: 'r1' | 'r2'): Promise<string>;
  stop(): Promise<void>;
}

export async function workbench(
  options: {
    readonly daemon?: boolean;
    readonly env?: Readonly<Record<string, string>>;
    /** Another place for the data folder. */
    readonly dataDir?: string;
  } = {},
): Promise<Workbench> {
  const sample = await simulatedSample();
  const made = await sample.newBench();
  const bench = { ...made, dataDir: options.dataDir ?? made.dataDir };
  if (bench.dataDir !== made.dataDir) await cp(made.dataDir, bench.dataDir, { recursive: true });
  const { dataDir, folder, outDir } = bench;
  let daemon: Daemon | null = null;
  const cli = (args: readonly string[]) => runCli(dataDir, args);
  const run = (flags: Readonly<Record<string, string | null>> = {}) => {
    const { r1, r2 } = sample;
    const all = { sample: 'S1', r1, r2, reference: REFERENCE, out: outDir, ...flags };
    const args = Object.entries(all).flatMap(([name, value]) =>
      value === null ? [] : [`--${name}`, value],
    );
    return cli(['--quiet', 'run', ...args]);
  };
  if (options.daemon !== false) {
    daemon = await startDaemon({ dataDir, env: { ...bench.env, ...options.env } });
  }
  return {
    ...bench,
    sample,
    cli,
    run,
    refused: async (flags, refusal) => {
      const outcome = await run(flags);
      assertRefusal(outcome, refusal);
      assert.deepEqual(visible(flags['out'] ?? outDir), []);
    },
    write: async (name, content) => {
      await writeFile(join(folder, name), content);
      return join(folder, name);
    },
    reads: async (mate) => gunzipSync(await readFile(sample[mate])).toString('latin1'),
    stop: async () => {
      await cleanUp(dataDir, daemon);
      await sample.remove();
    },
  };
}

/** One sentence, one line of advice and the code; no stack. */
export function assertRefusal(
  { code: exit, stderr }: { code: number | null; stderr: string },
  { code, says, advises }: Refusal,
): void {
  assert.match(stderr, new RegExp(`code ${code}\\n$`));
  assert.equal(exit, ERROR_TABLE[code].exit, stderr);
  const error = /^error: (.*)$/m.exec(stderr)?.[1] ?? '';
  const hint = /^ {2}→ (.*)$/m.exec(stderr)?.[1] ?? '';
  assert.match(error, says);
  assert.match(hint, advises);
  assert.doesNotMatch(stderr, /^\s+at .+:\d+:\d+\)?$/m, 'a stack is shown');
}

/** What stands in a folder under a name that a user looks at. */
export function visible(folder: string): string[] {
  return existsSync(folder) ? readdirSync(folder).filter((name) => !name.startsWith('.')) : [];
}
