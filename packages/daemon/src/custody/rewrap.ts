/**
 * Rewraps the headers of what one task of a job has made for the node of a later one. What is in those
 * files was made of the datasets of the job, so all is asked for each of them that is asked before their
 * own keys are released: the papers of the attempt, grant, terms, policy, revocation head, and the cap
 * on operators. One refusal refuses all.
 *
 * The node of an earlier task hears here, too, to whom it is to seal what it makes. An attempt has one
 * entry in the access log for each dataset, however often it asks.
 */
import { spreadOf } from '@helixmesh/protocol';
import { rewrapHeader } from '@helixmesh/protocol/sealing';
import type { CustodyParts } from './custody.ts';
import { jobKeyOf } from './job-keys.ts';
import { type Refusal, refused } from './release-reasons.ts';
import { type AttemptInOrder, judgeAttempt, type TaskInOrder } from './task-policy.ts';
import { judgeForTask, logForTask, type TaskReleaseRequest } from './task-release.ts';

export interface RewrapRequest extends Omit<TaskReleaseRequest, 'dataset'> {
  /** Crypt4GH headers, sealed to the key of the job; none asks for that key alone. */
  readonly headers: readonly Uint8Array[];
}

export interface Rewrapped {
  readonly status: 'released';
  /** For the key of the caller, in the same order. */
  readonly headers: readonly Uint8Array[];
  /** X25519 public key of the job. */
  readonly recipient: Uint8Array;
}

export interface Rewraps {
  /** Answers one request, and has logged it. Throws KEY_NOT_HELD for a header of something else. */
  rewrapForTask(request: RewrapRequest): Rewrapped | Refusal;
}

export function rewraps(parts: CustodyParts): Rewraps {
  const { database, crypto, network, now } = parts;
  return {
    rewrapForTask: (request) =>
      database.atomically(() => {
        const attempt = judgeAttempt(crypto, { ...request, network, nowMs: now() });
        if (attempt.status === 'refused') return refused([`task:${attempt.reason}`], false);
        if (spreadOf(attempt.job.parameters) === 1) return refused(['task:spread'], false);
        return judged(parts, request, attempt);
      }),
  };
}

function judged(
  parts: CustodyParts,
  request: RewrapRequest,
  attempt: AttemptInOrder,
): Rewrapped | Refusal {
  const { crypto } = parts;
  const all = attempt.job.datasets.map(({ dataset, grant }) => {
    const task: TaskInOrder = { ...attempt, dataset, grant };
    return { task, ...judgeForTask(parts, request, task) };
  });
  const refusals = all.flatMap(({ task, answer }) =>
    answer.status === 'refused' ? [{ task, answer }] : [],
  );
  for (const { task, answer } of refusals) logForTask(parts, task, answer);
  const [first] = refusals;
  if (first !== undefined) return first.answer;
  const key = jobKeyOf(parts, attempt);
  if (key === undefined) return refused(['task:over'], true);
  const headers = request.headers.map((header) =>
    rewrapHeader(crypto, header, { reader: key, recipients: [request.encryptionKey] }),
  );
  for (const { task, answer } of headers.length > 0 ? all : []) {
    if (!isLogged(parts, task)) logForTask(parts, task, answer);
  }
  return { status: 'released', headers, recipient: key.publicKey };
}

function isLogged({ database }: CustodyParts, { assignment, dataset }: TaskInOrder): boolean {
  const { attemptId, nodeId, operator, task } = assignment;
  const row = database.get(
    `SELECT 1 FROM task_releases AS released
     JOIN access_log AS log ON log.sequence = released.sequence
     WHERE attempt = ? AND node = ? AND operator = ? AND released.dataset = ? AND task = ?`,
    attemptId,
    nodeId,
    operator,
    dataset,
    task ?? 'main',
  );
  return row !== undefined;
}
