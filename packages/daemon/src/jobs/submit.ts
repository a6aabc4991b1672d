/** From what a user submits to a job document: everything in it identified by content. */
import { createHash } from 'node:crypto';
import { stat } from 'node:fs/promises';
import { basename } from 'node:path';
import {
  type AnalysisDocument,
  type CallInput,
  type FileRef,
  type FinishInput,
  type GermlineInput,
  openReference,
  probeTools,
  type StagedFile,
} from '@helixmesh/pipelines';
import {
  AppError,
  canonicalJson,
  type Digest,
  type Json,
  parseSampleId,
  type Submission,
} from '@helixmesh/protocol';
import type { Database } from '../sql/database.ts';
import { type Submitted, submitJob, withdrawJob } from './jobs.ts';
import { claimOutFolder, prepareOutFolder } from './out-folder.ts';

export interface SubmitOptions {
  readonly database: Database;
  readonly dataDir: string;
  readonly referenceRoot: string;
  /** Service name of the newest version of the pipeline. */
  readonly workflowOf: (pipeline: string) => string;
}

export async function submit(options: SubmitOptions, request: Submission): Promise<Submitted> {
  const given = await filesOf(request);
  const reference = await openReference(options.referenceRoot, request.reference);
  await prepareOutFolder(request.outDir);
  const document: AnalysisDocument = {
    sampleId: parseSampleId(request.sampleId),
    ...given,
    reference,
    parameters: request.parameters,
    toolVersions: await installedVersions(),
  };
  const workflow = options.workflowOf(request.pipeline);
  const submitted = await submitJob(options.database, {
    sampleId: request.sampleId,
    pipeline: request.pipeline,
    workflow,
    document: document as unknown as Json,
    submissionKey: submissionKey(workflow, document),
    outDir: request.outDir,
    keepIntermediates: request.keepIntermediates,
  });
  const { status, jobId } = submitted;
  try {
    await claimOutFolder(request.outDir, { jobId, dataDir: options.dataDir });
  } catch (error) {
    // Else it would be started by the next look at the outbox, into a folder that is another's.
    if (status === 'created') await withdrawJob(options.database, jobId);
    throw error;
  }
  return submitted;
}

/** What of the document differs from pipeline to pipeline: what each begins with. */
async function filesOf(
  request: Submission,
): Promise<
  | Pick<GermlineInput, 'reads'>
  | Pick<CallInput, 'reads' | 'staged' | 'part'>
  | Pick<FinishInput, 'reads' | 'staged' | 'parts'>
> {
  if ('r1' in request) return { reads: await readsOf(request) };
  const staged = await Promise.all(request.staged.map(stagedFile));
  return 'part' in request
    ? { reads: null, staged, part: request.part }
    : { reads: null, staged, parts: request.parts };
}

async function readsOf(request: { r1: string; r2?: string | undefined }) {
  const [r1, r2] = await Promise.all([
    fileIdentity(request.r1),
    request.r2 === undefined ? null : fileIdentity(request.r2),
  ]);
  if (r2 !== null && r1.location === r2.location) {
    throw new AppError('USAGE', '--r1 and --r2 name the same file', {
      hint: 'Give the two files of mates, or --r1 alone for single-end reads.',
    });
  }
  return { r1, r2 };
}

/** Known by the content that it should have, which the step that takes it over looks at. */
async function stagedFile(file: StagedSubmission): Promise<StagedFile> {
  const { task, path, digest, location } = file;
  const { sizeBytes } = await fileIdentity(location);
  return { task, name: path, digest, sizeBytes, location };
}

type StagedSubmission = Extract<Submission, { staged: unknown }>['staged'][number];

/** Files count by identity here: their content is read by the intake step only. */
function submissionKey(workflow: string, document: AnalysisDocument): string {
  const { reads, reference, ...rest } = document;
  const files = { r1: reads?.r1.digest ?? null, r2: reads?.r2?.digest ?? null };
  const text = canonicalJson({ workflow, ...files, reference: reference.digest, ...rest });
  return createHash('sha256').update('helixmesh/submission/v1\0').update(text).digest('hex');
}

/** A file by where and when it is; the intake step reads the content. */
export async function fileIdentity(path: string): Promise<FileRef> {
  const found = await stat(path, { bigint: true }).catch((cause) => {
    throw new AppError('INPUT_NOT_FOUND', `cannot read ${path}`, {
      hint: 'Check the path.',
      cause,
    });
  });
  if (!found.isFile()) {
    throw new AppError('INPUT_WRONG_FORMAT', `${path} is not a file`, {
      hint: 'Give a FASTQ file.',
    });
  }
  if (found.size === 0n) {
    throw new AppError('INPUT_EMPTY', `${path} is empty`, {
      hint: 'Give a FASTQ file with reads.',
    });
  }
  const identity = ['helixmesh/file-identity/v1', path, found.size, found.mtimeNs, found.ino].join(
    '\0',
  );
  const digest = `sha256:${createHash('sha256').update(identity).digest('hex')}` as Digest;
  return { name: basename(path), digest, sizeBytes: Number(found.size), location: path };
}

async function installedVersions(): Promise<Record<string, string>> {
  const reports = await probeTools();
  return Object.fromEntries(
    reports.flatMap(({ name, version }) => (version === null ? [] : [[name, version] as const])),
  );
}
