/** What has happened to a job, as its coordinator tells it: states of attempts, with their times. */
import type { NodeId } from '@helixmesh/protocol';
import type { NetworkJobView } from '@helixmesh/protocol/sealing';

type Attempt = NetworkJobView['tasks'][number]['attempts'][number];

export interface JobEvent {
  readonly atMs: number;
  /** Name of the task; null for what concerns the whole job. */
  readonly task: string | null;
  /** Null for what concerns the whole job. */
  readonly attemptId: string | null;
  readonly nodeId: NodeId | null;
  readonly event:
    | 'submitted'
    | 'offered'
    | 'taken'
    | 'committed'
    | 'revealed'
    | 'ended'
    | 'withdrawn'
    | 'over';
  readonly text: string;
}

/** In order of time. */
export function eventsOf(job: NetworkJobView): JobEvent[] {
  const whole = { task: null, attemptId: null, nodeId: null };
  const events: JobEvent[] = [
    { ...whole, atMs: job.createdAtMs, event: 'submitted', text: 'the coordinator has the job' },
    ...job.tasks.flatMap(({ name, attempts }) =>
      attempts.flatMap((attempt) =>
        attemptEvents(attempt).map((event) => ({ ...event, task: name })),
      ),
    ),
  ];
  if (job.endedAtMs !== null) {
    const why = job.reason === null ? '' : `: ${job.reason.message} (${job.reason.code})`;
    events.push({ ...whole, atMs: job.endedAtMs, event: 'over', text: `${job.state}${why}` });
  }
  // Sorting is stable: what happened in one millisecond stays in the order in which it can happen.
  return events.sort((a, b) => a.atMs - b.atMs);
}

type AttemptEvent = Omit<JobEvent, 'task'>;

function attemptEvents(attempt: Attempt): AttemptEvent[] {
  const { attemptId, nodeId, offeredAtMs, startedAtMs, committedAtMs, revealedAtMs } = attempt;
  const at = (atMs: number | null, event: JobEvent['event'], text: string): AttemptEvent[] =>
    atMs === null ? [] : [{ atMs, attemptId, nodeId, event, text }];
  return [
    ...at(offeredAtMs, 'offered', 'offered to the node'),
    ...at(startedAtMs, 'taken', 'the node has taken it'),
    ...at(committedAtMs, 'committed', 'the node has committed to a result'),
    ...at(revealedAtMs, 'revealed', 'the node has shown the digest of its result'),
    ...endOf(attempt),
  ];
}

function endOf({ attemptId, nodeId, state, endedAtMs, endReason }: Attempt): AttemptEvent[] {
  if (endedAtMs === null) return [];
  const known = { atMs: endedAtMs, attemptId, nodeId };
  const reason = endReason === null ? '' : `: ${ENDS[endReason] ?? endReason}`;
  if (state === 'WITHDRAWN') return [{ ...known, event: 'withdrawn', text: `withdrawn${reason}` }];
  return [{ ...known, event: 'ended', text: `ended${reason}` }];
}

/** Of the coordinator; what a node gives as its reason is a code of the error table. */
const ENDS: Readonly<Record<string, string>> = {
  lease_lost: 'the node was not heard of in time',
  too_late: 'the others had committed, and it was too late',
  unrevealed: 'it did not show its result in time',
  task_final: 'the task was over',
};
