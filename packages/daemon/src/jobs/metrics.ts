/** Coordination against compute, for one job. Pure. */
import type { MetricsView } from '@helixmesh/protocol';

export interface MetricsInput {
  readonly startedAtMs: number | null;
  readonly endedAtMs: number | null;
  /** From claim to published result; an attempt that has not ended is left out. */
  readonly attempts: readonly { readonly startedAtMs: number; readonly endedAtMs: number | null }[];
  readonly tasks: number;
  readonly barriers: number;
}

/**
 * Compute is Σ of the attempts' wall time. Coordination is the part of the job's wall time in which
 * none of its attempts ran: planning, journaling, dispatch, delivery and waiting for others' jobs.
 */
export function measure(input: MetricsInput): MetricsView {
  const spans = input.attempts
    .flatMap(({ startedAtMs, endedAtMs }) =>
      endedAtMs === null ? [] : [[startedAtMs, endedAtMs] as const],
    )
    .sort((a, b) => a[0] - b[0]);
  const computeMs = spans.reduce((sum, [start, end]) => sum + end - start, 0);
  const wallMs =
    input.startedAtMs === null || input.endedAtMs === null
      ? null
      : input.endedAtMs - input.startedAtMs;
  const coordinationMs = wallMs === null ? 0 : Math.max(0, wallMs - covered(spans));
  const whole = computeMs + coordinationMs;
  return {
    computeMs,
    coordinationMs,
    ratio: wallMs === null || coordinationMs === 0 ? null : computeMs / coordinationMs,
    efficiency: wallMs === null || whole === 0 ? null : computeMs / whole,
    // A request and a reply for each task.
    messages: 2 * input.tasks,
    barriers: input.barriers,
  };
}

/** Length of the union of sorted intervals. */
function covered(spans: readonly (readonly [number, number])[]): number {
  let total = 0;
  let reach = Number.NEGATIVE_INFINITY;
  for (const [start, end] of spans) {
    total += Math.max(0, end - Math.max(start, reach));
    reach = Math.max(reach, end);
  }
  return total;
}
