import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { AttemptId, Digest, NodeId, TaskId } from '@helixmesh/protocol';
import type { NetworkJobView } from '@helixmesh/protocol/sealing';
import { eventsOf } from './job-events.ts';
import type { JobRecord } from './job-records.ts';
import { eventText, jobsTable, jobText, progressText } from './network-job-text.ts';

const NOW_MS = 1_800_000_000_000;
const EVIL = '\u001b[2J\u009b1m\u202e\r';
const digest = (digit: string) => `sha256:${digit.repeat(64)}` as Digest;
const NODE = `node_${'a'.repeat(64)}` as NodeId;
const R1 = digest('1');
const R2 = digest('2');

const record = {
  id: digest('f'),
  request: digest('e'),
  coordinator: `${NODE}@127.0.0.1:7400`,
  referenceName: `GRCh38${EVIL}`,
  job: '',
  evidence: [],
  seen: null,
  document: {
    datasets: [R1, R2].map((dataset) => ({ dataset, grant: null, custodian: '', vaults: [] })),
    pipeline: { name: 'germline', version: 1 },
    parameters: { reference: digest('3'), r1: R2, r2: R1 },
    redundancy: 2,
    replicasMax: 8,
    maxPriceMicroUsd: '5000',
    issuedAtMs: NOW_MS - 60_000,
    expiresAtMs: NOW_MS + 60_000,
  },
} as unknown as JobRecord;

const attempt: NetworkJobView['tasks'][number]['attempts'][number] = {
  attemptId: `att_${'0'.repeat(16)}` as AttemptId,
  nodeId: NODE,
  address: null,
  operator: `0x${'b'.repeat(40)}`,
  state: 'ENDED',
  verdict: null,
  offeredAtMs: NOW_MS - 50_000,
  startedAtMs: NOW_MS - 40_000,
  committedAtMs: null,
  revealedAtMs: null,
  endedAtMs: NOW_MS - 10_000,
  endReason: `TOOL_FAILED${EVIL}`,
};

const view: NetworkJobView = {
  jobId: record.id,
  state: 'SYSTEM_ERROR',
  reason: { code: `TOOL_FAILED${EVIL}`, message: `two attempts failed${EVIL}` },
  createdAtMs: NOW_MS - 55_000,
  endedAtMs: NOW_MS,
  tasks: [
    {
      taskId: `task_${'0'.repeat(32)}` as TaskId,
      name: 'main',
      state: 'SYSTEM_ERROR',
      resultDigest: null,
      isChecked: null,
      attempts: [attempt, { ...attempt, state: 'WITHDRAWN', startedAtMs: null, endReason: null }],
    },
  ],
};

test('a job says what was wanted, who tried, for how long, and why it failed', () => {
  const text = jobText(record, view, NOW_MS);
  assert.match(text, /^ {2}reads +2{12} and 1{12}$/m);
  assert.match(text, /2 operators that agree, at most 8 attempts and 0\.005 USD$/m);
  assert.match(text, /two attempts failed/);
  assert.match(text, /ENDED +30\.0 s$/m);
  assert.match(text, /WITHDRAWN$/m);
  assert.doesNotMatch(text, /biofs result/);
  assert.match(progressText(record, view), /^f{12} {2}SYSTEM_ERROR {2}1 ended, 1 withdrawn$/);
});

test('a job in parts shows each task, how many are done, and the result of the last', () => {
  const [task = assert.fail()] = view.tasks;
  const taskOf = (name: string, digit: string, isDone: boolean) => ({
    ...task,
    taskId: `task_${digit.repeat(32)}` as TaskId,
    name,
    state: isDone ? ('COMPLETE' as const) : ('RUNNING' as const),
    isChecked: isDone ? true : null,
    resultDigest: isDone ? digest(digit) : null,
    attempts: [{ ...attempt, verdict: isDone ? ('valid' as const) : null }],
  });
  const parts = ['align', 'call.1', 'call.2', 'finish'];
  const spread = (done: number): NetworkJobView => ({
    ...view,
    state: 'RUNNING',
    reason: null,
    tasks: parts.map((name, i) => taskOf(name, String(i), i < done)),
  });
  const text = jobText(record, spread(3), NOW_MS);
  assert.match(text, /^ {2}tasks +█{9}░{3} 3 of 4 complete$/m);
  assert.match(text, /^ *call\.2 +COMPLETE +1 agree +task_2{32}$/m);
  assert.match(text, /^ *finish +RUNNING +task_3{32}$/m);
  assert.match(text, /^ *call\.1 +att_0{16} /m);
  assert.doesNotMatch(text, /result +sha256/);
  assert.match(jobText(record, spread(4), NOW_MS), new RegExp(`result +${digest('3')}`));
  assert.match(progressText(record, spread(3)), /^f{12} {2}RUNNING {2}3 of 4 tasks, 4 ended$/);
  const [, first = assert.fail()] = eventsOf(spread(3));
  assert.match(eventText(first), /align: offered to the node/);
});

test('events stand in order of time', () => {
  const events = eventsOf(view);
  assert.deepEqual(
    events.map(({ event }) => event),
    ['submitted', 'offered', 'offered', 'taken', 'ended', 'withdrawn', 'over'],
  );
  assert.match(eventText(events[3] ?? assert.fail()), /node_a{12} {2}the node has taken it/);
});

test('a job that was never sent is listed as such', () => {
  const text = jobsTable([{ record, state: null, asOfMs: null }], NOW_MS);
  assert.match(text, /f{12} +not sent +germline +2{12} and 1{12} +1 min 00 s ago/);
});

test('nothing that a coordinator or a node says moves the cursor', () => {
  const colors = new RegExp(`${String.fromCharCode(27)}\\[[0-9]{1,2}m`, 'g');
  const texts = [jobText(record, view, NOW_MS), ...eventsOf(view).map(eventText)];
  for (const text of texts) {
    assert.doesNotMatch(text.replace(colors, ''), /[^\P{Cc}\n]|\p{Cf}/u);
  }
});
