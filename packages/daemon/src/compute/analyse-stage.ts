/**
 * The analysis of an attempt, with what other tasks of its job have handed to it.
 *
 * S1  A file that has not the content that its node has stated fails the analysis (`enclosed-analysis.ts`).
 *     Which of them it was is looked for then; its source is left, and the analysis done again with what
 *     another one has. So one that lies costs time, and no attempt.
 * S2  What is looked at lies in the enclosure, which is wiped before the next try.
 */
import { createWriteStream } from 'node:fs';
import { mkdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { canonicalDigest } from '@helixmesh/pipelines';
import { AppError, type AttemptId } from '@helixmesh/protocol';
import { fromHex, KEY_BYTES } from '@helixmesh/protocol/sealing';
import type { Logger } from '../node/logger.ts';
import { assertRoom } from './admission.ts';
import { type AttemptRecord, enclosureOf, handedOf } from './attempt-folder.ts';
import {
  analyseEnclosed,
  type EnclosedAnalysis,
  type EnclosedReads,
  type EnclosedResult,
  wipeEnclosed,
} from './enclosed-analysis.ts';
import type { Handover, HandoverRequest } from './handover.ts';
import type { HandedFile } from './handover-source.ts';
import type { Proof, SealedReads, WorkSource } from './work-source.ts';

/** The node names no sample; the requester gives the files their names. */
const SAMPLE_LABEL = 'sample';

export interface StageOptions {
  readonly work: WorkSource;
  /** The reads of an assignment, in the clear: keys from the custodian, bodies from a vault. */
  readonly openReads: (
    reads: readonly SealedReads[],
    proof: () => Promise<Proof>,
    signal: AbortSignal,
  ) => Promise<readonly EnclosedReads[]>;
  /** What other tasks of the job have made, and the key for what this one makes for others. */
  readonly openHandover: (request: HandoverRequest) => Promise<Handover>;
  readonly node: Pick<EnclosedAnalysis, 'referenceRoot' | 'config'>;
  readonly logger: Logger;
}

export interface StageStep {
  readonly folder: string;
  readonly assignment: AttemptRecord['assignment'];
  readonly signal: AbortSignal;
}

export interface AnalysedStage {
  readonly result: EnclosedResult;
  /** X25519 public keys that its outputs are for. */
  readonly recipients: readonly Uint8Array[];
}

/** Throws what custodian, vaults, nodes and the analysis do. */
export async function analyseStage(options: StageOptions, step: StageStep): Promise<AnalysedStage> {
  const { folder, assignment, signal } = step;
  const proof = () => options.work.proof(assignment);
  const left = new Set<AttemptId>();
  for (;;) {
    const { files, recipients } = await takeOver(options, { ...step, proof, left });
    const reads = await options.openReads(assignment.reads, proof, signal);
    await assertRoom(folder, [...reads, ...files]);
    try {
      const result = await analyseEnclosed({
        ...options.node,
        folder: enclosureOf(folder),
        stage: assignment.stage,
        staged: files,
        reads,
        job: { ...assignment.analysis, sampleId: SAMPLE_LABEL },
        signal,
      });
      return { result, recipients };
    } catch (thrown) {
      if (signal.aborted || files.length === 0) throw thrown;
      const liars = await liarsAmong(files, join(enclosureOf(folder), 'looked-at'));
      if (liars.size === 0) throw thrown;
      await wipeEnclosed(enclosureOf(folder));
      for (const liar of liars) left.add(liar);
      const { attemptId } = assignment;
      options.logger.warn({ attemptId, sources: [...liars] }, 'others handed on something else');
    }
  }
}

interface TakeOver extends StageStep {
  readonly proof: () => Promise<Proof>;
  readonly left: ReadonlySet<AttemptId>;
}

async function takeOver(
  { work, openHandover }: StageOptions,
  { folder, assignment, ...asking }: TakeOver,
): Promise<{ files: readonly HandedFile[]; recipients: readonly Uint8Array[] }> {
  const { custodian, fencingToken, recipients } = assignment;
  const named = recipients.map((hex) => fromHex(hex, { what: 'a key', bytes: KEY_BYTES }));
  if (custodian === null) return { files: [], recipients: named };
  const inputs = await work.inputs(assignment);
  const target = handedOf(folder);
  const request = { ...asking, custodian, inputs, folder: target, first: fencingToken };
  const { files, recipient } = await openHandover(request);
  return { files, recipients: named.length > 0 ? named : [recipient] };
}

/** Attempts of which a file is not what it should be (S1). */
async function liarsAmong(
  files: readonly HandedFile[],
  folder: string,
): Promise<ReadonlySet<AttemptId>> {
  const liars = new Set<AttemptId>();
  const path = join(folder, 'one');
  for (const file of files) {
    if (liars.has(file.attemptId)) continue;
    await mkdir(folder, { recursive: true, mode: 0o700 });
    try {
      await pipeline(file.open(), createWriteStream(path, { mode: 0o600 }));
      const { digest } = await canonicalDigest(path, file.format);
      if (digest !== file.digest) liars.add(file.attemptId);
    } catch (thrown) {
      const { code } = AppError.from(thrown);
      if (code === 'DISK_FULL' || code === 'OUTPUT_UNWRITABLE') throw thrown;
      // What does not open, or is not of its format, is not what it should be either.
      liars.add(file.attemptId);
    }
    await rm(path, { force: true });
  }
  return liars;
}
