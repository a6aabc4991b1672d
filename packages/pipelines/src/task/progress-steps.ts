/** Fewer messages of progress than a builtin has pieces of work. */

/** Steps of progress that a builtin's listener hears of; a message to another thread has its price. */
export const PROGRESS_STEPS = 100;

/** Passes a fraction on when it reaches a further step, so at most PROGRESS_STEPS times and once. */
export function inSteps(report: (fraction: number) => void): (fraction: number) => void {
  let reached = -1;
  return (fraction) => {
    const step = Math.floor(fraction * PROGRESS_STEPS);
    if (step <= reached) return;
    reached = step;
    report(fraction);
  };
}
