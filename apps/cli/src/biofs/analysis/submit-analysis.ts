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
import { type AnalysisRequest, prepareAnalysis } from './sign-job.ts';

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
  const record = await prepared.sign(options.passphraseFile);
  await writeJobRecord(crypto, dataDir, record);
  const view = await send(person, record, wanted.coordinator);
  await noteState(crypto, dataDir, record, view.state);
  return { isNew: true, record, view };
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
