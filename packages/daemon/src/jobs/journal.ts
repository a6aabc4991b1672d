/**
 * The projection table `journal`: what happened to a job, one row per event exactly once.
 *
 * J1  An event is written in the SQL transaction of the effect that it tells of.
 * J2  `eventKey` names the event; writing it again changes nothing.
 */
import type { JournalRow, Json } from '@helixmesh/protocol';
import type { Database } from '../sql/database.ts';

export interface JournalEvent {
  readonly jobId: string;
  readonly sampleId: string;
  readonly step: string;
  readonly state: string;
  /** What tells this event from another with the same job, step and state. */
  readonly occasion: string;
  readonly atMs: number;
  readonly payload: Json;
}

export async function appendEvent(database: Database, event: JournalEvent): Promise<void> {
  await database
    .insertInto('journal')
    .values({
      event_key: [event.jobId, event.step, event.state, event.occasion].join('/'),
      sample_id: event.sampleId,
      job_id: event.jobId,
      step: event.step,
      state: event.state,
      at: event.atMs,
      payload: JSON.stringify(event.payload),
    })
    .onConflict((conflict) => conflict.column('event_key').doNothing())
    .execute();
}

/** Rows of one job with a sequence above `after`, in order. */
export async function readJournal(
  database: Database,
  jobId: string,
  after: number,
): Promise<JournalRow[]> {
  const rows = await database
    .selectFrom('journal')
    .selectAll()
    .where('job_id', '=', jobId)
    .where('sequence', '>', after)
    .orderBy('sequence')
    .limit(JOURNAL_PAGE_ROWS)
    .execute();
  return rows.map((row) => ({
    sequence: row.sequence,
    sampleId: row.sample_id,
    jobId: row.job_id,
    step: row.step,
    state: row.state,
    atMs: row.at,
    payload: JSON.parse(row.payload),
  }));
}

/** Rows of one reply; the caller asks again after the last sequence. */
export const JOURNAL_PAGE_ROWS = 5_000;
