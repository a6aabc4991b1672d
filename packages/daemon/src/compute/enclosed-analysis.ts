/**
 * The analysis of one sample for somebody else: an engine, a store and a journal of its own in one
 * folder, which is wiped when the result has been taken out.
 *
 * C1  Reads, results, journal, logs and whatever is made of them lie below that folder and nowhere
 *     else; of the node's other things it sees the references alone.
 * C2  The same call after a crash goes on: reads that came whole stay, finished steps stand.
 * C3  After `wipeEnclosed` nothing of it is left.
 *
 * Left out: who may be given the reads, and what becomes of the results. The disk is not encrypted
 * here: a node that must not trust its disk puts its data folder on an encrypted one.
 */
import { createWriteStream, existsSync } from 'node:fs';
import { mkdir, rename, rm, symlink } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { type Client, createClient } from '@helixmesh/client';
import { isSafeRelativeName, STAGE_PIPELINES } from '@helixmesh/pipelines';
import {
  type AnalysisStage,
  AppError,
  type ErrorRecord,
  isSettled,
  JOB_WAIT_MAX_MS,
  type JobSubmissionInput,
  type JobView,
  type StagedFileName,
  type SubmissionInput,
} from '@helixmesh/protocol';
import type { ByteSource } from '@helixmesh/protocol/sealing';
import { makeDurable } from '../durable.ts';
import { removeFolder, sweepScratch } from '../executor/sweep.ts';
import { loadConfig, type NodeConfig } from '../node/config.ts';
import { nodePaths } from '../node/paths.ts';
import { runNode } from '../node/run-node.ts';
import { endStaleServer } from '../restate/server.ts';
import { openDatabase } from '../sql/database.ts';
import { type JobResult, jobResult } from './result-digest.ts';

export interface EnclosedAnalysis {
  /** All of it lies in there; made when it is not there. */
  readonly folder: string;
  /** The node's prepared references. */
  readonly referenceRoot: string;
  readonly config: Pick<NodeConfig, 'cores' | 'limitsFactor'>;
  /** What of the analysis is done here. */
  readonly stage: AnalysisStage;
  /**
   * One or two, R1 first; opened only when they are not there whole. Empty for the stages `call`
   * and `finish`.
   */
  readonly reads: readonly EnclosedReads[];
  /** All files that the tasks before this stage compare; empty for `whole` and `align`. */
  readonly staged: readonly StagedFile[];
  readonly job: Pick<JobSubmissionInput, 'pipeline' | 'sampleId' | 'reference' | 'parameters'>;
  /** Ends the tools; what has finished stays for the next call. */
  readonly signal: AbortSignal;
}

export interface EnclosedReads {
  /** With the end of the name that its compression has. */
  readonly fileName: string;
  /** Of the plaintext; where it is known before it is opened. */
  readonly sizeBytes?: number;
  /** The plaintext. */
  readonly open: () => ByteSource;
}

/** The plaintext of a file of an earlier stage; opened only when it is not there whole. */
export interface StagedFile extends StagedFileName {
  readonly sizeBytes: number;
  readonly open: () => ByteSource;
}

export interface EnclosedResult extends JobResult {
  /** The deliverables by their paths. */
  readonly outDir: string;
  readonly job: JobView;
}

/**
 * Runs the analysis to its end. Throws the reason for which the job failed or paused, CANCELED when
 * `signal` was aborted, and what opening the reads throws.
 */
export async function analyseEnclosed(analysis: EnclosedAnalysis): Promise<EnclosedResult> {
  const { folder, signal } = analysis;
  const dataDir = nodeFolder(folder);
  const outDir = join(folder, 'out');
  for (const path of [folder, dataDir]) await mkdir(path, { recursive: true, mode: 0o700 });
  const submission = { ...(await takeFiles(analysis)), outDir };
  await linkReferences(analysis.referenceRoot, nodePaths(dataDir).referenceRoot);
  // What the operator has set for the whole node, a file or the environment, does not count here.
  const { config } = loadConfig({ env: {}, flags: { ...analysis.config, dataDir } });
  // A machine that runs jobs, and is in no network.
  const pipelines = [STAGE_PIPELINES[analysis.stage.kind]];
  const node = await runNode({ config, pipelines }, async () => null);
  try {
    const client = createClient({ socketPath: node.socketPath });
    const job = await finished(client, submission, signal);
    return { ...(await resultIn(dataDir, job.jobId)), outDir, job };
  } catch (thrown) {
    if (!signal.aborted) {
      // One of them may not be what it should be: the next call takes them from somebody else.
      await removeFolder(stagedFolder(folder));
      throw thrown;
    }
    throw new AppError('CANCELED', 'the analysis was ended', {
      hint: 'Ask for it again: what has finished stands.',
      cause: thrown,
    });
  } finally {
    await node.stop();
  }
}

/** Deletes everything of an analysis that does not run; ends what a killed node has left of it. */
export async function wipeEnclosed(folder: string): Promise<void> {
  const { scratchRoot, restateDir } = nodePaths(nodeFolder(folder));
  await endStaleServer(restateDir);
  await sweepScratch(scratchRoot);
  await removeFolder(folder);
}

/** The data folder of the analysis's own node. */
function nodeFolder(folder: string): string {
  return join(folder, 'node');
}

function stagedFolder(folder: string): string {
  return join(folder, 'staged');
}

/** What the stage begins with, whole, and what is to be made of it. */
async function takeFiles(
  analysis: EnclosedAnalysis,
): Promise<DistributiveOmit<SubmissionInput, 'outDir'>> {
  const { stage, job } = analysis;
  switch (stage.kind) {
    case 'whole':
      return { ...job, ...(await takeReads(analysis)) };
    case 'align':
      return { ...job, pipeline: 'germline-align', ...(await takeReads(analysis)) };
    case 'call':
      return {
        ...job,
        pipeline: 'germline-call',
        part: stage.part,
        staged: await takeStaged(analysis),
      };
    case 'finish':
      return {
        ...job,
        pipeline: 'germline-finish',
        parts: stage.parts,
        staged: await takeStaged(analysis),
      };
  }
}

type DistributiveOmit<T, K extends string> = T extends unknown ? Omit<T, K> : never;

/** Absolute paths of the reads. */
async function takeReads({
  folder,
  reads,
  signal,
}: EnclosedAnalysis): Promise<{ readonly r1: string; readonly r2?: string }> {
  const paths: string[] = [];
  for (const [i, { fileName, open }] of reads.entries()) {
    const path = join(folder, 'reads', `r${i + 1}${endOf(fileName)}`);
    paths.push(path);
    await takeFile(path, open, signal);
  }
  const [r1, r2] = paths;
  if (r1 === undefined || paths.length > 2) {
    throw new AppError('USAGE', `an analysis of ${paths.length} files of reads`, {
      hint: 'Give the reads of one sample: one file, or R1 and R2.',
    });
  }
  return r2 === undefined ? { r1 } : { r1, r2 };
}

async function takeStaged({ folder, staged, signal }: EnclosedAnalysis) {
  const taken = [];
  for (const { task, path, digest, open } of staged) {
    const name = join(task, path);
    if (!isSafeRelativeName(name)) throw new AppError('INPUT_MALFORMED', 'a path with other signs');
    const location = join(stagedFolder(folder), name);
    await takeFile(location, open, signal);
    taken.push({ task, path, digest, location });
  }
  return taken;
}

/** Brings a file there whole, or not at all. */
async function takeFile(path: string, open: () => ByteSource, signal: AbortSignal): Promise<void> {
  if (existsSync(path)) return;
  await mkdir(dirname(path), { recursive: true, mode: 0o700 });
  const aside = `${path}.part`;
  await rm(aside, { force: true });
  await pipeline(open(), createWriteStream(aside, { mode: 0o600, flush: true }), { signal });
  await rename(aside, path);
  await makeDurable(dirname(path));
}

/** The sample's own file name stays outside. */
function endOf(fileName: string): string {
  return fileName.endsWith('.gz') ? '.fastq.gz' : '.fastq';
}

async function linkReferences(from: string, to: string): Promise<void> {
  if (!existsSync(to)) await symlink(from, to);
}

async function finished(
  client: Client,
  submission: SubmissionInput,
  signal: AbortSignal,
): Promise<JobView> {
  const known = await client.call('listJobs', { params: {}, signal });
  let jobId = known.find(({ state }) => state === 'COMPLETE')?.jobId;
  if (jobId === undefined) {
    const submitted = await client.call('submitJob', { params: {}, body: submission, signal });
    jobId = submitted.jobId;
    // Something was mended since, or the caller would not ask again.
    if (submitted.state === 'PAUSED') {
      await client.call('resumeJob', { params: { jobId }, signal });
    }
  }
  for (;;) {
    signal.throwIfAborted();
    const query = { waitMs: JOB_WAIT_MAX_MS };
    const job = await client.call('getJob', { params: { jobId }, query, signal });
    if (job.state === 'COMPLETE') return job;
    if (isSettled(job.state)) throw reasonOf(job);
  }
}

function reasonOf({ state, reason }: JobView): AppError {
  if (reason === null) return new AppError('CANCELED', `the analysis is ${state}`);
  return AppError.fromRecord(reason as ErrorRecord);
}

async function resultIn(dataDir: string, jobId: string): Promise<JobResult> {
  const database = await openDatabase(nodePaths(dataDir).database);
  try {
    return await jobResult(database, jobId);
  } finally {
    await database.destroy();
  }
}
