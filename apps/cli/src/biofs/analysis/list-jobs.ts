/** The jobs of a folder with the states that their coordinators tell. */
import { AppError } from '@helixmesh/protocol';
import { parseNodeAddress } from '@helixmesh/protocol/sealing';
import type { Context } from '../../context.ts';
import type { Person } from '../person.ts';
import { type JobRecord, listJobRecords } from './job-records.ts';
import type { JobLine } from './network-job-text.ts';
import { isOver, viewJob } from './watch-job.ts';

/** Asks about the open ones, one after the other; a coordinator that is silent is asked once. */
export async function jobLines(context: Context, person: Person): Promise<JobLine[]> {
  const { dataDir } = context.paths;
  const silent = new Set<string>();
  const lines: JobLine[] = [];
  for (const record of await listJobRecords(person.crypto, dataDir)) {
    const { seen } = record;
    const known = { record, state: seen?.state ?? null, asOfMs: seen?.atMs ?? null };
    if (seen === null || silent.has(record.coordinator)) lines.push(known);
    else if (isOver(seen.state)) lines.push({ ...known, asOfMs: null });
    else lines.push((await told(person, dataDir, { record, silent })) ?? known);
  }
  return lines;
}

async function told(
  person: Person,
  dataDir: string,
  { record, silent }: { readonly record: JobRecord; readonly silent: Set<string> },
): Promise<JobLine | undefined> {
  const coordinator = parseNodeAddress(record.coordinator);
  try {
    const { state } = await viewJob(person, { record, coordinator, dataDir });
    return { record, state, asOfMs: null };
  } catch (thrown) {
    const { code } = AppError.from(thrown);
    if (person.signal.aborted || code === 'UNAUTHENTICATED') throw thrown;
    silent.add(record.coordinator);
    return undefined;
  }
}
