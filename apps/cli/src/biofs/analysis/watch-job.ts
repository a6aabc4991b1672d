/** Looking at jobs of the network, once or until they end. */
import { setTimeout as delay } from 'node:timers/promises';
import { AppError } from '@helixmesh/protocol';
import {
  type NetworkJobState,
  type NetworkJobView,
  type NodeAddress,
  parseNodeAddress,
} from '@helixmesh/protocol/sealing';
import type { Context } from '../../context.ts';
import { findId } from '../find-dataset.ts';
import { JOB_LOOK_MS, JOB_LOOK_MS_MAX } from '../limits.ts';
import type { Person } from '../person.ts';
import { findCoordinator } from './find-coordinator.ts';
import { type JobRecord, listJobRecords, noteState } from './job-records.ts';

/** A job of this folder, and where it is asked about. */
export interface KnownJob {
  readonly record: JobRecord;
  readonly coordinator: NodeAddress;
  readonly dataDir: string;
}

/** The job that `text` is, or begins; `given` where the coordinator answers elsewhere now. */
export async function findJob(
  context: Context,
  { crypto }: Person,
  { text, given }: { readonly text: string; readonly given: string | undefined },
): Promise<KnownJob> {
  const { dataDir } = context.paths;
  const records = await listJobRecords(crypto, dataDir);
  const id = findId(text, records, 'job');
  const record = records.find((one) => one.id === id);
  if (record === undefined) throw new AppError('INTERNAL', 'a record was lost');
  const coordinator =
    given === undefined
      ? parseNodeAddress(record.coordinator)
      : await findCoordinator(context, given);
  if (coordinator.nodeId === record.document.coordinator) return { record, coordinator, dataDir };
  throw new AppError('USAGE', `the job was signed for ${record.document.coordinator}`, {
    hint: 'Leave out --coordinator, or give the address at which that one answers now.',
  });
}

/** Throws what the coordinator answers. */
export async function viewJob(person: Person, job: KnownJob): Promise<NetworkJobView> {
  const params = { jobId: job.record.id };
  const { crypto, signal } = person;
  const view = await person.channel(job.coordinator).call('getNetworkJob', { params, signal });
  await noteState(crypto, job.dataDir, job.record, view.state);
  return view;
}

export function isOver(state: NetworkJobState): boolean {
  return state === 'COMPLETE' || state === 'SYSTEM_ERROR' || state === 'CANCELED';
}

/**
 * Each look at a job until it is over. A coordinator that does not answer is asked again, and
 * `onSilence` is told once.
 */
export async function* lookUntilOver(
  person: Person,
  job: KnownJob,
  onSilence: (error: AppError) => void,
): AsyncGenerator<NetworkJobView> {
  let waitMs = JOB_LOOK_MS;
  let { record } = job;
  for (;;) {
    try {
      const view = await viewJob(person, { ...job, record });
      // So that only a change is written down.
      record = { ...record, seen: { state: view.state, atMs: Date.now() } };
      waitMs = JOB_LOOK_MS;
      yield view;
      if (isOver(view.state)) return;
    } catch (thrown) {
      const error = AppError.from(thrown);
      if (person.signal.aborted || !error.retryable) throw error;
      if (waitMs === JOB_LOOK_MS) onSilence(error);
      waitMs = Math.min(2 * waitMs, JOB_LOOK_MS_MAX);
    }
    await delay(waitMs, undefined, { signal: person.signal });
  }
}
