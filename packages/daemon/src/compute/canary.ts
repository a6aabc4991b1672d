/**
 * A canary: a made genome, sequenced and analysed in the enclosure and the sandbox in which work for
 * others is done. The node does it to be admitted, its coordinator to know the right answer.
 *
 * The digest of the result depends on the seed, the tools and nothing else of the machine. Annotation
 * is left out: building its database takes longer than all the rest.
 */
import { createReadStream } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { addReference, probeTool, simulate } from '@helixmesh/pipelines';
import { AppError, type Digest } from '@helixmesh/protocol';
import type { Canary, Crypto } from '@helixmesh/protocol/sealing';
import { analyseEnclosed, type EnclosedAnalysis, wipeEnclosed } from './enclosed-analysis.ts';
import { resultDigest } from './result-digest.ts';

const NAME = 'canary';
const READS = ['reads_R1.fastq.gz', 'reads_R2.fastq.gz'] as const;
/** What the analysis of a canary runs. */
const TOOLS = ['fastp', 'bwa', 'samtools', 'bcftools', 'tabix', 'bgzip', 'freebayes'] as const;

export type CanaryGenome = Pick<Canary, 'seed' | 'contigs' | 'basesPerContig' | 'coverage'>;

export interface CanaryRun {
  readonly genome: CanaryGenome;
  readonly crypto: Crypto;
  readonly network: Digest;
  /** All of it lies in there; wiped before and after. */
  readonly folder: string;
  readonly config: EnclosedAnalysis['config'];
  /** Ends the tools. */
  readonly signal: AbortSignal;
}

/** The digest of its result. Throws what the analysis throws, CANCELED when `signal` was aborted. */
export async function runCanary(run: CanaryRun): Promise<Digest> {
  const { genome, crypto, network, folder, config, signal } = run;
  const { seed, contigs, basesPerContig, coverage } = genome;
  const input = join(folder, 'input');
  const referenceRoot = join(folder, 'references');
  await wipeEnclosed(folder);
  try {
    await mkdir(folder, { recursive: true, mode: 0o700 });
    const size = { seed, contigs, basesPerContig, coverage };
    await simulate({ outDir: input, sampleId: NAME, mitochondrion: false, ...size });
    const reference = { name: NAME, fasta: join(input, 'ref.fa') };
    await addReference(reference, { storeDir: referenceRoot, signal });
    const result = await analyseEnclosed({
      ...{ folder, referenceRoot, config, signal },
      stage: { kind: 'whole' },
      staged: [],
      reads: READS.map((fileName) => ({
        fileName,
        open: () => createReadStream(join(input, fileName)),
      })),
      job: { pipeline: 'germline', sampleId: NAME, reference: NAME },
    });
    return resultDigest(crypto, network, result);
  } catch (thrown) {
    if (!signal.aborted) throw thrown;
    throw new AppError('CANCELED', 'the canary was ended', { cause: thrown });
  } finally {
    await wipeEnclosed(folder);
  }
}

/** What is missing here to run one, in words; null when nothing is. */
export async function lackingForCanary(): Promise<string | null> {
  const reports = await Promise.all(TOOLS.map(probeTool));
  const lacking = reports.filter(({ status }) => status !== 'ok').map(({ name }) => name);
  return lacking.length === 0 ? null : `these tools cannot be used: ${lacking.join(', ')}`;
}
