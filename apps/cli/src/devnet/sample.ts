/** A simulated sample beside a devnet, whose reference compute nodes and owner know under one name. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { nodePaths } from '@helixmesh/daemon/data-folder';
import { addReference } from '@helixmesh/pipelines';
import { simulateSample } from '../commands/simulate.ts';

export const REFERENCE = 'devnet';

export interface DevnetSample {
  readonly r1: string;
  readonly r2: string;
  readonly reference: string;
}

/** Three contigs at a depth at which an analysis takes seconds. */
const SIZE = {
  sample: 'DEMO',
  seed: 7,
  contigs: 3,
  bases: 20_000,
  coverage: 12,
  sex: 'XY',
} as const;

/** Made once; the references are added where they are not. */
export async function prepareSample(
  dataDir: string,
  nodes: readonly { readonly dataDir: string }[],
): Promise<DevnetSample> {
  const folder = join(dataDir, 'sample');
  if (!existsSync(join(folder, 'manifest.json'))) await simulateSample(folder, SIZE);
  const file = (name: string) => join(folder, name);
  for (const node of nodes) {
    const { referenceRoot } = nodePaths(node.dataDir);
    const files = { name: REFERENCE, fasta: file('ref.fa'), par: file('par.bed') };
    await addReference(files, { storeDir: referenceRoot });
  }
  return {
    r1: file('reads_R1.fastq.gz'),
    r2: file('reads_R2.fastq.gz'),
    reference: REFERENCE,
  };
}
