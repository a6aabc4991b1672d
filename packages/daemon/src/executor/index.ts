export * from './outcome.ts';
export { publishedFolder, publishedPath, readPublished } from './publish.ts';
export { runAttempt } from './run-attempt.ts';
export { sweepScratch } from './sweep.ts';
