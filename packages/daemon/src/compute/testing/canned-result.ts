/** The result of a real analysis of a small made genome, and a person's sealed reads without a vault. */
import { cp, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { gunzipSync, gzipSync } from 'node:zlib';
import { addReference, simulate } from '@helixmesh/pipelines';
import type { Digest } from '@helixmesh/protocol';
import { nodeCrypto } from '@helixmesh/protocol/node';
import { KEY_BYTES, utf8, type WalletSigner, walletOf } from '@helixmesh/protocol/sealing';
import { openCustody } from '../../custody/custody.ts';
import { sealedDataset, vault } from '../../testing/sealed-dataset.ts';
import { analyseEnclosed, type EnclosedResult } from '../enclosed-analysis.ts';

const GENOME = { contigs: 3, basesPerContig: 20_000, coverage: 8, mitochondrion: false } as const;
const READS = ['reads_R1.fastq.gz', 'reads_R2.fastq.gz'] as const;

/** Analyses simulated reads in `root`, with the tools of this machine. */
export async function makeResult(
  root: string,
): Promise<EnclosedResult & { readonly reference: Digest }> {
  const input = join(root, 'input');
  const referenceRoot = join(root, 'references');
  await simulate({ outDir: input, sampleId: 'S1', seed: 11, ...GENOME });
  const files = { name: 'ref', fasta: join(input, 'ref.fa'), par: join(input, 'par.bed') };
  const reference = (await addReference(files, { storeDir: referenceRoot })).digest;
  const result = await analyseEnclosed({
    ...{ folder: join(root, 'analysis'), referenceRoot, config: { cores: 1, limitsFactor: 1 } },
    stage: { kind: 'whole' },
    staged: [],
    reads: READS.map((name) => ({
      fileName: name,
      open: async function* () {
        yield await readFile(join(input, name));
      },
    })),
    job: { pipeline: 'germline', sampleId: 'sample', reference: 'ref' },
    signal: new AbortController().signal,
  });
  return { ...result, reference };
}

/** A copy of the deliverables in which the last call is missing. */
export async function otherCalls(outDir: string, to: string): Promise<string> {
  await cp(outDir, to, { recursive: true });
  const path = join(to, 'sample.vcf.gz');
  const lines = gunzipSync(await readFile(path))
    .toString('utf8')
    .trimEnd()
    .split('\n');
  await writeFile(path, gzipSync(`${lines.slice(0, -1).join('\n')}\n`));
  return to;
}

/** Datasets that the custody of a folder takes for stored, in a vault that is not there; their ids. */
export async function storeReads(
  folder: string,
  { walletKey, network }: { readonly walletKey: string; readonly network: Digest },
): Promise<readonly Digest[]> {
  const wallet: WalletSigner = walletOf(
    nodeCrypto,
    Buffer.from(walletKey, 'hex').subarray(0, KEY_BYTES),
  );
  const custody = await openCustody({ folder, crypto: nodeCrypto, network, now: Date.now });
  try {
    const ids: Digest[] = [];
    for (const name of READS) {
      const plaintext = utf8(`the reads of ${name}`);
      const dataset = await sealedDataset(wallet, custody.publicKey, {
        plaintext,
        changes: { network },
      });
      custody.addDataset({ ...dataset, vaults: [vault] });
      custody.markStored(dataset.id, vault);
      ids.push(dataset.id);
    }
    return ids;
  } finally {
    custody.close();
  }
}
