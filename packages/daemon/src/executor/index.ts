export { AttemptMeter } from './attempt-meter.ts';
export { prepareThread } from './in-worker.ts';
export * from './outcome.ts';
export { publishedPath } from './publish.ts';
export { runAttempt } from './run-attempt.ts';
export { sweepScratch } from './sweep.ts';
