/**
 * Where the time of one job of the network went, from the command that asked for it to the checked
 * files: phases that follow each other and add up to all of it. Of tasks that run side by side the one
 * that came to its end last counts; a phase that every stage of a spread job has is summed up.
 */
import type { NetworkJobView } from '@helixmesh/protocol/sealing';
import type { StepTimes } from '../support/figures.ts';
import type { Marks } from './watch-attempts.ts';

/** In the order of time; what of it `helixmesh run` has too is `analysis`. */
export const PHASES = {
  ask: 'signed and taken by the coordinator',
  queue: 'placed, offered and taken by a node',
  fetch: 'keys, bodies, and the reads decrypted on the disk',
  start: 'the engine of the enclosure',
  analysis: 'from the first step to the last',
  deliver: 'outputs written, the engine ended',
  seal: 'outputs encrypted for the requester',
  commit: 'plaintext wiped, committed to',
  reveal: 'revealed and settled',
  notice: 'until the command that waits says so',
  result: 'fetched, opened, and the digest computed by the requester',
} as const;
export type Phase = keyof typeof PHASES;

export interface JobTimes {
  /** Milliseconds since 1970, of the requester. */
  readonly askedAtMs: number;
  readonly toldAtMs: number;
  readonly checkedAtMs: number;
  readonly view: NetworkJobView;
  readonly marksOf: (attemptId: string) => Marks;
}

type Attempt = NetworkJobView['tasks'][number]['attempts'][number];

/** Milliseconds of each. */
export function phasesOf(times: JobTimes): Readonly<Record<Phase, number>> {
  const { view } = times;
  const phases = Object.fromEntries(Object.keys(PHASES).map((name) => [name, 0])) as Record<
    Phase,
    number
  >;
  let atMs = times.askedAtMs;
  /** A moment that was not seen leaves its time to the phase after it. */
  const until = (phase: Phase, endMs: number | null) => {
    if (endMs === null) return;
    phases[phase] += endMs - atMs;
    atMs = endMs;
  };
  until('ask', view.createdAtMs);
  for (const attempt of decisiveAttempts(view)) {
    const marks = times.marksOf(attempt.attemptId);
    until('queue', attempt.startedAtMs);
    until('fetch', marks.fetchedAtMs);
    until('start', marks.firstStepAtMs);
    until('analysis', marks.lastStepAtMs);
    until('deliver', marks.analysedAtMs);
    until('seal', marks.sealedAtMs);
    until('commit', attempt.committedAtMs);
    until('reveal', attempt.revealedAtMs);
  }
  until('reveal', view.endedAtMs);
  until('notice', times.toldAtMs);
  until('result', times.checkedAtMs);
  return phases;
}

/** Steps of all attempts whose result counted, by when they ran. */
export function stepsOf({ view, marksOf }: Pick<JobTimes, 'view' | 'marksOf'>): StepTimes[] {
  return decisiveAttempts(view).flatMap(({ attemptId }) => [...marksOf(attemptId).steps]);
}

/** Of each stage the attempt that was revealed last, in the order of time. */
function decisiveAttempts({ tasks }: NetworkJobView): Attempt[] {
  const last = new Map<string, Attempt>();
  for (const { name, attempts } of tasks) {
    const stage = name.split('.')[0] ?? name;
    for (const attempt of attempts) {
      if (attempt.verdict !== 'valid') continue;
      const known = last.get(stage)?.revealedAtMs ?? 0;
      if ((attempt.revealedAtMs ?? 0) >= known) last.set(stage, attempt);
    }
  }
  return [...last.values()].sort((a, b) => (a.revealedAtMs ?? 0) - (b.revealedAtMs ?? 0));
}
