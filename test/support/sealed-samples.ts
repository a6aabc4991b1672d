/** Samples for a network under test: simulated reads with planted names, sealed into a vault. */
import assert from 'node:assert/strict';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { gunzipSync, gzipSync } from 'node:zlib';
import { nodePaths } from '@helixmesh/daemon/data-folder';
import { addReference, simulate } from '@helixmesh/pipelines';
import { answerOf } from './network.ts';
import { formsOf } from './planted-text.ts';
import type { ProxiedNetwork } from './proxied-network.ts';

/** In the names of files and of reads. */
export const CANARY = 'CANARY-8W4T';
export const REFERENCE = 'simulated';
/** Label of every sample at a node, where its name is not known. */
const LABEL = 'sample';

const SIZE = { contigs: 3, basesPerContig: 20_000, coverage: 8, mitochondrion: false } as const;
const FASTQ_LINES = 4;
/** Reads whose bases are looked for. */
const SOUGHT_READS = 40;

export interface SealedSample {
  readonly name: string;
  readonly reads: readonly [r1: string, r2: string];
  /** The datasets of the reads. */
  readonly datasets: readonly string[];
}

export interface Samples {
  readonly all: readonly SealedSample[];
  /** What must not be found where it does not belong. */
  readonly needles: Readonly<Record<string, Buffer>>;
}

/**
 * Makes `count` samples of one genome, each without another part of its reads; adds the reference to
 * compute nodes and owner, and puts the reads into `vault`. The owner has logged in.
 */
export async function sealSamples(
  network: ProxiedNetwork,
  { count, vault }: { readonly count: number; readonly vault: string },
): Promise<Samples> {
  const input = join(network.folder, 'input');
  await simulate({ outDir: input, sampleId: CANARY, seed: 9, ...SIZE });
  const holders = network.nodes.filter(({ role }) => role === 'compute' || role === 'custodian');
  for (const { dataDir } of holders) await addSimulated(network, dataDir);
  const owner = network.node('owner');
  const all: SealedSample[] = [];
  const needles: Record<string, Buffer> = formsOf('a name', CANARY);
  for (let i = 0; i < count; i++) {
    const name = `${CANARY}-${i + 1}`;
    const folder = join(network.folder, name);
    await mkdir(folder);
    const reads = await Promise.all([
      writeReads(join(input, 'reads_R1.fastq.gz'), { folder, name: `${name}_R1`, part: i }),
      writeReads(join(input, 'reads_R2.fastq.gz'), { folder, name: `${name}_R2`, part: i }),
    ]);
    const put = ['put', ...reads, '--vault', network.node(vault).address];
    const stored = (await answerOf('biofs', put, owner.dataDir)) as { dataset: string }[];
    all.push({ name, reads, datasets: stored.map(({ dataset }) => dataset) });
    for (const path of reads) Object.assign(needles, await needlesOf(path));
  }
  return { all, needles };
}

export async function addSimulated(network: ProxiedNetwork, dataDir: string): Promise<void> {
  const file = (name: string) => join(network.folder, 'input', name);
  await addReference(
    { name: REFERENCE, fasta: file('ref.fa'), par: file('par.bed') },
    { storeDir: nodePaths(dataDir).referenceRoot },
  );
}

/** Runs a sample on this machine alone; answers the folder with its results. */
export async function analyseAlone(
  network: ProxiedNetwork,
  { name, reads: [r1, r2] }: SealedSample,
): Promise<string> {
  // No path of it holds the canary: what is found there is found in files.
  const dataDir = join(network.folder, `alone${name.slice(CANARY.length)}`);
  await mkdir(dataDir, { mode: 0o700 });
  await addSimulated(network, dataDir);
  const out = join(network.folder, `expected-${name}`);
  const reads = ['--r1', r1, '--r2', r2, '--reference', REFERENCE];
  await answerOf('helixmesh', ['run', '--sample', LABEL, ...reads, '--out', out], dataDir);
  return out;
}

/** All reads but every fifth from the one of number `part` on, with the canary in their names. */
async function writeReads(
  from: string,
  { folder, name, part }: { readonly folder: string; readonly name: string; readonly part: number },
): Promise<string> {
  const lines = gunzipSync(await readFile(from))
    .toString('latin1')
    .split('\n');
  const kept: string[] = [];
  for (let i = 0; i + FASTQ_LINES <= lines.length; i += FASTQ_LINES) {
    if ((i / FASTQ_LINES) % 5 === part % 5) continue;
    const [title = '', ...rest] = lines.slice(i, i + FASTQ_LINES);
    kept.push(`@${CANARY}.${title.slice(1)}`, ...rest);
  }
  const path = join(folder, `${name}.fastq.gz`);
  await writeFile(path, gzipSync(`${kept.join('\n')}\n`));
  return path;
}

async function needlesOf(path: string): Promise<Record<string, Buffer>> {
  const packed = await readFile(path);
  const lines = gunzipSync(packed).toString('latin1').split('\n');
  const bases = lines.filter((_, i) => i % FASTQ_LINES === 1).slice(0, SOUGHT_READS);
  assert.equal(bases.length, SOUGHT_READS);
  const middle = Math.floor(packed.length / 2);
  return {
    [`the packed reads ${path}`]: packed.subarray(middle, middle + 64),
    ...Object.fromEntries(bases.map((read, i) => [`read ${i} of ${path}`, Buffer.from(read)])),
  };
}
