/**
 * Whether an alignment holds the reads that it was made of, all of them and no others: for one who
 * has the reads and was given the BAM file. Reads are trimmed here as the pipeline trims them, which
 * takes a small part of the time of the alignment, and compared with the primary records as multisets
 * of mate, name and bases. It finds reads that were dropped, made up, changed or doubled, whoever
 * agreed on the result; it says nothing of where they were placed.
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { fastpArguments } from '../germline/align-step.ts';
import { runTools } from '../reference/run-tools.ts';
import { KeyedMultiset, newMultisetKey } from './keyed-multiset.ts';
import { bamElements, fastqElements } from './read-streams.ts';

export interface ReadConservationRequest {
  /** One file of FASTQ, or R1 and R2. */
  readonly reads: readonly [r1: string, r2?: string];
  readonly bam: string;
  readonly signal?: AbortSignal;
}

/** Numbers of reads: after trimming, and primary records of the BAM file. */
export interface ReadConservation {
  readonly isConserved: boolean;
  readonly expected: number;
  readonly found: number;
}

/** Throws TOOL_MISSING or TOOL_FAILED (fastp), and INPUT_… for a file that is not what it should be. */
export async function checkReadConservation({
  reads,
  bam,
  signal,
}: ReadConservationRequest): Promise<ReadConservation> {
  const key = newMultisetKey();
  const trimmed = new KeyedMultiset(key);
  const paths = reads.flatMap((path) => (path === undefined ? [] : resolve(path)));
  const folder = await mkdtemp(join(tmpdir(), 'helixmesh-reads-'));
  try {
    await runTools([{ tool: 'fastp', args: fastpArguments(paths) }], {
      cwd: folder,
      signal,
      take: async (stdout) => {
        const elements = fastqElements(stdout, paths.length === 2);
        for await (const element of elements) trimmed.add(element);
      },
    });
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
  const aligned = new KeyedMultiset(key);
  for await (const element of bamElements(bam)) {
    signal?.throwIfAborted();
    aligned.add(element);
  }
  return {
    isConserved: trimmed.equals(aligned),
    expected: trimmed.count,
    found: aligned.count,
  };
}
