/**
 * Whether files are the result that was agreed on: their canonical digests are computed here, from
 * what came, and made into the digest of the result. Then whether reads got lost on the way.
 *
 * Left out: indexes and the report. They are no part of what nodes agree on, so they are what one
 * node says; `CheckedFile` tells which ones.
 */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { canonicalDigest, checkReadConservation, countPrimaryRecords } from '@helixmesh/pipelines';
import { AppError, type Digest } from '@helixmesh/protocol';
import { type ResultIndex, resultDigestOf } from '@helixmesh/protocol/sealing';
import { z } from 'zod';
import type { Person } from '../person.ts';
import type { FetchedSet } from './fetch-set.ts';

export interface CheckedFile {
  /** Relative path in the folder. */
  readonly path: string;
  readonly sizeBytes: number;
  /** True for what all nodes that agreed have alike. */
  readonly isAgreed: boolean;
}

/** Reads that went into the alignment, and primary records (mapped or not) that came out. */
export interface ReadsCheck {
  readonly trimmedReads: number;
  readonly primaryRecords: number;
  /** True where they were compared with the reads themselves; else their numbers alone were. */
  readonly isCompared: boolean;
}

/** FASTQ files of the reads, for one who has them: one, or R1 and R2. */
export type OwnReads = readonly [r1: string, r2?: string];

export interface CheckedResult {
  readonly files: readonly CheckedFile[];
  readonly reads: ReadsCheck | null;
}

/** Of files whose digest all nodes that agreed have: another one has nothing else to give. */
const OF_ALL = { isOfAll: true } as const;

/** Whether it is no use to ask another node. */
export function isOfAll({ details }: AppError): boolean {
  return details?.['isOfAll'] === true;
}

const fastpSchema = z.object({
  summary: z.object({ after_filtering: z.object({ total_reads: z.int().min(0) }) }),
});

export interface Expected {
  /** The digest that was agreed on. */
  readonly expected: Digest;
  readonly reads: OwnReads | null;
}

/** Throws RESULT_DIFFERS, and what a file that is not of its format throws. */
export async function checkResult(
  { crypto, network, signal }: Person,
  { files: folder, index }: FetchedSet,
  { expected, reads }: Expected,
): Promise<CheckedResult> {
  const files: ResultIndex['compared'] = [];
  for (const { path, format } of index.compared) {
    signal.throwIfAborted();
    const { digest } = await canonicalDigest(join(folder, path), format);
    files.push({ path, format, digest });
  }
  const { jobHash } = index;
  if (resultDigestOf(crypto, network, { jobHash, files }) !== expected) {
    throw new AppError('RESULT_DIFFERS', 'the files are not the result that was agreed on', {
      hint: 'Fetch the result from another node.',
    });
  }
  const agreed = new Set(files.map(({ path }) => path));
  return {
    files: index.files.map(({ path, sizeBytes }) => ({
      path,
      sizeBytes,
      isAgreed: agreed.has(path),
    })),
    reads: await checkReads(folder, index, { reads, signal }),
  };
}

interface ReadsGiven {
  readonly reads: OwnReads | null;
  readonly signal: AbortSignal;
}

/** What fastp let out is what the aligner took in: not a read less, and not one more. */
async function checkReads(
  folder: string,
  { compared }: ResultIndex,
  { reads, signal }: ReadsGiven,
): Promise<ReadsCheck | null> {
  const pathOf = (format: string) => compared.find((one) => one.format === format)?.path;
  const [bam, fastp] = [pathOf('bam'), pathOf('fastp-json')];
  if (bam === undefined || fastp === undefined) return null;
  const report = fastpSchema.parse(JSON.parse(await readFile(join(folder, fastp), 'utf8')));
  const trimmedReads = report.summary.after_filtering.total_reads;
  const primaryRecords = await countPrimaryRecords(join(folder, bam));
  if (primaryRecords !== trimmedReads) throw lostReads(trimmedReads, primaryRecords);
  if (reads === null) return { trimmedReads, primaryRecords, isCompared: false };
  const own = await checkReadConservation({ reads, bam: join(folder, bam), signal });
  if (own.isConserved) return { trimmedReads, primaryRecords, isCompared: true };
  throw new AppError('RESULT_DIFFERS', 'the reads in the BAM are not those of the files given', {
    hint:
      'Check that these are the reads of the job, R1 before R2. Where they are, do not use the ' +
      'result, and report its operators.',
    details: { ...OF_ALL, expected: own.expected, found: own.found },
  });
}

function lostReads(trimmedReads: number, primaryRecords: number): AppError {
  return new AppError(
    'RESULT_DIFFERS',
    `the BAM has ${primaryRecords} primary records for ${trimmedReads} trimmed reads`,
    {
      hint: 'Reads were lost or made up: do not use the result, and report its operators.',
      details: OF_ALL,
    },
  );
}
