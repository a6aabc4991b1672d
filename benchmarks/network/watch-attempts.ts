/**
 * When what happened to the attempts of a node, which the coordinator does not know: read from the log
 * of each enclosure while it is there, for it is wiped with the plaintext.
 */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { StepTimes } from '../support/figures.ts';

/** Between two looks, ms: the precision of what the log does not tell. */
const LOOK_MS = 20;

/** Milliseconds since 1970; null for what was not seen. */
export interface Marks {
  /** The enclosure has all that it works on. */
  readonly fetchedAtMs: number | null;
  readonly firstStepAtMs: number | null;
  readonly lastStepAtMs: number | null;
  /** Its outputs are there, and its engine has ended. */
  readonly analysedAtMs: number | null;
  readonly sealedAtMs: number | null;
  readonly steps: readonly StepTimes[];
}

export interface AttemptWatch {
  marksOf(attemptId: string): Marks;
  stop(): void;
}

interface Seen {
  log: string;
  sealedAtMs: number | null;
}

/** Looks at the attempts of nodes with these data folders, until stopped. */
export function watchAttempts(dataDirs: readonly string[]): AttemptWatch {
  const seen = new Map<string, Seen>();
  const look = () => {
    for (const root of dataDirs.map((dataDir) => join(dataDir, 'compute', 'attempts'))) {
      for (const id of list(root)) lookAt(join(root, id), seenOf(seen, id));
    }
  };
  const timer = setInterval(look, LOOK_MS);
  return {
    marksOf: (attemptId) => marksIn(seenOf(seen, attemptId)),
    stop: () => clearInterval(timer),
  };
}

function seenOf(all: Map<string, Seen>, id: string): Seen {
  const known = all.get(id) ?? { log: '', sealedAtMs: null };
  all.set(id, known);
  return known;
}

function lookAt(folder: string, seen: Seen): void {
  if (seen.sealedAtMs !== null) return;
  const isSealed = existsSync(join(folder, 'sealed'));
  // Read after that look: the log is whole by the time that outputs are sealed.
  const log = read(join(folder, 'work', 'node', 'node.log'));
  if (log.length > seen.log.length) seen.log = log;
  if (isSealed) seen.sealedAtMs = Date.now();
}

interface Line {
  readonly time: number;
  readonly msg: string;
  readonly task?: string;
}

function marksIn({ log, sealedAtMs }: Seen): Marks {
  // The last line may be a part of one.
  const whole = log.slice(0, log.lastIndexOf('\n') + 1);
  const lines = whole.split('\n').filter(Boolean);
  const said = lines.map((line): Line => JSON.parse(line));
  const timesOf = (msg: string) => said.filter((line) => line.msg === msg).map(({ time }) => time);
  return {
    fetchedAtMs: timesOf('node starting').at(0) ?? null,
    firstStepAtMs: timesOf('attempt started').at(0) ?? null,
    lastStepAtMs: timesOf('attempt ended').at(-1) ?? null,
    analysedAtMs: timesOf('node stopped').at(-1) ?? null,
    sealedAtMs,
    steps: stepsIn(said),
  };
}

/** The last time of each, where one was tried again. */
function stepsIn(said: readonly Line[]): StepTimes[] {
  const steps = new Map<string, StepTimes>();
  for (const { msg, task: name = '', time } of said) {
    if (msg === 'attempt started') steps.set(name, { name, startedAtMs: time, endedAtMs: null });
    const step = steps.get(name);
    if (msg === 'attempt ended' && step !== undefined) {
      steps.set(name, { ...step, endedAtMs: time });
    }
  }
  return [...steps.values()];
}

function read(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    // Not there yet, or wiped.
    return '';
  }
}

function list(path: string): string[] {
  try {
    return readdirSync(path);
  } catch {
    return [];
  }
}
