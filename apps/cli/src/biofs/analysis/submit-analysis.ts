/**
 * Submitting an analysis once.
 *
 * S1  What was signed for the same request and has not failed is sent again, not signed anew: a
 *     command that is killed anywhere and given again is one job.
 * S2  A job that was canceled, has failed or is too old is left as it is; then another one is signed.
 */
import { AppError } from '@helixmesh/protocol';
import type { NetworkJobState, NetworkJobView, NodeAddress } from '@helixmesh/protocol/sealing';
import type { Person } from '../person.ts';
import { type JobRecord, listJobRecords, noteState, writeJobRecord } from './job-records.ts';
import { type AnalysisRequest, type PreparedAnalysis, prepareAnalysis } from './sign-job.ts';

export interface SubmitAnalysisOptions {
  readonly dataDir: string;
  /** A job of its own though the same was asked before. */
  readonly isAnew: boolean;
  readonly passphraseFile: string | undefined;
}

export interface Submitted {
  /** False where the same was asked before. */
  readonly isNew: boolean;
  readonly record: JobRecord;
  readonly view: NetworkJobView;
}

const GONE: readonly NetworkJobState[] = ['CANCELED', 'SYSTEM_ERROR'];

/** Who calls holds the lock of the jobs. Throws what the coordinator answers. */
export async function submitAnalysis(
  person: Person,
  wanted: AnalysisRequest,
  options: SubmitAnalysisOptions,
): Promise<Submitted> {
  const { crypto } = person;
  const { dataDir } = options;
  const prepared = prepareAnalysis(person, wanted);
  const records = options.isAnew ? [] : await listJobRecords(crypto, dataDir);
  for (const record of records.filter(({ request }) => request === prepared.request)) {
    if (record.seen !== null && GONE.includes(record.seen.state)) continue;
    const view = await sentAgain(person, record, wanted.coordinator);
    if (view === undefined) continue;
    await noteState(crypto, dataDir, record, view.state);
    if (!GONE.includes(view.state)) return { isNew: record.seen === null, record, view };
  }
  const record = await signedAnew(person, prepared, options);
  const view = await send(person, record, wanted.coordinator);
  await noteState(crypto, dataDir, record, view.state);
  return { isNew: true, record, view };
}

/**
 * The job of the same request that is under way or was not sent yet, else one that is signed now; nobody
 * is told of it. Who calls holds the lock of the jobs.
 */
export async function signAnalysis(
  person: Person,
  wanted: AnalysisRequest,
  options: SubmitAnalysisOptions,
): Promise<JobRecord> {
  const prepared = prepareAnalysis(person, wanted);
  const records = options.isAnew ? [] : await listJobRecords(person.crypto, options.dataDir);
  const known = records.find(({ request, seen, document }) => {
    const isGone = seen !== null && GONE.includes(seen.state);
    return request === prepared.request && !isGone && document.expiresAtMs > Date.now();
  });
  return known ?? (await signedAnew(person, prepared, options));
}

async function signedAnew(
  { crypto }: Person,
  prepared: PreparedAnalysis,
  { dataDir, passphraseFile }: SubmitAnalysisOptions,
): Promise<JobRecord> {
  const record = await prepared.sign(passphraseFile);
  await writeJobRecord(crypto, dataDir, record);
  return record;
}

/** Undefined for one that was never taken and is too old now (S2). */
async function sentAgain(
  person: Person,
  record: JobRecord,
  coordinator: NodeAddress,
): Promise<NetworkJobView | undefined> {
  const isOver = record.document.expiresAtMs <= Date.now();
  if (!isOver) return send(person, record, coordinator);
  try {
    const { signal } = person;
    const params = { jobId: record.id };
    return await person.channel(coordinator).call('getNetworkJob', { params, signal });
  } catch (thrown) {
    if (AppError.from(thrown).code === 'OBJECT_NOT_FOUND') return undefined;
    throw thrown;
  }
}

async function send(
  person: Person,
  { id, job, evidence }: JobRecord,
  coordinator: NodeAddress,
): Promise<NetworkJobView> {
  const { signal } = person;
  const body = { job, evidence };
  const view = await person.channel(coordinator).call('submitNetworkJob', { body, signal });
  if (view.jobId === id) return view;
  throw new AppError('PEER_NOT_TRUSTED', 'the coordinator answers for another job', {
    hint: 'Do not use this coordinator, and tell who runs the network.',
  });
}
